"""Two pictures of labels: how often each attribute is yes, and which attributes occur together."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from facelocus.attributes import AttributeSet
from facelocus.data.table import SPLITS, FaceTable
from facelocus.reports.figure import GREY, GRID, INK, save_figure

_UNKNOWN = "#c9cdd2"
_YES = {"train": "#0072B2", "validation": "#009E73", "test": "#D55E00"}
_ROWS = 65_536  # rows multiplied at once: sums of so many ones are exact in single precision
_WRITTEN = 12  # attributes up to which the coefficients are written into their squares
_PIXELS = 5_000  # the most of a picture's longer side: names stay readable up to 300 attributes


def draw_frequencies(table: FaceTable, file: Path) -> None:
    """Write a PNG with a column of bars for each split that has rows: percent yes and percent unknown by attribute.

    Attributes are grouped by region and sorted by their share in the first column.

    Raises:
        StorageError: the file cannot be written.
    """
    shares = {split: _shares(table, split) for split in SPLITS if (table.splits == SPLITS.index(split)).any()}
    first, _ = next(iter(shares.values()))
    places, titles, end = _by_region(table.attributes, first)
    height = 0.17 * end + 1.5
    width = _inches(table.attributes) + 2.7 * max(2, len(shares))
    room = ConstrainedLayoutEngine(wspace=0.1, rect=(0, 0, 1 - 0.45 / width, 1))  # for the numbers beside the bars
    figure = Figure(figsize=(width, height), dpi=_dpi(height), layout=room)
    panels = np.atleast_1d(figure.subplots(1, len(shares), sharey=True))
    for axes, (split, (yes, unknown)) in zip(panels, shares.items(), strict=True):
        _bars(axes, places, yes, unknown, _YES[split])
        rows = np.count_nonzero(table.splits == SPLITS.index(split))
        axes.set_title(f"{split}, {rows:,} rows", color=_YES[split], fontsize=9.5, loc="left")
        if split != next(iter(shares)):
            axes.vlines(first, places - 0.4, places + 0.4, color=INK, linewidth=1.1)
    _name(panels[0], table.attributes, places, titles)
    panels[0].set_ylim(end + 0.2, -0.9)
    legend = [Patch(color=GREY, label="yes"), Patch(color=_UNKNOWN, label="unknown")]
    if len(shares) > 1:
        legend.append(Patch(color=INK, label=f"line: yes in {next(iter(shares))}"))
    figure.legend(handles=legend, loc="outside lower center", ncols=3, frameon=False, fontsize=8.5)
    figure.suptitle("How often each attribute is yes, percent of the rows of a split", fontsize=11, color=INK)
    save_figure(figure, file)


def _shares(table: FaceTable, split: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    labels = table.labels[table.splits == SPLITS.index(split)]
    return 100 * np.mean(labels == 1, axis=0), 100 * np.mean(labels == -1, axis=0)


def _by_region(
    attributes: AttributeSet, key: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], dict[str, float], float]:
    """Return the height of each attribute's bar, of each region's title, and the last one, counted downwards."""
    places, titles, height = np.empty(len(attributes)), {}, 0.0
    for region in attributes.regions:
        titles[region] = height
        columns = [column for column, its in enumerate(attributes.region_of) if its == region]
        columns.sort(key=lambda column: -key[column])
        places[columns] = height + 1 + np.arange(len(columns))
        height += len(columns) + 1.4
    return places, titles, height - 0.4


def _bars(
    axes: Axes,
    places: npt.NDArray[np.float64],
    yes: npt.NDArray[np.float64],
    unknown: npt.NDArray[np.float64],
    colour: str,
) -> None:
    axes.barh(places, yes, height=0.72, color=colour)
    axes.barh(places, unknown, left=100 - unknown, height=0.72, color=_UNKNOWN)
    for place, share in zip(places, yes, strict=True):
        axes.text(103, place, _percent(share), va="center", fontsize=7, color=INK).set_in_layout(False)
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 50, 100])
    axes.xaxis.set_major_formatter(PercentFormatter())
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set_color(GREY)
    axes.tick_params(length=0, labelsize=8, colors=GREY)


def _percent(share: float) -> str:
    return f"{share:.1f}" if share >= 1 or share == 0 else f"{share:.2g}"


def _name(axes: Axes, attributes: AttributeSet, places: npt.NDArray[np.float64], titles: dict[str, float]) -> None:
    names = [*attributes.names, *titles]
    axes.set_yticks([*places, *titles.values()], names, fontsize=8, color=INK)
    for label in axes.get_yticklabels()[len(attributes) :]:
        label.set(fontweight="bold", color=GREY)


def draw_co_occurrence(table: FaceTable, file: Path) -> None:
    """Write a PNG with the phi coefficient of every two attributes over all rows, grouped by region.

    Raises:
        StorageError: the file cannot be written.
    """
    phi = co_occurrence(table.labels)
    order, ends = _similar_together(table.attributes, phi)
    count = len(order)
    np.fill_diagonal(phi, np.nan)
    strongest = np.nanmax(np.abs(phi)) if np.isfinite(phi).any() else 0.0
    limit = max(0.2, math.ceil(10 * strongest) / 10)
    side, label = 0.19 * max(count, 12), _inches(table.attributes)
    figure = Figure(figsize=(side + label + 1.8, side + label + 1.4), dpi=_dpi(side + label), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor(_UNKNOWN)
    shown = phi[np.ix_(order, order)]
    picture = axes.pcolormesh(shown, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes.set(aspect="equal", xlim=(0, count), ylim=(count, 0))
    names, middles = [table.attributes.names[column] for column in order], np.arange(count) + 0.5
    axes.set_xticks(middles, names, rotation=90, fontsize=8, color=INK)
    axes.set_yticks(middles, names, fontsize=8, color=INK)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if count <= _WRITTEN:
        for (row, column), value in np.ndenumerate(shown):
            if np.isfinite(value):
                ink = "white" if abs(value) > 0.6 * limit else INK
                written = f"{value.round(2) + 0:.2f}"  # + 0: no minus before 0.00
                axes.text(column + 0.5, row + 0.5, written, ha="center", va="center", fontsize=7, color=ink)
    for end in ends[:-1]:
        axes.axhline(end, color=INK, linewidth=0.8)
        axes.axvline(end, color=INK, linewidth=0.8)
    for end, start, region in zip(ends, [0, *ends], table.attributes.regions, strict=False):
        axes.text(count * 1.01, (start + end) / 2, region, va="center", fontsize=8.5, color=GREY)
    bar = figure.colorbar(picture, ax=axes, location="bottom", shrink=min(1, 3.5 / side), aspect=30, pad=0.02)
    meaning = "phi coefficient: 1 always together, 0 unrelated, -1 never together\ngrey: itself, or never varies"
    bar.set_label(meaning, fontsize=8.5)
    bar.ax.tick_params(labelsize=8)
    figure.suptitle(f"Which attributes occur together, {len(table):,} rows", fontsize=11, color=INK)
    save_figure(figure, file)


def co_occurrence(labels: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """Return the phi coefficient of every two columns over the rows where both are known.

    Args:
        labels: int8, N x A: 1 yes, 0 no, -1 unknown.

    Returns:
        float64, A x A in [-1, 1]; NaN where one of the two does not vary.
    """
    count = labels.shape[1]
    both, first, known = (np.zeros((count, count)) for _ in range(3))
    for start in range(0, len(labels), _ROWS):
        part = labels[start : start + _ROWS]
        yes, seen = (part == 1).astype(np.float32), (part >= 0).astype(np.float32)
        both += yes.T @ yes
        first += yes.T @ seen
        known += seen.T @ seen
    second = first.T
    spread = np.sqrt(first * (known - first)) * np.sqrt(second * (known - second))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (known * both - first * second) / spread, np.nan)


def _similar_together(attributes: AttributeSet, phi: npt.NDArray[np.float64]) -> tuple[list[int], list[int]]:
    """Return columns by region, within one by the first eigenvector of its phi, and where each region ends."""
    order: list[int] = []
    ends: list[int] = []
    for region in attributes.regions:
        columns = np.array([column for column, its in enumerate(attributes.region_of) if its == region])
        _, vectors = np.linalg.eigh(np.nan_to_num(phi[np.ix_(columns, columns)]))
        order += columns[np.argsort(vectors[:, -1], kind="stable")].tolist()
        ends.append(len(order))
    return order, ends


def _inches(attributes: AttributeSet) -> float:
    """Return about how wide the longest name is at 8 points."""
    return 0.3 + 0.068 * max(map(len, (*attributes.names, *attributes.regions)))


def _dpi(inches: float) -> float:
    return min(120, _PIXELS / inches)
