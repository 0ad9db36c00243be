"""How far probabilities are right, as a picture: the share of yes over what was predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from facelocus.attributes import AttributeSet
from facelocus.errors import DataError
from facelocus.metrics.accuracy import Floats, Labels, ratio
from facelocus.metrics.calibration import BINS, bin_of
from facelocus.metrics.intervals import interval, resample_means
from facelocus.reports.figure import GREY, GRID, INK, STYLE, save_figure

_BLUE, _PALE = "#0072B2", "#cfdcea"
#: Attributes with a panel of their own.
_WORST = 4
#: Labels that a bin needs for its point: of fewer, the share says nothing.
_LEAST = 20


def draw_reliability(
    labels: Labels,
    probabilities: Floats,
    attributes: AttributeSet,
    calibration: Mapping[str, Any],
    file: Path,
    people: npt.NDArray[np.integer] | None,
    title: str,
) -> None:
    """Write a PNG: all attributes together, and those that are furthest above what chance leaves.

    Points are the bins of the expected calibration error, with 95 % intervals over people (over faces where unknown);
    below them, which share of the labels each bin holds.

    Args:
        labels: int8 N x A, 1 yes, 0 no, -1 unknown.
        probabilities: float N x A in [0, 1].
        calibration: of summarise_calibration, of the same.
        people: N numbers, equal for pictures of one person, or None.
        title: over the picture.

    Raises:
        DataError: no label is known.
        StorageError: the file cannot be written.
    """
    whose = np.arange(len(labels)) if people is None else people
    its = calibration["attributes"]
    measured = [a for a, name in enumerate(attributes.names) if its[name]["error"] is not None]
    if not measured:
        raise DataError(f"{file}: nothing to draw, as no label is known: give labelled faces")
    worst = sorted(measured, key=lambda a: its[attributes.names[a]]["chance"] - its[attributes.names[a]]["error"])
    panels = [("all attributes", measured, {name: calibration[f"mean_{name}"] for name in ("error", "chance")})]
    panels += [(attributes.names[a].replace("_", " "), [a], its[attributes.names[a]]) for a in worst[:_WORST]]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 4.9), dpi=140, layout="constrained")
        places = figure.subplot_mosaic("AABC;AADE", per_subplot_kw={"A": {"box_aspect": 1}})
        for place, panel in zip("ABCDE", panels, strict=False):
            _panel(places[place], panel, labels, probabilities, whose)
        for place in "ABCDE"[len(panels) :]:
            places[place].set_visible(False)
        places["A"].set_xlabel("predicted probability (bars: how often)")
        places["A"].set_ylabel("share labelled yes")
        figure.suptitle(title, fontsize=11, color=INK, x=0.01, ha="left")
        save_figure(figure, file)


def _panel(
    axes: Axes,
    panel: tuple[str, Sequence[int], Mapping[str, float]],
    labels: Labels,
    probabilities: Floats,
    whose: npt.NDArray[np.integer],
) -> None:
    name, columns, error = panel
    means, shares, drawn, weights = _bins(labels[:, columns], probabilities[:, columns], whose)
    low, high = np.array([interval(its) for its in drawn.T]).reshape(-1, 2).T
    axes.bar((np.arange(BINS) + 0.5) / BINS, 0.25 * weights / weights.max(), width=0.9 / BINS, color=_PALE)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    size = 5 if len(columns) > 1 else 3.5
    axes.vlines(means, low, high, color=_BLUE, linewidth=1.2)
    (points,) = axes.plot(means, shares, "o", color=_BLUE, markersize=size, clip_on=False)
    points.set_in_layout(False)  # where no bin has enough labels, they have no place
    kind = "mean error" if len(columns) > 1 else "error"
    said = f"{name}\n{kind} {error['error']:.1f}, by chance {error['chance']:.1f}"
    axes.set_title(said, loc="left", fontsize=9, color=INK)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1))
    axes.grid(color=GRID, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=GREY, length=0, labelsize=8)
    axes.set_axisbelow(True)


def _bins(
    labels: Labels, probabilities: Floats, whose: npt.NDArray[np.integer]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return mean probability, share of yes and that in resamples, by bin with enough labels; and all bins' weights."""
    known = labels != -1
    inside = (bin_of(probabilities)[..., None] == np.arange(BINS)) & known[..., None]
    seen, yes = inside.sum(axis=1), (inside & (labels == 1)[..., None]).sum(axis=1)
    summed = (inside * probabilities[..., None]).sum(axis=(0, 1))
    weights = seen.sum(axis=0).astype(np.float64)
    enough = weights >= _LEAST
    drawn = resample_means(np.concatenate([yes, seen], axis=1).astype(np.float64), whose)
    shares = ratio(yes.sum(axis=0).astype(np.float64), weights)
    return (
        ratio(summed, weights)[enough],
        shares[enough],
        ratio(drawn[:, :BINS], drawn[:, BINS:])[:, enough],
        weights / weights.sum(),
    )
