"""Sections of the report that say what there is and set it beside the printed tables."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

import numpy as np

from facelocus.attributes import ATTRIBUTES
from facelocus.reports import published
from facelocus.reports.grid.markdown import NONE_YET, counted, listed, run_names, table
from facelocus.reports.paper.conditions import Cell, Family, validation
from facelocus.reports.paper.records import Records
from facelocus.reports.paper.runs import FORMS, MODULES, Run

_ALEX = ("alexnet_cvgj", "none")
_FAR = 2.5  # points above every other method from which a printed number is pointed out


def head(records: Records) -> str:
    """Say what the report is, which data it rests on and which grids are there."""
    text = (
        "Written by `facelocus report paper` from the records beside it alone: `runs.jsonl`, a line a run; "
        "`people/`, what each run decided about the faces of each test person; `costs.json`. The same records give "
        "the same bytes. Numbers of the paper and of others are printed ones (`facelocus.reports.published`).\n\n"
    )
    ours = [run for run in records.runs if not run.stand_in]
    if not records.runs:
        return text + f"Runs: {NONE_YET}."
    if ours:
        most = max(run.data.training_images for run in ours)
        described = listed(sorted({run.data.description for run in ours}))
        faces = listed(sorted({f"{run.test.images:,} images of {run.test.people:,} people" for run in ours}))
        share = f"{100 * most / published.TRAINING_IMAGES:.0f} % of CelebA's {published.TRAINING_IMAGES:,}"
        text += (
            f"**Data.** {described}: at most {most:,} training images, {share}; measured on {faces}"
            f"{_of_test_split(ours)}.{_majority(records)}\n\n"
        )
    devices = listed(sorted({run.device for run in records.runs}))
    seeds = sorted({run.seed for run in records.runs})
    text += (
        f"**Runs.** {counted(len(records.runs), 'run')}, seeds {listed([str(seed) for seed in seeds])}, on {devices}. "
        "Printed length is the paper's number of iterations; the short form has fewer; the small form, made on two "
        "cores, has fewer still and smaller inputs, so that it tells of modules at that size and not of the paper's "
        "accuracies.\n\n"
    )
    rows = []
    for grid in sorted({run.grid for run in records.runs}):
        runs = [run for run in records.runs if run.grid == grid]
        form = ("stand-in labels, " if runs[0].stand_in else "") + FORMS[runs[0].form]
        rows.append(
            (f"`{grid}`", form, str(len(runs)), ", ".join(sorted({f"`{run.trunk}`" for run in runs})),
             ", ".join(name for module, name in MODULES.items() if any(run.module == module for run in runs)),
             _span([run.iterations for run in runs]), _span([run.data.training_images for run in runs]),
             f"{sum(run.seconds for run in runs) / 3600:.1f}")
        )  # fmt: skip
    header = ("grid", "form", "runs", "trunks", "modules", "iterations", "training images", "hours")
    return f"{text}{table(header, rows, words=2)}{_printed_length(records)}"


def _of_test_split(ours: Sequence[Run]) -> str:
    """Say that test faces are a part of CelebA's, where they are fewer."""
    fewer = any(run.test.images < published.TEST_IMAGES for run in ours)
    return f", a part of the {published.TEST_IMAGES:,} of CelebA's test split" if fewer else ""


def _printed_length(records: Records) -> str:
    """Return what keeps the printed length from being run, where it was not and its cost is known."""
    there = any(run.form == "printed" for run in records.runs)
    alex = [] if records.costs is None else [r for r in records.costs.rows if (r.trunk, r.module) == _ALEX]
    if there or records.costs is None or not alex:
        return ""
    high, wide = alex[0].size
    hours = alex[0].step_seconds / records.costs.batch * published.ALEX_IMAGES / 3600
    larger = published.ALEX_SIDE**2 / (high * wide)
    return (
        f"\n\n**Printed length: cannot be judged here.** Alex sees {published.ALEX_IMAGES / 1e6:.2f} million images in "
        f"it. At the {alex[0].step_seconds:.2f} s of a step of {records.costs.batch} ({high} x {wide} pixels, "
        f"{records.costs.device}; below) that is {hours:.0f} hours a run, and the printed input of "
        f"{published.ALEX_SIDE} x {published.ALEX_SIDE} has {larger:.1f} times as many pixels. The grid "
        "`paper` is ready for a machine that can."
    )


