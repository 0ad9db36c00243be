"""Marks of values with their intervals, on axes without what carries nothing."""

from __future__ import annotations

from typing import Literal

from matplotlib.axes import Axes

from facelocus.reports.figure import GRID


def dot(
    axes: Axes, x: float, y: float, bounds: tuple[float, float] | None, colour: str, mark: str, upright: bool = False
) -> None:
    """Draw a value with its interval, which runs along y where upright."""
    if bounds is not None:
        line = ([x, x], list(bounds)) if upright else (list(bounds), [y, y])
        axes.plot(*line, color=colour, linewidth=1.8, solid_capstyle="butt")
    axes.plot(x, y, mark, color=colour, markersize=5.5)


def plain(axes: Axes, grid: Literal["x", "both"]) -> None:
    """Leave out of axes what carries nothing; `grid` is the direction of its lines."""
    axes.grid(axis=grid, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0)
