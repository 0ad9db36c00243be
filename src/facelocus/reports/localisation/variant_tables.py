"""Sections of the report that compare networks: the variants, and what any network shows for free."""

from __future__ import annotations

from statistics import fmean

from facelocus.reports.grid.differences import METRICS, Estimate, Metric
from facelocus.reports.grid.markdown import spread, table, with_bounds
from facelocus.reports.localisation.choice import ALLOWED, weigh
from facelocus.reports.localisation.comparison import Comparison, Through
from facelocus.reports.localisation.looks import (
    APART,
    KEPT,
    LIKENESS,
    LOST,
    MAPS,
    OTHERS,
    OWN,
    POINTING,
    WORDS,
    RunLook,
)
from facelocus.reports.localisation.runs import CONTROLS, VARIANTS
from facelocus.reports.localisation.tables import GRID, LOOK, none_yet


def variants(comparison: Comparison) -> str:
    """Return what each variant changes, its scores, where its masks look, and what the rules make of it."""
    parts = [
        "One change each, from the paper's form. In brackets are 95 % intervals over people and seeds, in pairs: of "
        "three seeds somewhat too narrow, of one over people alone. Those of where masks look take people for the same "
        "in all seeds of a network and for others in another network: rather too wide for differences.",
        table(("network", "name", "what it changes"),
              [(each.words, f"`{name}`", each.about) for name, each in VARIANTS.items()], words=3),
    ]  # fmt: skip
    if not comparison.cells:
        parts.append(none_yet(GRID))
    for title, metric in zip(("Accuracy", "Balanced accuracy"), METRICS, strict=True):
        if comparison.cells:
            parts.append(_scores(title, comparison, metric))
    if not any(maps == "masks" for _, maps in comparison.looks):
        return "\n\n".join([*parts, none_yet(LOOK)])
    rows = []
    for network, maps in comparison.looks:
        if maps == "masks":
            its = comparison.looks[network, maps]
            against = "" if network == "pse_conv" else with_bounds(
                comparison.look_less((network, maps), ("pse_conv", maps), APART)
            )  # fmt: skip
            rows.append((WORDS[network], str(len(its)), *_looked(comparison, (network, maps)), against, _level(its)))
    header = ("masks of", "seeds", "own", "others", "own less others", "pointing", "likeness", "lost when hidden",
              "kept when shown", "own less others, less PSE(b)'s", "level (lowest to highest)")  # fmt: skip
    parts += [
        "Where masks look. *Likeness* is the correlation of two masks of one face. *Lost when hidden* and *kept when "
        "shown*: right answers, in points, that blurring a fifth of the frame where the mask is highest costs, "
        "or that leaving it alone keeps, more than at random.",
        table(header, rows),
        f"By the rules: better is own less others above PSE(b)'s; kept is accuracy above PSE(b)'s less {ALLOWED}; "
        "rests is more lost when hidden than at random.",
        _judged(comparison),
    ]
    return "\n\n".join(parts)


def _scores(title: str, comparison: Comparison, metric: Metric) -> str:
    rows = []
    for name, cell in comparison.cells.items():
        scores = [float(getattr(run.test, metric)) for run in cell]
        against = [
            "" if name == control else _or_missing(comparison.score_less(name, control, metric)) for control in CONTROLS
        ]
        rows.append((VARIANTS[name].words, str(len(cell)), spread(scores), *against))
    header = ("network", "seeds", f"{title.lower()}, %", "less no attention's", "less PSE(b)'s")
    return table(header, rows)


def _looked(comparison: Comparison, through: Through) -> list[str]:
    unsigned = (OWN, OTHERS, APART, POINTING, LIKENESS)
    return [
        *(with_bounds(comparison.look(through, of), signed=False) for of in unsigned),
        *(with_bounds(comparison.look(through, of)) for of in (LOST, KEPT)),
    ]


def _level(looks: tuple[RunLook, ...]) -> str:
    """Return the mean of masks, and of their lowest and highest values, over regions and seeds."""
    every = [region for look in looks for region in look.regions.values()]
    level, low, high = (fmean(getattr(region, name) for region in every) for name in ("mean", "lowest", "highest"))
    return f"{level:.2f} ({low:.2f} to {high:.2f})"


def _judged(comparison: Comparison) -> str:
    rows = [
        (VARIANTS[each.variant].words, each.better, each.kept, each.rests, f"**{each.passes}**")
        for each in weigh(comparison)
    ]
    return table(("network", "better", "kept", "rests", "passes"), rows, words=5)


def free(comparison: Comparison) -> str:
    """Return every network through every kind of map."""
    text = (
        "Any network gives maps without a mask: Grad-CAM at the features that all sub-networks share, and HiResCAM at "
        "those before the mean over positions, where it is exact: the map's sum is the logit less a constant. Both are "
        "of the answers given, the mean over a region's attributes. Columns as above."
    )
    if not comparison.looks:
        return f"{text}\n\n{none_yet(LOOK)}"
    rows = [
        (WORDS[network], MAPS[maps], str(len(looks)), *_looked(comparison, (network, maps)))
        for (network, maps), looks in comparison.looks.items()
    ]
    header = ("network", "seen through", "seeds", "own", "others", "own less others", "pointing", "likeness",
              "lost when hidden", "kept when shown")  # fmt: skip
    return f"{text}\n\n{table(header, rows, words=2)}"


def _or_missing(estimate: Estimate | None) -> str:
    return "no records yet" if estimate is None else with_bounds(estimate)
