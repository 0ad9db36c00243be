"""How many faces of a library have each attribute, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from facelocus.errors import DataError
from facelocus.reports.figure import GREY, GRID, INK, STYLE, save_figure
from facelocus.search.shares import Shares

_BLUE = "#0072B2"


def draw_shares(rows: Sequence[Shares], file: Path, title: str) -> None:
    """Write a PNG: each attribute's share with its 95 % interval, the largest first.

    Where a share is corrected for the model's error rates, a grey dot says what was counted.

    Raises:
        DataError: there are no attributes.
        StorageError: the file cannot be written.
    """
    if not rows:
        raise DataError(f"{file}: nothing to draw, as no attribute is counted")
    ranked = sorted(rows, key=lambda row: (row.corrected or row.counted).share)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 1.1 + 0.19 * len(rows)), dpi=140, layout="constrained")
        axes = figure.subplots()
        for height, row in enumerate(ranked):
            shown = row.corrected or row.counted
            if row.corrected:
                axes.plot(row.counted.share, height, "o", color=GREY, markersize=3, label="as counted")
            axes.hlines(height, shown.low, shown.high, color=_BLUE, linewidth=1.4)
            face, kind = (
                (_BLUE, "corrected for the model's error rates") if row.corrected else ("white", "not corrected")
            )
            axes.plot(shown.share, height, "o", color=_BLUE, markerfacecolor=face, markersize=5, label=kind)
        axes.set_yticks(range(len(ranked)), [row.attribute.replace("_", " ") for row in ranked], color=INK, fontsize=8)
        axes.set(xlim=(0, 1), ylim=(-0.8, len(ranked) - 0.2), xlabel="share of the faces, with 95 % interval")
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(colors=GREY, length=0, labelsize=8)
        named = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(named.values(), named.keys(), loc="lower right", frameon=False, fontsize=8)
        figure.suptitle(title, fontsize=11, color=INK, x=0.01, ha="left")
        save_figure(figure, file)
