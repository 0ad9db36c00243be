"""Cost against work: points of time or memory, the exponent with which they grow, and their picture."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from facelocus.files import write_record
from facelocus.processes import cores, pool_of
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.reports.figure import GREY, GRID, STYLE, save_figure

_Made = TypeVar("_Made")

#: What is drawn, by cost: the label of its axis, and what one unit of that is.
COSTS = {"seconds": ("seconds", 1.0), "bytes": ("memory added at the peak, GB", 1e9)}

#: So many of the last points are the end of a line: costs that do not grow no longer hide there what does.
END = 3

_COLOURS = ("#2f6f9f", "#d08a3c", "#4f8f5b", "#9a5ea1", "#b5494b", "#6a737d")


def alone(work: Callable[..., _Made], *arguments: object) -> tuple[_Made, int]:
    """Return work(*arguments), done in a process of its own, and how many bytes its memory grew by (Linux).

    What it has loaded before does not count, nor do pages of files or processes of its own.
    """
    pool = pool_of(1)
    try:
        return pool.submit(_with_growth, work, arguments).result()
    finally:
        pool.shutdown()


def _with_growth(work: Callable[..., _Made], arguments: tuple[object, ...]) -> tuple[_Made, int]:
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak begins here
    before = _resident("VmRSS")
    made = work(*arguments)
    return made, _resident("VmHWM") - before


def _resident(which: str) -> int:
    found = re.search(rf"^{which}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return 1024 * int(found.group(1))


def exponent(points: Sequence[Sequence[float]]) -> float:
    """Return p of the cost ~ work^p that fits points (work, cost) best, in logarithms."""
    work, cost = np.log(np.array(points, dtype=np.float64)).T
    return round(float(np.polyfit(work, cost, 1)[0]), 2) + 0.0  # no minus before 0


def lines(cost: str, measured: Mapping[str, Mapping[int, float]]) -> list[dict[str, Any]]:
    """Return a record a line: its name, its cost ("seconds" or "bytes"), its points and exponents.

    Args:
        cost: a key of COSTS.
        measured: name -> work -> cost, at least two of each.
    """
    found = []
    for name, by_work in measured.items():
        points = [[work, float(f"{by_work[work]:.4g}")] for work in sorted(by_work)]
        ends = {"exponent": exponent(points), "exponent_at_the_end": exponent(points[-END:])}
        found.append({"line": name, "cost": cost, "points": points} | ends)
    return found


def keep_costs(
    file: Path, about: Mapping[str, Any], seconds: Mapping[str, Mapping[int, float]],
    peaks: Mapping[str, Mapping[int, float]],
) -> None:  # fmt: skip
    """Write a record and, beside it, its picture.

    Args:
        file: the record; the picture has its name with .png.
        about: what the record says beyond the lines and the machine; "axis" and "about" are drawn.
        seconds, peaks: see `lines`.

    Raises:
        StorageError: a file cannot be written.
    """
    record = {
        "what": "cost",
        **about,
        "lines": lines("seconds", seconds) + lines("bytes", peaks),
        "cores": cores(),
        "device_name": cpu_name(),
        "torch": torch.__version__,
        "date": now(),
        "commit": commit(),
        "versions": versions("torch", "timm", "numpy", "pillow", "onnxruntime"),
    }
    # Minutes of measuring are not to be lost for a folder.
    write_record(file, record)
    draw_cost(record, file.with_suffix(".png"))


def draw_cost(record: Mapping[str, Any], file: Path) -> None:
    """Write a panel a cost, both axes logarithmic; beside each line its name and its exponent over all points.

    Raises:
        StorageError: the file cannot be written.
    """
    import matplotlib

    names = list(dict.fromkeys(line["line"] for line in record["lines"]))
    costs = [cost for cost in COSTS if any(line["cost"] == cost for line in record["lines"])]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.6 * len(costs), 4.4), layout="constrained")
        for cost, axes in zip(costs, figure.subplots(1, len(costs), squeeze=False)[0], strict=True):
            drawn = [line for line in record["lines"] if line["cost"] == cost]
            _panel(axes, cost, drawn, {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)})
            axes.set_xlabel(record["axis"])
        figure.suptitle(f"{record['device_name']}, {record['cores']} cores; {record['about']}", fontsize=8, color=GREY)
        save_figure(figure, file)


def _panel(axes: Axes, cost: str, drawn: Sequence[Mapping[str, Any]], colours: Mapping[str, str]) -> None:
    label, unit = COSTS[cost]
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    values = np.array([point[1] for line in drawn for point in line["points"]]) / unit
    axes.set_ylim(values.min() / 1.6, values.max() * 1.6)
    works = sorted({point[0] for line in drawn for point in line["points"]})
    if len(works) > 1:
        # What is linear goes this way.
        guide = np.array([works[0], works[-1]], dtype=np.float64)
        axes.plot(guide, guide / guide[-1] * values.max(), color=GREY, linewidth=0.8, linestyle=":", zorder=1)
        axes.text(0.98, 0.02, "dotted: linear", transform=axes.transAxes, ha="right", color=GREY, fontsize=8)
    axes.set_xticks(works, [_short(work) for work in works], fontsize=8)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.grid(color=GRID)
    axes.set_axisbelow(True)
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0)
    low, high = np.log(axes.get_ylim())
    last = {line["line"]: (np.log(line["points"][-1][1] / unit) - low) / (high - low) for line in drawn}
    heights = _apart(last, 0.075)
    for line in drawn:
        work, spent = np.array(line["points"], dtype=np.float64).T
        colour = colours[line["line"]]
        axes.plot(work, spent / unit, color=colour, marker="o", markersize=4, linewidth=1.6)
        axes.annotate(
            f"{line['line']}: {line['exponent']:.2f}",
            xy=(work[-1], spent[-1] / unit),
            xytext=(1.05, heights[line["line"]]),
            textcoords="axes fraction",
            color=colour,
            fontsize=9,
            va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "alpha": 0.5},
        )


def _apart(heights: Mapping[str, float], least: float) -> dict[str, float]:
    """Return heights moved up where they are closer than `least`, then all down where they leave the panel."""
    names = sorted(heights, key=lambda name: heights[name])
    placed: dict[str, float] = {}
    for name in names:
        placed[name] = max(heights[name], *(height + least for height in list(placed.values())[-1:]), 0.0)
    over = max(0.0, placed[names[-1]] - 1)
    return {name: height - over for name, height in placed.items()}


def _short(number: int) -> str:
    for unit, letter in ((2**20, "M"), (2**10, "k")):
        if number >= unit and number % unit == 0:
            return f"{number // unit}{letter}"
    return str(number)
