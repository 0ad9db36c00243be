"""Sections of the report that compare modules, and that tell what they cost and how accuracy grows."""

from __future__ import annotations

from collections.abc import Sequence

from facelocus.reports import published
from facelocus.reports.grid.differences import METRICS, Resamples
from facelocus.reports.grid.markdown import NONE_YET, counted, points, spread, table, with_bounds
from facelocus.reports.paper.conditions import Condition, Family
from facelocus.reports.paper.costs import Costs, with_baseline
from facelocus.reports.paper.growth import EXPONENTS, LEAST, Growth
from facelocus.reports.paper.runs import FORMS, MODULES

_INTERVALS = (
    "In brackets are 95 % intervals over people and seeds: each resample draws the test people anew, the same for both "
    "sides and all seeds, and the seeds, in pairs. Of three seeds such an interval is somewhat too narrow. Of one seed "
    "it is over people alone."
)


def modules(of: Sequence[Family], resamples: Resamples) -> str:
    """Return each trunk's main comparisons: scores, and differences against none."""
    parts = [
        "Accuracy is at a threshold of one half, balanced accuracy at thresholds chosen on validation faces; both in "
        f"percent, the mean over seeds and ± the deviation between them. {_INTERVALS}"
    ]
    for family in of:
        for condition in family.conditions:
            if condition.main:
                parts += [f"### {family.title}: {condition.title}", _scores(condition, resamples)]
                if family.rest != "{}":
                    parts.append(f"Settings other than the defaults: `{family.rest}`")
    if len(parts) == 1:
        parts.append(f"{NONE_YET.capitalize()}: this needs none and a module of one trunk.")
    return "\n\n".join(parts)


def _scores(condition: Condition, resamples: Resamples) -> str:
    rows = []
    for module, cell in condition.cells.items():
        differences = ["", ""]
        if module != "none":
            against = condition.cells["none"]
            differences = [with_bounds(resamples.difference(cell, against, metric)) for metric in METRICS]
        scores = [spread([getattr(run.test, metric) for run in cell]) for metric in METRICS]
        rows.append([MODULES[module], str(len(cell)), *scores, *differences])
    header = ("module", "seeds", "accuracy", "balanced accuracy", "accuracy less none's", "balanced less none's")
    return table(header, rows)


def controls(of: Sequence[Family], resamples: Resamples) -> str:
    """Return all conditions of each family side by side, and the rates that were chosen."""
    parts = [
        "A module can also help because it changes the scale of what the classifiers read, or because the one rate "
        "suits it better. So each comparison is made with and without a normalised input to the classifiers, and "
        "with the rate that each module's own validation accuracy prefers; the test faces play no part in that "
        "choice. Points against none, intervals as above."
    ]
    if not of:
        return f"{parts[0]}\n\n{NONE_YET.capitalize()}."
    for family in of:
        rows = []
        for condition in family.conditions:
            for module, cell in condition.cells.items():
                if module != "none":
                    apart = [resamples.difference(cell, condition.cells["none"], metric) for metric in METRICS]
                    seeds = str(len(apart[0].seeds)) if apart[0] else "0"
                    name = condition.title + (" (the grid itself)" if condition.main else "")
                    rows.append((name, MODULES[module], _rates(condition, module), seeds, *map(with_bounds, apart)))
        header = ("condition", "module", "rate, and none's", "seeds in common", "accuracy", "balanced accuracy")
        parts += [f"### {family.title}", table(header, rows, words=2) if rows else f"{NONE_YET.capitalize()}."]
        missing = [
            words
            for words, there in (
                ("with normalised inputs", any(each.normalised for each in family.conditions)),
                ("without normalised inputs", any(not each.normalised for each in family.conditions)),
                ("with tuned rates", any(each.tuned for each in family.conditions)),
            )
            if not there
        ]
        if missing:
            parts.append(f"{NONE_YET.capitalize()} {' nor '.join(missing)}.")
    return "\n\n".join(parts)


def _rates(condition: Condition, module: str) -> str:
    rates = [f"{condition.cells[which][0].rate:g}" for which in (module, "none")]
    if not condition.tuned:
        return rates[0]
    tried = [" ".join(f"{rate:g}" for rate in condition.rates[which]) for which in (module, "none")]
    return f"{rates[0]} (of {tried[0]}), {rates[1]} (of {tried[1]})"


