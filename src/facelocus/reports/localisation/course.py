"""What becomes of masks while a network learns: the section and its picture, from training.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from facelocus.reports.figure import INK, STYLE, save_figure
from facelocus.reports.grid.markdown import table
from facelocus.reports.grid.marks import plain
from facelocus.reports.localisation.records import Records, Seen, Training
from facelocus.reports.localisation.tables import none_yet

TRAINING = "python benchmarks/localisation/mask_statistics.py CELEBA --json results/localisation/training.json"
#: Run -> in words and its colour, told apart by the colour blind too (Okabe and Ito).
_RUNS = {
    "normalised": ("with a BatchNorm before the logits", "#0072B2"),
    "not normalised": ("without it", "#D55E00"),
}
#: Panels: what they show, and the fields of Seen in it, the second dashed.
_PANELS = (
    ("level: mean of a mask", ("level",)),
    ("spread of a mask over positions", ("spread",)),
    ("saturated: share of positions\nbelow 0.05 or above 0.95", ("saturated",)),
    ("likeness: correlation of two masks", ("likeness",)),
    ("on its region: own (solid),\nothers (dashed)", ("own", "others")),
    ("gradient over weights: W1 (solid),\nconvolution before it (dashed)",
     ("gradient_w1", "gradient_convolution")),
    ("squeeze: share of its variance\nthat tells positions apart", ("positions",)),
)  # fmt: skip


def course(records: Records) -> str:
    """Return how masks begin and end, what reaches W1, and whether the squeeze can carry position."""
    found = records.training
    if found is None:
        return none_yet(TRAINING)
    rows = []
    for name, seen in _runs(found):
        for when, at in (("first step", seen[0]), (f"step {seen[-1].step:,}", seen[-1])):
            rows.append(
                (_RUNS[name][0], when, f"{at.level:.2f}", f"{at.spread:.3f}", f"{100 * at.saturated:.1f} %",
                 f"{at.likeness:.2f}", f"{at.own:.2f}", f"{at.others:.2f}", f"{_ratio([at]):.2f}",
                 f"{100 * at.between_positions:.0f} %", f"{100 * at.between_faces:.0f} %", f"{100 * at.both:.0f} %")
            )  # fmt: skip
    header = ("PSE(b)", "at", "level", "spread", "saturated", "likeness", "own", "others", "slope at W1",
              "positions", "faces", "both")  # fmt: skip
    ratios = {name: _ratio(seen) for name, seen in _runs(found)}
    last = {name: seen[-1] for name, seen in _runs(found)}
    with_norm, without = last["normalised"], last["not normalised"]
    sentences = [
        f"**What reaches W1.** Over all steps the gradient at W1, over its weights, is "
        f"{ratios['normalised']:.2f} of that at the convolution before it with the BatchNorm and "
        f"{ratios['not normalised']:.2f} without (medians): "
        + ("masks learn more slowly than features." if max(ratios.values()) < 1 else
           "masks learn no more slowly than features." if min(ratios.values()) >= 1 else
           "masks learn more slowly than features only in one of the two."),
        f"**What the BatchNorm undoes.** Masks end at a level of {with_norm.level:.2f} with it and {without.level:.2f} "
        f"without, spread {with_norm.spread:.3f} and {without.spread:.3f}, own less others "
        f"{with_norm.own - with_norm.others:.2f} and {without.own - without.others:.2f}.",
        f"**Eight masks, or one?** Two masks of a face end with a correlation of {with_norm.likeness:.2f} and "
        f"{without.likeness:.2f}; 1 would be one mask for all.",
        f"**Can a mean over channels carry position?** Of its variance {_told(with_norm)} % tells positions apart at "
        f"the end with the BatchNorm and {_told(without)} % without, the same for all faces or different in each; what "
        "lies between faces alone could move a mask's level only.",
    ]  # fmt: skip
    return "\n\n".join(
        [
            f"PSE(b) on the small form of the grid, one seed: the masks of the same {found.faces} validation faces, "
            "looked at as the step itself sees them. The slope at W1 is its gradient's length over its weights', "
            "over the same of the convolution before it. The last three columns divide the variance of the squeeze.",
            table(header, rows, words=2),
            "\n".join(f"- {sentence}" for sentence in sentences),
        ]
    )


def draw_course(records: Records, file: Path) -> bool:
    """Draw each statistic by steps, the two runs over each other; return whether there was anything to draw."""
    if records.training is None:
        return False
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11, 5.6), layout="constrained", dpi=150)
        panels = figure.subplots(2, 4, sharex=True).flatten()
        for axes, (title, fields) in zip(panels, _PANELS, strict=False):
            for name, seen in _runs(records.training):
                for field, dash in zip(fields, ("-", (0, (3, 1.5))), strict=False):
                    values = [_told_share(at) if field == "positions" else getattr(at, field) for at in seen]
                    axes.plot([at.step for at in seen], values, color=_RUNS[name][1], linestyle=dash, linewidth=1.6)
            axes.set_title(title, fontsize=9, loc="left", color=INK)
            if fields[0] == "gradient_w1":
                axes.set_yscale("log")
            else:
                low, high = axes.dataLim.intervaly
                axes.set_ylim(1.08 * min(0, low), 1.08 * high or 1)
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            plain(axes, "both")
        for axes in panels[3:7]:
            axes.set_xlabel("step")
            axes.tick_params(labelbottom=True)
        marks = [Line2D([], [], color=colour, linewidth=2) for _, colour in _RUNS.values()]
        panels[-1].axis("off")
        panels[-1].legend(marks, [words for words, _ in _RUNS.values()], loc="center left", frameon=False, fontsize=10)
        figure.suptitle("PSE(b)'s masks while a network learns", fontsize=11)
        save_figure(figure, file)
    return True


def _runs(training: Training) -> list[tuple[str, list[Seen]]]:
    return [(name, training.runs[name]) for name in _RUNS]


def _ratio(seen: Sequence[Seen]) -> float:
    return median(at.gradient_w1 / at.gradient_convolution for at in seen)


def _told_share(at: Seen) -> float:
    """Return the share of the squeeze's variance that differs between positions of a face."""
    return at.between_positions + at.both


def _told(at: Seen) -> str:
    return f"{100 * _told_share(at):.0f}"
