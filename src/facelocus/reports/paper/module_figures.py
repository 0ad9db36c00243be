"""The report's pictures of modules against none: the main comparisons, and their controls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from facelocus.reports.figure import GREY, INK, STYLE, save_figure
from facelocus.reports.grid.differences import METRICS, Resamples
from facelocus.reports.grid.marks import dot, plain
from facelocus.reports.paper.conditions import Condition, Family
from facelocus.reports.paper.figures import SHORT
from facelocus.reports.paper.gains import GAINS, TRUNKS
from facelocus.reports.paper.runs import MODULES

#: Told apart by the colour blind too (Okabe and Ito), and by their shape.
_MARKS = {"squeeze_excitation": ("#009E73", "^"), "pse_fully_connected": ("#E69F00", "s"), "pse_conv": ("#0072B2", "o")}

Row = tuple[Family, Condition]


def draw_modules(of: Sequence[Family], resamples: Resamples, file: Path) -> bool:
    """Draw each main comparison: points of accuracy and balanced accuracy that each module adds to none.

    Returns:
        Whether there was one; else no file is written.
    """
    rows = [(family, condition) for family in of for condition in family.conditions if condition.main]
    return _draw(rows, resamples, file, "What each module adds to none, in points with 95 % intervals")


def draw_controls(of: Sequence[Family], resamples: Resamples, file: Path) -> bool:
    """Draw the main comparisons that have a control, with their controls; returns as draw_modules."""
    rows = [(family, condition) for family in of if len(family.weighed) > 1 for condition in family.weighed]
    return _draw(rows, resamples, file, "What is left of it under fair controls, in points with 95 % intervals")


def _draw(rows: Sequence[Row], resamples: Resamples, file: Path, title: str) -> bool:
    if not rows:
        return False
    lines = _lines(rows)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 1.6 + 0.27 * lines[-1][0]), layout="constrained", dpi=150)
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, name in zip(panels, ("accuracy", "balanced accuracy"), strict=True):
            axes.axvline(0, color=GREY, linewidth=1)
            axes.set_xlabel(f"{name} less none's, points")
            axes.xaxis.set_major_locator(MaxNLocator(6))
            plain(axes, "x")
        for height, _, row, module in lines:
            if row is None or module is None:
                continue
            family, condition = row
            for axes, metric in zip(panels, METRICS, strict=True):
                estimate = resamples.difference(condition.cells[module], condition.cells["none"], metric)
                if estimate is not None:
                    dot(axes, estimate.value, height, estimate.bounds, *_MARKS[module])
            for (its, paper), claimed in GAINS.items():
                if its == module and family.trunk in TRUNKS[paper]:
                    panels[0].plot(claimed, height, "D", markerfacecolor="none", markeredgecolor=INK, markersize=6)
        panels[0].set_yticks([line[0] for line in lines], [line[1] for line in lines], fontsize=9, color=INK)
        for label, (_, _, row, module) in zip(panels[0].get_yticklabels(), lines, strict=True):
            if row is None:
                label.set(fontweight="bold", fontsize=10)
            elif module is None:
                label.set_color(GREY)
        panels[0].set_ylim(lines[-1][0] + 0.7, -0.7)
        if any(family.trunk in ours for family, _ in rows for ours in TRUNKS.values()):
            claim = Line2D([], [], linestyle="", marker="D", markerfacecolor="none", markeredgecolor=INK)
            figure.legend([claim], ["the paper's claim"], loc="outside lower center", frameon=False, fontsize=9)
        figure.suptitle(title, fontsize=11)
        save_figure(figure, file)
    return True


def _lines(rows: Sequence[Row]) -> list[tuple[float, str, Row | None, str | None]]:
    """Return height, name, row and module of each line: a family's has no row, a condition's no module."""
    found: list[tuple[float, str, Row | None, str | None]] = []
    height, above = 0.0, None
    for family, condition in rows:
        if family is not above:
            above, height = family, height + 0.4 * bool(found)
            found.append(
                (height, f"{family.trunk}, {SHORT[family.form]}, {family.iterations:,} iterations", None, None)
            )
            height += 1
        found.append((height, condition.title, (family, condition), None))
        for module in list(condition.cells)[1:]:
            height += 0.8
            found.append((height, MODULES[module], (family, condition), module))
        height += 1.2
    return found
