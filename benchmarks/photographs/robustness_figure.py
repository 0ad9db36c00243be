"""The picture of robustness.py. Alone it draws a record again: benchmarks/photographs/robustness_figure.py JSON PNG."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facelocus.reports.figure import GREY, GRID, STYLE, save_figure

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_MARKERS = ("o", "s", "^", "D")


def draw(record: dict[str, Any], out: Path) -> None:
    """Draw a panel a way of getting worse: mean balanced accuracy of each model, with 95 % over people."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(13, 6.2), dpi=130, layout="constrained")
        panels = figure.subplots(2, 4).ravel()
        for axes, (way, about) in zip(panels, record["ways"].items(), strict=False):
            _curve(axes, way, about, record["models"])
        lows, highs = zip(*(axes.get_ylim() for axes in panels[: len(record["ways"])]), strict=True)
        for axes in panels[: len(record["ways"])]:
            axes.set_ylim(min(lows), max(highs))
        for axes in (panels[0], panels[4]):
            axes.set_ylabel("balanced accuracy, percent")
        _hidden(panels[-1], record["models"])
        for axes in panels:
            axes.grid(color=GRID, linewidth=0.8)
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(colors=GREY, length=0, labelsize=8.5)
            axes.set_axisbelow(True)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=4, frameon=False)
        figure.suptitle(
            f"{record['faces']:,} test faces made worse; bars hold 95 % of resampled {record['bootstrap']['over']}",
            fontsize=11,
            x=0.01,
            ha="left",
        )
        save_figure(figure, out)


def _curve(axes: Axes, way: str, about: dict[str, Any], models: dict[str, Any]) -> None:
    for (name, found), colour, marker in zip(models.items(), _COLOURS, _MARKERS, strict=False):
        (whole,) = found["as they are"].values()
        points = {float(level): point["balanced accuracy"] for level, point in found[way].items()}
        levels, estimates = zip(*sorted({**points, about["none"]: whole["balanced accuracy"]}.items()), strict=True)
        middle, low, high = zip(*estimates, strict=True)
        axes.vlines(levels, low, high, color=colour, linewidth=1)
        axes.plot(levels, middle, color=colour, marker=marker, markersize=3.5, linewidth=1.4, label=name)
    axes.axvline(about["none"], color=GREY, linewidth=0.8, linestyle="--")
    if way == "JPEG":
        axes.invert_xaxis()  # all others get worse to the right
    axes.set_title(way, loc="left", fontsize=10.5)
    axes.set_xlabel(about["unit"], fontsize=9)


def _hidden(axes: Axes, models: dict[str, Any]) -> None:
    """Draw what hiding each region leaves of its own attributes, filled, and of the others."""
    regions = list(next(iter(models.values()))["hidden region"])
    apart = 0.5 / len(models)
    for number, (found, colour, marker) in enumerate(zip(models.values(), _COLOURS, _MARKERS, strict=False)):
        for place, region in enumerate(regions):
            height = place + apart * (number - (len(models) - 1) / 2)
            own, others = (found["hidden region"][region][key] for key in ("of its attributes", "of the others"))
            for (middle, low, high), face in ((others, "white"), (own, colour)):
                axes.hlines(height, low, high, color=colour, linewidth=1)
                axes.plot(middle, height, marker, color=colour, markerfacecolor=face, markersize=4)
    axes.set_yticks(range(len(regions)), regions)
    axes.invert_yaxis()
    axes.set_title("hidden region", loc="left", fontsize=10.5)
    axes.set_xlabel("filled: its attributes; white: the others", fontsize=9)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
