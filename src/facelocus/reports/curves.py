"""The course of runs as a picture: losses and validations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from facelocus.errors import InputError
from facelocus.reports.figure import GREY, GRID, STYLE, save_figure
from facelocus.reports.runs import FIGURES, Run

_FAINT = "#c3c9d0"
#: Told apart by the colour blind too (after Okabe and Ito; the eighth grey); beyond them, dashed.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A6A00", "#6a737d")
_STYLES = [(colour, dash) for dash in ("-", (0, (4, 1.5))) for colour in _COLOURS]
#: Runs that get a colour and a label: the newest. Those before them are thin grey lines.
_LABELLED = 12
_TITLES = {"mean_accuracy": "accuracy", "mean_balanced_accuracy": "balanced\naccuracy"}
#: Share of the width that a number needs.
_ROOM = 0.06
_VALIDATED = ", percent\n(threshold 0.5)"

_Numbers = npt.NDArray[np.float64]
#: The name of a line: where it ends (x, y), and its colour.
_Ends = dict[str, tuple[float, float, str]]


def draw_runs(runs: Sequence[Run], out: Path) -> None:
    """Draw runs, oldest first, to a PNG.

    One run, or runs each of which starts from the weights of the one before, are drawn as one course: the loss of each
    region, and the validations. Others are laid over each other, by epochs or, with unlike numbers of images, by steps;
    one that starts from another's weights, on the same data, begins where that one ended.

    Raises:
        InputError: no run has a line of metrics yet.
        StorageError: the picture cannot be written.
    """
    begun = [run for run in runs if run.losses]
    if not begun:
        raise InputError(f"{out}: nothing to draw, as no run has a line of metrics yet: wait for its first 50 steps")
    before = _predecessors(begun)
    with matplotlib.rc_context(STYLE):
        figure = _course(begun) if _is_chain(begun, before) else _overlay(begun, before)
        save_figure(figure, out)


def _predecessors(runs: Sequence[Run]) -> dict[str, Run]:
    """Return, by name, the run whose weights a run starts from, where that is among them and of the same data."""
    found = {}
    for run in runs:
        for other in runs:
            if run.record.get("from") == other.record and _images(run) == _images(other):
                found[run.name] = other
    return found


def _images(run: Run) -> tuple[str, int]:
    """Return what a run's data are called and how many; their fingerprint changes with the form of the Pack too."""
    return run.record["data"]["description"], run.record["data"]["training_images"]


def _is_chain(runs: Sequence[Run], before: Mapping[str, Run]) -> bool:
    """Whether each run follows the one before it, with epochs of as many steps."""
    return all(
        before.get(run.name) is earlier and run.steps_an_epoch == earlier.steps_an_epoch
        for earlier, run in pairwise(runs)
    )


def _course(runs: Sequence[Run]) -> Figure:
    losses: list[dict[str, Any]] = []
    validations: list[dict[str, Any]] = []
    begin = 0
    for run in runs:
        losses += [line | {"step": line["step"] + begin} for line in run.losses]
        validations += [line | {"step": line["step"] + begin} for line in run.validations]
        begin += run.steps
    figure = Figure(figsize=(8, 6.6 if validations else 4.4), layout="constrained", dpi=150)
    panels = figure.subplots(
        2 if validations else 1, 1, sharex=True, squeeze=False, height_ratios=(3, 2) if validations else (1,)
    )[:, 0]
    _regions(panels[0], losses)
    if validations:
        _validations(panels[1], validations)
    for axes in panels:
        _plain(axes)
    panels[-1].set_xlabel("step")
    panels[-1].xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
    each = runs[-1].steps_an_epoch
    epochs = panels[0].secondary_xaxis("top", functions=(lambda step: step / each, lambda epoch: epoch * each))
    epochs.set_xlabel("epoch")
    epochs.tick_params(colors=GREY, length=0)
    epochs.spines["top"].set_visible(False)
    return figure


def _regions(axes: Axes, losses: list[dict[str, Any]]) -> None:
    """One line a region, named at its end."""
    steps = [line["step"] for line in losses]
    ends: _Ends = {}
    for index, region in enumerate(losses[-1]["loss_by_region"]):
        colour, dash = _STYLES[index % len(_STYLES)]
        values = _numbers([line["loss_by_region"].get(region) for line in losses])
        axes.plot(steps, values, color=colour, linestyle=dash, linewidth=1.6)
        ends |= _end(region, steps, values, colour)
    _logarithmic(axes)
    axes.set_ylabel("training loss, summed over\nthe region's attributes")
    _label(axes, ends)


def _validations(axes: Axes, validations: list[dict[str, Any]]) -> None:
    """Accuracy and balanced accuracy of the averaged weights at a threshold of one half."""
    steps = [line["step"] for line in validations]
    ends: _Ends = {}
    for figure, colour in zip(FIGURES, ("#0072B2", "#D55E00"), strict=True):
        values = _numbers([line["validation"][figure] for line in validations])
        axes.plot(steps, values, color=colour, linewidth=1.6, marker="o", markersize=4)
        # All values where there is room for them, else the highest and the last.
        known = np.flatnonzero(np.isfinite(values))
        few = known if len(known) <= 12 else {known[np.argmax(values[known])], known[-1]}
        # Beside the next one there is no room.
        width = _ROOM * (steps[-1] - steps[0])
        for index in [at for at in few if at == known[-1] or steps[at + 1] - steps[at] > width]:
            axes.annotate(
                f"{values[index]:.1f}", (steps[index], values[index]), (0, 7), textcoords="offset points", ha="center",
                color=colour, fontsize=9,
            )  # fmt: skip
        ends |= _end(_TITLES[figure], steps, values, colour)
    axes.margins(y=0.25)
    axes.set_ylabel("validation" + _VALIDATED)
    _label(axes, ends, least=0.22)


