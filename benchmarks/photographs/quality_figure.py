"""The picture of quality.py. Alone it draws a record again: benchmarks/photographs/quality_figure.py JSON PNG."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from facelocus.reports.figure import GREY, GRID, INK, save_figure

_BLUE, _ORANGE = "#0072B2", "#D55E00"


def draw(record: dict[str, Any], out: Path) -> None:
    """Draw three panels: accuracy over trust, what each kind of change keeps, accuracy with the worst left out."""
    plt.rcParams.update({"font.size": 9.5, "axes.edgecolor": GREY, "text.color": INK, "axes.labelcolor": INK})
    figure, panels = plt.subplots(
        1, 3, figsize=(14, 4.6), layout="constrained", dpi=130, gridspec_kw={"width_ratios": [1, 1.15, 1]}
    )
    _over_trust(panels[0], record)
    _by_kind(panels[1], record["by kind"])
    _left_out(panels[2], record["test faces and copies"])
    for axes in panels:
        axes.grid(color=GRID, linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=GREY, length=0)
        axes.set_axisbelow(True)
    out.parent.mkdir(parents=True, exist_ok=True)
    save_figure(figure, out)


def _over_trust(axes: Axes, record: dict[str, Any]) -> None:
    worst, best = record["accuracy of the commonest answers"], record["by kind"]["as they are"]["accuracy"][0]
    axes.plot([0, 1], [worst, best], color=GREY, linewidth=1, linestyle="--", label="what trust promises")
    for key, colour, marker, name in (
        ("test faces and copies", _BLUE, "o", "test faces and degraded copies, tenths"),
        ("photographs", _ORANGE, "s", "photographs, fifths"),
    ):
        rows = next(value for name_, value in record[key].items() if name_.startswith("by trust"))
        _points(axes, [row["trust"] for row in rows], [row["accuracy"] for row in rows], colour, marker, name)
    axes.set_ylim(top=axes.get_ylim()[1] + 2.5)  # room for the legend
    axes.set_title("Accuracy over trust", loc="left", fontsize=10.5)
    axes.set_xlabel("trust, mean of each group")
    axes.set_ylabel("right answers, percent")
    axes.legend(frameon=False, loc="upper left")


def _by_kind(axes: Axes, kinds: dict[str, Any]) -> None:
    places = range(len(kinds))[::-1]
    rows = list(kinds.values())
    for place, row in zip(places, rows, strict=True):
        axes.plot([row["kept"], row["trust"]], [place, place], color=GRID, linewidth=4, solid_capstyle="round")
    axes.plot([row["kept"] for row in rows], places, "o", color=INK, label="kept, measured")
    axes.plot([row["trust"] for row in rows], places, "D", color=_BLUE, label="trust, mean")
    axes.set_yticks(places, kinds)
    axes.set_xlim(0, 1.05)
    axes.set_title("What each kind of change keeps", loc="left", fontsize=10.5)
    axes.set_xlabel("0 the commonest answers, 1 official crops")
    axes.legend(frameon=False, loc="upper left")


def _left_out(axes: Axes, faces: dict[str, Any]) -> None:
    shares = [int(share) for share in faces["worst left out, percent"]]
    rows = list(faces["worst left out, percent"].values())
    _points(axes, shares, [row["accuracy"] for row in rows], _BLUE, "o", "worst by trust", "-")
    _points(axes, shares, [row["by the model's confidence"] for row in rows], GREY, "^", "worst by confidence", "-")
    axes.set_title("Accuracy with the worst left out", loc="left", fontsize=10.5)
    axes.set_xlabel("left out of test faces and copies, percent")
    axes.set_ylabel("right answers, percent")
    axes.legend(frameon=False, loc="upper left")


def _points(
    axes: Axes, x: list[Any], y: list[list[float]], colour: str, marker: str, label: str, line: str = "none"
) -> None:
    found, low, high = zip(*y, strict=True)
    bars = [[f - lo for f, lo in zip(found, low, strict=True)], [hi - f for f, hi in zip(found, high, strict=True)]]
    axes.errorbar(
        x, found, bars, color=colour, marker=marker, markersize=5, linestyle=line, elinewidth=1.2, label=label
    )


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