def _span(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _majority(records: Records) -> str:
    if records.labels is None:
        return ""
    yes, no = records.labels.sum(1, dtype=np.int64)
    share = 100 * float(np.mean(np.maximum(yes, no) / (yes + no)))
    return f" Whoever always gives the commoner answer has a mean accuracy of {share:.2f} there."


def shown_cells(of: Sequence[Family]) -> dict[str, Cell]:
    """Return our columns of Table 1 by title: PSE(b)-Alex, and the cell of the best validation, of the longest form."""
    tried = [cell for family in of if family.form == of[0].form for cell in family.cells]
    if not tried:
        return {}
    found = {}
    alex = [cell for cell in tried if (cell[0].trunk, cell[0].module) == ("alexnet_cvgj", "pse_conv")]
    for why, among in (("PSE(b)-Alex", alex), ("best validation", tried)):
        if among:
            cell = max(among, key=validation)
            found[why] = cell
    return found


def table_1(shown: dict[str, Cell]) -> str:
    """Return Table 1 with our columns, averages recomputed, and what its odd columns are."""
    printed, averages = published.table1(), published.averages()
    ours = {why: {name: fmean(run.test.attributes[name] for run in cell) for name in ATTRIBUTES}
            for why, cell in shown.items()}  # fmt: skip
    header = ["attribute", *printed, *(f"ours: {why}" for why in ours)]
    rows = []
    for name in ATTRIBUTES:
        theirs = [f"{column[name]:.2f}" if column else "" for column in printed.values()]
        rows.append([name, *theirs, *(f"{column[name]:.2f}" for column in ours.values())])
    means = [f"{fmean(column.values()):.2f}" if column else "" for column in printed.values()]
    rows.append(["mean of the 40", *means, *(f"{fmean(column.values()):.2f}" for column in ours.values())])
    rows.append(["average as printed", *(f"{averages[method]:.2f}" for method in printed), *[""] * len(ours)])
    text = "Accuracy in percent at a threshold of one half. "
    if shown:
        if not all(run.on_whole for cell in shown.values() for run in cell):
            text += (
                f"Printed columns are of CelebA's {published.TRAINING_IMAGES:,} training and "
                f"{published.TEST_IMAGES:,} test images, ours of fewer, so that they differ in data too. "
            )
        text += " ".join(f"*ours: {why}* is {_described(cell)}." for why, cell in shown.items())
    else:
        text += f"Ours: {NONE_YET}."
    return "\n\n".join([text, table(header, rows), _odd_columns(printed, averages)])


def _described(cell: Cell) -> str:
    run, scores = cell[0], [run.test.mean_accuracy_at_half for run in cell]
    spread = f", deviation over seeds {stdev(scores):.2f}" if len(cell) > 1 else ""
    return (
        f"`{run.trunk}` with {MODULES[run.module]}, {FORMS[run.form]}: {run.iterations:,} iterations on "
        f"{run.data.training_images:,} images, the mean of {counted(len(cell), 'seed')}{spread} "
        f"({run_names(run.run for run in cell)})"
    )


def _odd_columns(printed: dict[str, dict[str, float]], averages: dict[str, float]) -> str:
    furthest = max(abs(fmean(column.values()) - averages[method]) for method, column in printed.items() if column)
    whole = [method for method, column in printed.items()
             if column and all(value == round(value) for value in column.values())]  # fmt: skip
    others = {name: max(column[name] for method, column in printed.items() if column and method != "DMTL")
              for name in ATTRIBUTES}  # fmt: skip
    dmtl = printed["DMTL"]
    apart = [f"{name} {dmtl[name]:.0f} (the next {others[name]:.2f})" for name in ATTRIBUTES
             if dmtl[name] - others[name] > _FAR]  # fmt: skip
    without = [name for name in ATTRIBUTES if dmtl[name] - others[name] <= _FAR]
    return (
        f"- Printed averages are the means of their columns, to {furthest:.3f} at most.\n"
        f"- **SSP+SSG** has no column: the paper prints its average alone, {averages['SSP+SSG']:.2f}, and that is not "
        f"accuracy. Its accuracy is reported elsewhere as {published.SSP_SSG_ACCURACY:.2f} (second-hand).\n"
        f"- **DMTL**: {listed(apart)} stand far from every other method. Without them the mean of DMTL is "
        f"{fmean(dmtl[name] for name in without):.2f}, and that of PSE(b)-SE over the same {len(without)} attributes "
        f"{fmean(printed['PSE(b)-SE'][name] for name in without):.2f}.\n"
        f"- {listed(whole)} are printed in whole percents."
    )


def table_2() -> str:
    """Return Table 2 as printed: official labels of LFWA are not at hand."""
    rows = [(method, f"{value:.2f}") for method, value in published.table2().items()]
    text = (
        "Average accuracy on LFWA in percent, as printed. **Ours: cannot be judged here**, since LFWA's official "
        "labels are not at hand. Runs on stand-in labels have a section of their own and say nothing about this "
        "table."
    )
    return f"{text}\n\n{table(('method', 'average as printed'), rows)}"


def stand_in(records: Records) -> str:
    """Return the runs on LFW's pictures whose labels are a model's scores."""
    runs = [run for run in records.runs if run.stand_in]
    text = (
        "Labels here are not LFWA's: they are the scores of another model, thresholded, on LFW's pictures. Accuracy "
        "therefore says how far a run agrees with that model. It shows that the recipe runs; **it is not comparable "
        "with Table 2.** Which pictures and scores, the description of the data says.\n\n"
    )
    if not runs:
        return text + f"{NONE_YET.capitalize()}."
    rows = [
        (f"`{run.run}`", run.data.description, FORMS[run.form], f"{run.iterations:,}", f"{run.data.training_images:,}",
         f"{run.test.images:,}", f"{run.test.mean_accuracy_at_half:.2f}")
        for run in runs
    ]  # fmt: skip
    header = ("run (stand-in labels)", "data", "form", "iterations", "training images", "test images", "agreement, %")
    return text + table(header, rows, words=3)


def run_list(records: Records) -> str:
    """Return every run with its scores, for verdicts to be traced to."""
    if not records.runs:
        return f"{NONE_YET.capitalize()}."
    rows = [
        (f"`{run.run}`", f"{run.rate:g}", "yes" if run.normalised else "no", f"{run.iterations:,}",
         f"{run.data.training_images:,}", f"{run.validation.mean_accuracy_at_half:.2f}",
         f"{run.test.mean_accuracy_at_half:.2f}", f"{run.test.mean_balanced_accuracy:.2f}")
        for run in records.runs
    ]  # fmt: skip
    header = ("run", "rate", "inputs normalised", "iterations", "training images", "validation accuracy", "accuracy",
              "balanced accuracy")  # fmt: skip
    without = [run.run for run in records.runs if run.run not in records.counts and not run.stand_in]
    text = "" if not without else (
        f"Without counts of people, and so without intervals: {run_names(without)}.\n\n"
    )  # fmt: skip
    return text + table(header, rows)
