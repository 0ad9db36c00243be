"""The report's picture of regions: each one's own map against the others on it."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

import matplotlib
from matplotlib.lines import Line2D

from facelocus.attributes import CELEBA
from facelocus.reports.figure import GREY, STYLE, save_figure
from facelocus.reports.localisation.comparison import Comparison
from facelocus.reports.localisation.figures import aligned, legend, mark
from facelocus.reports.localisation.records import Records

#: Told apart by the colour blind too (Okabe and Ito).
_MORE, _LESS = "#009E73", "#D55E00"
_HOLLOW: dict[str, Any] = {"linestyle": "", "marker": "o", "markerfacecolor": "white", "markersize": 6, "zorder": 2}


def draw_regions(records: Records, comparison: Comparison, file: Path) -> bool:
    """Draw how much lies on each region of its own map and of the others': of labels alone, and of two models' masks.

    Returns:
        Whether there was one of the three; else no file is written.
    """
    found = _own_and_others(records, comparison)
    if not found:
        return False
    widest = max(value for pairs in found.values() for pair in pairs.values() for value in pair)
    with matplotlib.rc_context(STYLE):
        figure, panels = aligned(CELEBA.regions, list(found), 0.36)
        for axes, pairs in zip(panels, found.values(), strict=True):
            axes.axvline(1, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
            for height, name in enumerate(CELEBA.regions):
                own, others = pairs[name]
                axes.plot([others, own], [height] * 2, color=GREY, linewidth=1.2, zorder=1)
                axes.plot(others, height, color=GREY, **_HOLLOW)
                axes.plot(own, height, "o", color=_MORE if own > others else _LESS, markersize=6.5)
            axes.set_xlim(0, 1.06 * widest)
        marks = {
            "the region's own map, above the others": mark((_MORE, "o")),
            "the region's own map, below the others": mark((_LESS, "o")),
            "the other regions' maps on it, mean": Line2D([], [], color=GREY, **_HOLLOW),
        }
        legend(figure, marks)
        figure.suptitle("How much of a map lies on a region,\nover what an even map has there (dashed: 1)", fontsize=11)
        save_figure(figure, file)
    return True


def _own_and_others(records: Records, comparison: Comparison) -> dict[str, dict[str, tuple[float, float]]]:
    """Return what is measured -> region -> own and others."""
    found = {}
    if records.regions is not None:
        found["pixels regressed on labels,\nwithout a network"] = {
            name: (row.own, row.others) for name, row in records.regions.regions.items()
        }
    if records.shipped is not None:
        found["masks of the\nshipped model"] = {
            name: (row.own[0], row.others[0]) for name, row in records.shipped.regions.items()
        }
    if looks := comparison.looks.get(("pse_conv", "masks")):
        found["masks of PSE(b)\nin the grid"] = {
            name: (fmean(look.regions[name].own[0] for look in looks),
                   fmean(look.regions[name].others[0] for look in looks))
            for name in CELEBA.regions
        }  # fmt: skip
    return found
