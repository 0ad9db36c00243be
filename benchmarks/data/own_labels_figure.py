"""The worked example of own labels as a picture: accuracy and average precision over the number of labelled faces.

python benchmarks/data/own_labels_figure.py results/own-data/own-labels.json results/weights/default.json OUT.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from facelocus.reports.figure import GREY, GRID, INK, save_figure

_WAYS = {"finetune": ("facelocus train finetune", "#0072B2", "o"), "probe": ("linear probe, ImageNet", "#D55E00", "s")}
_SCORES = {"accuracy": "accuracy, percent", "average_precision": "average precision, percent"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the worked example of own labels.")
    parser.add_argument("result", type=Path)
    parser.add_argument("everything", type=Path, help="evaluation of the weights that were trained on all labels")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    draw(json.loads(options.result.read_text()), json.loads(options.everything.read_text()), options.out)


def draw(result: dict[str, Any], everything: dict[str, Any], out: Path) -> None:
    """Draw one panel a score; bands are 95 % intervals over people, small marks single draws."""
    plt.rcParams.update({"font.size": 10, "axes.edgecolor": GREY, "text.color": INK, "axes.labelcolor": INK})
    figure, panels = plt.subplots(1, 2, figsize=(9.6, 4.2), layout="constrained", dpi=150)
    for axes, (score, title) in zip(panels, _SCORES.items(), strict=True):
        _panel(axes, result["rows"], score)
        axes.set_title(title, loc="left", fontsize=10.5)
        full = sum(everything["attributes"][name][score] for name in result["attributes"]) / len(result["attributes"])
        axes.axhline(full, color=GREY, linewidth=1, linestyle="--")
        axes.annotate(f"trained on all labels {full:.1f}", (50, full), (0, 3), textcoords="offset points",
                      color=GREY, fontsize=9)  # fmt: skip
    least = result["majority_accuracy"]
    panels[0].axhline(least, color=GREY, linewidth=1, linestyle=":")
    panels[0].annotate(f"the commoner answer {least:.1f}", (50, least), (0, 3), textcoords="offset points",
                       color=GREY, fontsize=9)  # fmt: skip
    panels[0].legend(loc="lower right", bbox_to_anchor=(1, 0.14), frameon=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    save_figure(figure, out)


def _panel(axes: Axes, rows: dict[str, Any], score: str) -> None:
    sizes = [int(size) for size in rows]
    for way, (label, colour, marker) in _WAYS.items():
        found = [rows[str(size)][way][score] for size in sizes]
        means = [each["mean"] for each in found]
        low, high = zip(*(each["interval"] for each in found), strict=True)
        axes.fill_between(sizes, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(sizes, means, color=colour, marker=marker, markersize=5, linewidth=1.6, label=label)
        for size, each in zip(sizes, found, strict=True):
            axes.plot([size] * len(each["draws"]), each["draws"], ".", color=colour, markersize=3, alpha=0.7)
        for size, mean in zip(sizes, means, strict=True):
            axes.annotate(f"{mean:.1f}", (size, mean), (7, -13), textcoords="offset points",
                          color=colour, fontsize=9)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xticks(sizes)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.set_xlabel("labelled faces, validation included")
    axes.grid(color=GRID, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=GREY, length=0)
    axes.margins(x=0.12, y=0.12)


if __name__ == "__main__":
    main()
