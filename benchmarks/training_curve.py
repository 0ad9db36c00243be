"""The course of a run, or of runs that follow each other, as a picture: loss by region, and validation accuracy.

python benchmarks/training_curve.py METRICS.jsonl... OUT.png
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
from matplotlib.ticker import FuncFormatter, NullFormatter

_INK, _GREY, _GRID = "#1b1f24", "#6a737d", "#e6e8eb"
#: One colour a region, told apart by the colour blind too (after Okabe and Ito; the eighth grey).
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A6A00", "#6a737d")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("metrics", type=Path, nargs="+", help="metrics.jsonl of run folders, in order")
    parser.add_argument("out", type=Path, help="the picture, PNG")
    arguments = parser.parse_args()
    lines: list[dict[str, Any]] = []
    for path in arguments.metrics:
        step, epoch = (lines[-1]["step"], max(line.get("epoch", 0) for line in lines)) if lines else (0, 0)
        for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            moved = {"step": line["step"] + step} | ({"epoch": line["epoch"] + epoch} if "epoch" in line else {})
            lines.append(line | moved)
    draw([line for line in lines if "loss" in line], [line for line in lines if "validation" in line], arguments.out)


def draw(losses: list[dict[str, Any]], validations: list[dict[str, Any]], out: Path) -> None:
    """Draw the lines of a metrics.jsonl: those with a loss, and those with a validation (may be none)."""
    plt.rcParams.update({"font.size": 10, "axes.edgecolor": _GREY, "text.color": _INK, "axes.labelcolor": _INK})
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(8, 6.6), sharex=True, height_ratios=(3, 2), layout="constrained", dpi=150
    )
    steps_an_epoch = losses[-1]["step"] / losses[-1]["epoch"]
    _losses(above, losses)
    _validation(below, validations)
    for axes in (above, below):
        axes.grid(color=_GRID, linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=_GREY, which="both", length=0)
    below.set_xlabel("step")
    below.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
    epochs = above.secondary_xaxis(
        "top", functions=(lambda step: step / steps_an_epoch, lambda epoch: epoch * steps_an_epoch)
    )
    epochs.set_xlabel("epoch")
    epochs.tick_params(colors=_GREY, length=0)
    epochs.spines["top"].set_visible(False)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)


def _losses(axes: Axes, losses: list[dict[str, Any]]) -> None:
    """One line a region, named at its end; logarithmic, so that equal distances are equal ratios."""
    steps = [line["step"] for line in losses]
    regions = list(losses[-1]["loss_by_region"])
    for region, colour in zip(regions, _COLOURS, strict=True):
        axes.plot(steps, [line["loss_by_region"][region] for line in losses], color=colour, linewidth=1.6)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks([0.25, 0.5, 1, 2, 4])
    axes.set_ylabel("training loss, summed over\nthe region's attributes")
    last = losses[-1]["loss_by_region"]
    for region, height in _apart({region: _fraction(axes, last[region]) for region in regions}).items():
        colour = _COLOURS[regions.index(region)]
        axes.text(1.015, height, region, color=colour, transform=axes.transAxes, va="center", fontsize=9.5)


def _fraction(axes: Axes, value: float) -> float:
    """Return a loss's height in the axes, 0 to 1."""
    return float(axes.transAxes.inverted().transform(axes.transData.transform((0, value)))[1])


def _apart(heights: dict[str, float], least: float = 0.062) -> dict[str, float]:
    """Move labels up where they would overlap the one below."""
    placed: dict[str, float] = {}
    lowest = -1.0
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        lowest = max(height, lowest + least)
        placed[name] = lowest
    return placed


def _validation(axes: Axes, validations: list[dict[str, Any]]) -> None:
    """Accuracy and balanced accuracy of the averaged weights at a threshold of one half."""
    steps = [line["step"] for line in validations]
    for key, title, colour in (
        ("mean_accuracy", "accuracy", "#0072B2"),
        ("mean_balanced_accuracy", "balanced\naccuracy", "#D55E00"),
    ):
        values = [line["validation"][key] for line in validations]
        axes.plot(steps, values, color=colour, linewidth=1.6, marker="o", markersize=4)
        for step, value in zip(steps, values, strict=True):
            axes.annotate(
                f"{value:.1f}", (step, value), (0, 7), textcoords="offset points", ha="center", color=colour, fontsize=9
            )
        if values:
            place = axes.get_yaxis_transform()
            axes.text(1.015, values[-1], title, color=colour, transform=place, va="center", fontsize=9.5)
    axes.margins(y=0.25)
    axes.set_ylabel("validation, percent\n(threshold 0.5)")


if __name__ == "__main__":
    main()
