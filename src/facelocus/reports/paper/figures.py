"""The report's pictures of growth with training images and of attributes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from facelocus.attributes import CELEBA
from facelocus.reports import published
from facelocus.reports.figure import GREY, INK, STYLE, save_figure
from facelocus.reports.grid.marks import dot, plain
from facelocus.reports.paper.conditions import Cell
from facelocus.reports.paper.growth import Growth
from facelocus.reports.paper.runs import MODULES

#: Told apart by the colour blind too (Okabe and Ito).
_RANGE = "#c3c9d0"
_CURVES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
#: Forms as a picture names them.
SHORT = {"printed": "printed length", "short": "short form", "small": "small form"}


def draw_growth(found: Sequence[Growth], file: Path) -> bool:
    """Draw accuracy by training images with fits and their bands, out to CelebA's number, and what stands beside it."""
    if not found:
        return False
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.5, 5), layout="constrained", dpi=150)
        axes = figure.subplots()
        for index, each in enumerate(found):
            colour = _CURVES[index % len(_CURVES)]
            for images, point in each.points.items():
                dot(axes, images, point.value, point.bounds, colour, "o", upright=True)
            name = f"{each.trunk}, {MODULES[each.module]}, {SHORT[each.form]}"
            if each.fit is not None:
                fit = each.fit
                seen = fit.images <= max(each.points)
                axes.plot(fit.images[seen], fit.curve[seen], color=colour, linewidth=1.6)
                axes.plot(fit.images[~seen], fit.curve[~seen], color=colour, linewidth=1.6, linestyle=(0, (4, 2)))
                if fit.low is not None and fit.high is not None:
                    axes.fill_between(fit.images, fit.low, fit.high, color=colour, alpha=0.15, linewidth=0)
                name += f": {fit.curve[-1]:.2f} extrapolated"
            axes.plot([], [], color=colour, marker="o", label=name)
        total = published.TRAINING_IMAGES
        paper = published.averages()["PSE(b)-Alex"]
        axes.plot(total, paper, "D", color=INK, label=f"the paper's PSE(b)-Alex: {paper:.2f}")
        farl = {share * total: value for share, value in published.FARL_FROZEN.items()}
        axes.plot(list(farl), list(farl.values()), "x", color=GREY, label="FaRL's frozen features (second-hand)")
        axes.axvline(total, color=GREY, linewidth=0.8, linestyle=":")
        axes.set_xscale("log")
        ticks = sorted({*(images for each in found for images in each.points), total})
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks], rotation=30, ha="right", fontsize=9)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set(xlabel="training images (CelebA's own split: the last)", ylabel="accuracy, percent (threshold 0.5)")
        plain(axes, "both")
        figure.legend(loc="outside lower center", ncols=1, frameon=False, fontsize=9)
        figure.suptitle("How accuracy grows with the training images, and where the curve leads", fontsize=11)
        save_figure(figure, file)
    return True


def draw_attributes(shown: dict[str, Cell], file: Path) -> bool:
    """Draw each attribute's accuracy: ours of the best validation, the paper's, and the range of the others."""
    if not shown:
        return False
    cell, printed = shown["best validation"], published.table1()
    ours = {name: fmean(run.test.attributes[name] for run in cell) for name in CELEBA.names}
    others = [printed[method] for method in published.OTHERS if printed[method]]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.5, 10.5), layout="constrained", dpi=130)
        axes = figure.subplots()
        diamond: dict[str, Any] = {
            "linestyle": "", "marker": "D", "markerfacecolor": "none", "markeredgecolor": INK,
        }  # fmt: skip
        height, ticks, titles = 0.0, [], []
        for region in CELEBA.regions:
            ticks.append((height, region))
            titles.append(len(ticks) - 1)
            for name in sorted(CELEBA.in_region(region), key=lambda name: -printed["PSE(b)-Alex"][name]):
                height += 1
                ticks.append((height, name))
                values = [column[name] for column in others]
                axes.plot([min(values), max(values)], [height] * 2, color=_RANGE, linewidth=5, solid_capstyle="butt")
                axes.plot(values, [height] * len(values), "|", color=GREY, markersize=6, markeredgewidth=0.9)
                axes.plot(
                    printed["PSE(b)-Alex"][name],
                    height,
                    "D",
                    markerfacecolor="none",
                    markeredgecolor=INK,
                    markersize=5.5,
                )
                axes.plot(ours[name], height, "o", color="#D55E00", markersize=5)
            height += 1.5
        axes.set_yticks([place for place, _ in ticks], [name for _, name in ticks], fontsize=8.5, color=INK)
        for index in titles:
            axes.get_yticklabels()[index].set(fontweight="bold", color=GREY)
        axes.set_ylim(height - 0.6, -0.8)
        axes.set_xlabel("accuracy, percent")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        plain(axes, "x")
        run = cell[0]
        mine = f"ours: {run.trunk}, {MODULES[run.module]}, {SHORT[run.form]}, {run.data.training_images:,} images"
        marks = {
            mine: Line2D([], [], linestyle="", marker="o", color="#D55E00"),
            "the paper's PSE(b)-Alex": Line2D([], [], **diamond),
            f"the {len(others)} others of Table 1 and their range": Line2D([], [], color=_RANGE, linewidth=5),
        }
        figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=1, frameon=False, fontsize=9)
        other = "" if run.test.images == published.TEST_IMAGES else " (other test faces)"
        figure.suptitle(f"Ours against the printed accuracies, attribute by attribute{other}", fontsize=11)
        save_figure(figure, file)
    return True