def costs(measured: Costs | None) -> str:
    """Return parameters, multiply-adds, time and memory of each module, against none."""
    if measured is None:
        return f"{NONE_YET.capitalize()}: `costs.json` is missing."
    text = (
        f"Measured on {measured.device}, {counted(measured.threads, 'thread')}: multiply-adds of one image forward; "
        f"the median of training steps of {measured.batch} images with its quartiles, modules in turn; what one image "
        "keeps for the backward pass. In brackets the change against none."
    )
    rows = []
    for row, bare in with_baseline(measured):
        low, high = row.step_spread
        rows.append(
            (f"`{row.trunk}` {row.size[0]} x {row.size[1]}", MODULES.get(row.module, row.module),
             f"{row.parameters:,}{_more(row.parameters, bare.parameters)}", f"{row.module_parameters:,}",
             f"{row.multiply_adds / 1e6:,.1f} M{_more(row.multiply_adds, bare.multiply_adds)}",
             f"{row.step_seconds:.3f} s, {low:.3f} to {high:.3f}{_more(row.step_seconds, bare.step_seconds)}",
             f"{row.kept_bytes / 1e6:.2f} MB{_more(row.kept_bytes, bare.kept_bytes)}")
        )  # fmt: skip
    header = ("trunk, input", "module", "parameters", "of them the module's", "multiply-adds", "step", "kept memory")
    return f"{text}\n\n{table(header, rows, words=2)}"


def _more(value: float, bare: float) -> str:
    return "" if value == bare else f" ({points(100 * (value / bare - 1))} %)"


def growth(found: Sequence[Growth]) -> str:
    """Return accuracy by training images, what a fit makes of all of CelebA's, and what stands beside it."""
    beside = [
        f"the paper's PSE(b)-Alex, {published.averages()['PSE(b)-Alex']:.2f}, on {published.TRAINING_IMAGES:,} images"
    ]
    beside += [
        f"a classifier on FaRL's frozen features, {value:.2f} with {100 * share:g} % "
        f"({share * published.TRAINING_IMAGES:,.0f}; second-hand)"
        for share, value in published.FARL_FROZEN.items()
    ]
    text = f"Beside it stand {'; '.join(beside)}."
    if not found:
        return f"{NONE_YET.capitalize()}: this needs one network trained on several shares of the images.\n\n{text}"
    parts = [text]
    for each in found:
        low, high = each.iterations
        iterations = f"{low:,} iterations" if low == high else f"{low:,} to {high:,} iterations"
        parts.append(f"### `{each.trunk}` with {MODULES[each.module]}, {FORMS[each.form]}: {iterations}")
        rows = [(f"{images:,}", f"{100 * images / published.TRAINING_IMAGES:.1f} %", str(len(point.seeds)),
                 with_bounds(point, signed=False)) for images, point in each.points.items()]  # fmt: skip
        parts.append(table(("training images", "of CelebA's", "seeds", "accuracy"), rows))
        if any(len(point.seeds) == 1 for point in each.points.values()):
            parts.append("Of one seed the interval is over people alone; what another seed would change is not in it.")
        parts.append(_extrapolated(each))
    return "\n\n".join(parts)


def _extrapolated(each: Growth) -> str:
    if each.fit is None:
        return (
            f"What {published.TRAINING_IMAGES:,} images would give cannot be judged here: {len(each.points)} sizes, "
            f"and a curve with a floor needs {LEAST}."
        )
    fit = each.fit
    edge = ""
    if fit.exponent in EXPONENTS[[0, -1]]:
        edge = " **c stands at the end of its range: these sizes do not say how the curve bends.**"
    bounds = "no interval without counts of people"
    if fit.low is not None and fit.high is not None:
        bounds = f"95 % interval {fit.low[-1]:.2f} to {fit.high[-1]:.2f}"
    return (
        f"Extrapolated to {published.TRAINING_IMAGES:,} images: **{fit.curve[-1]:.2f}** ({bounds}), by least squares "
        f"of error = a + b n^-c with a and b not negative and c from 0.1 to 1; here a = {fit.floor:.2f} %, c = "
        f"{fit.exponent:.2f}. The interval is over people and seeds, with the curve fitted anew in each resample; "
        "it does not cover that the curve may have another form. A straight line in log n, which has no ceiling, gives "
        f"{fit.line:.2f}. It is this network at this length that is extrapolated, not the paper's.{edge}"
    )