def _overlay(runs: Sequence[Run], before: Mapping[str, Run]) -> Figure:
    figures = FIGURES if any(run.validations for run in runs) else ()
    older = max(0, len(runs) - _LABELLED)
    # An epoch is the same only on the same number of images.
    unit = "epoch" if len({run.record["data"]["training_images"] for run in runs}) == 1 else "step"
    figure = Figure(figsize=(9, 3.4 * (1 + len(figures))), layout="constrained", dpi=150)
    panels = figure.subplots(1 + len(figures), 1, sharex=True, squeeze=False)[:, 0]
    for axes, key in zip(panels, [None, *figures], strict=True):
        ends: _Ends = {}
        for index, run in enumerate(runs, -older):
            lines = run.validations if key else run.losses
            if not lines:
                continue
            places = [_begin(run, before, unit) + line[unit] for line in lines]
            values = _numbers([line["validation"][key] if key else line["loss"] for line in lines])
            colour, dash = _STYLES[index] if index >= 0 else (_FAINT, "-")
            axes.plot(places, values, color=colour, linestyle=dash, linewidth=1.6 if index >= 0 else 1,
                      marker="o" if key else "", markersize=4 if index >= 0 else 2)  # fmt: skip
            if index >= 0:
                ends |= _end(run.name, places, values, colour)
        if key is None:
            _logarithmic(axes)
        axes.margins(y=0.1)
        title = _TITLES[key].replace("\n", " ") if key else ""
        axes.set_ylabel(
            f"validation {title},\npercent (threshold 0.5)" if key else "training loss,\nsummed over attributes"
        )
        _plain(axes)
        _label(axes, ends, least=0.075)
    panels[-1].xaxis.set_major_formatter(FuncFormatter(lambda place, _: f"{place:,g}"))
    panels[-1].set_xlabel(unit + (f"   (grey: {older} older runs)" if older else ""))
    return figure


def _begin(run: Run, before: Mapping[str, Run], unit: str) -> float:
    """Return the epoch or step at which a run starts: where the one before it ended."""
    earlier = before.get(run.name)
    if earlier is None:
        return 0.0
    return _begin(earlier, before, unit) + earlier.steps / (earlier.steps_an_epoch if unit == "epoch" else 1)


def _end(name: str, x: Sequence[float], values: _Numbers, colour: str) -> _Ends:
    """Return the last point of a line that is a number; nothing where none is."""
    known = np.flatnonzero(np.isfinite(values))
    return {name: (x[known[-1]], float(values[known[-1]]), colour)} if len(known) else {}


def _numbers(values: Sequence[float | None]) -> _Numbers:
    return np.array(values, dtype=np.float64)


def _plain(axes: Axes) -> None:
    axes.grid(color=GRID, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=GREY, which="both", length=0)


def _logarithmic(axes: Axes) -> None:
    """Equal distances are equal ratios; marked are powers of two, of ten over a wide range, quarters over a narrow."""
    axes.set_yscale("log", base=2)
    low, high = axes.get_ylim()
    base = 2 if high < 64 * low else 10
    axes.yaxis.set_major_locator(LogLocator(base=base, subs=(1,) if high > 4 * low else (1, 1.25, 1.5, 1.75)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _label(axes: Axes, ends: _Ends, least: float = 0.062) -> None:
    """Write each name to the right of the axes in its line's colour, at the height of its end (x, y, colour).

    A thin line leads there from the end. The axes hold all their lines by now.
    """
    axes.get_ylim()  # has the limits follow the lines
    to_axes = axes.transData + axes.transAxes.inverted()
    places = {name: to_axes.transform((x, y)) for name, (x, y, _) in ends.items()}
    for name, height in _apart({name: float(place[1]) for name, place in places.items()}, least).items():
        x, y, colour = ends[name]
        axes.annotate(
            _short(name),
            (x, y),
            (1.015, height),
            textcoords="axes fraction",
            color=colour,
            va="center",
            fontsize=9.5,
            arrowprops={"arrowstyle": "-", "color": colour, "linestyle": ":", "linewidth": 0.8, "relpos": (0, 0.5)}
            | {"shrinkA": 1, "shrinkB": 1},
        )


def _apart(heights: Mapping[str, float], least: float) -> dict[str, float]:
    """Move labels as little as keeps them `least` apart, in order and within the axes (0 to 1).

    Less the room that the labels below need, heights must not fall: those that do are averaged, which is isotonic
    regression.
    """
    names = sorted(heights, key=lambda name: heights[name])
    groups: list[list[float]] = []
    for index, name in enumerate(names):
        groups.append([heights[name] - index * least])
        while len(groups) > 1 and np.mean(groups[-2]) > np.mean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    moved = [float(np.mean(group)) for group in groups for _ in group]
    highest = max(0.0, 1 - (len(names) - 1) * least)
    return {name: min(max(moved[index], 0.0), highest) + index * least for index, name in enumerate(names)}


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:13]}…{name[-14:]}"
