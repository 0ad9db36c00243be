"""The report's pictures of networks: variants against PSE(b), and what is free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from facelocus.reports.figure import GREY, GRID, INK, STYLE, save_figure
from facelocus.reports.grid.differences import Estimate
from facelocus.reports.grid.marks import dot, plain
from facelocus.reports.localisation.choice import ALLOWED, best, weigh
from facelocus.reports.localisation.comparison import Comparison
from facelocus.reports.localisation.looks import APART, LOST, MAPS, WORDS
from facelocus.reports.localisation.rules import NO, UNJUDGED, YES
from facelocus.reports.localisation.runs import CONTROLS, TOLD, VARIANTS

#: Told apart by the colour blind too (Okabe and Ito), and by their shape.
_CONTROL, _PASSES, _UNSHOWN, _FAILS = (GREY, "D"), ("#009E73", "o"), ("#0072B2", "s"), ("#D55E00", "v")
_STYLES = {YES: _PASSES, NO: _FAILS}
_THROUGH = {"masks": ("#0072B2", "o"), "hirescam": ("#D55E00", "^"), "gradcam": ("#E69F00", "s")}
_BAND = "#f6f7f8"
#: What is read off maps, in points the second.
_LOOKED = (
    "maps on their own regions more\nthan the others are (own less others)",
    "points lost by hiding where maps\nare highest, more than at random",
)


def draw_variants(comparison: Comparison, file: Path) -> bool:
    """Draw each variant's localisation, what hiding its masks loses, and its accuracy against PSE(b)'s, row by row.

    Returns:
        Whether there was a variant beside PSE(b), and where that looks; else no file is written.
    """
    looks = {network: comparison.look((network, "masks"), APART) for network in VARIANTS}
    there = [name for name in VARIANTS if looks[name] or name in comparison.cells]
    if looks["pse_conv"] is None or len(there) < 2:
        return False
    # The controls first, then the variants whose masks lie best on their regions.
    rows = sorted(there, key=lambda name: (name not in CONTROLS, name in CONTROLS or -_value(looks[name])))
    weighed = weigh(comparison)
    styles = {each.variant: _STYLES.get(each.passes, _UNSHOWN) for each in weighed}
    chosen, untold = best(weighed), best([each for each in weighed if each.variant not in TOLD])
    values = (
        looks,
        {name: comparison.look((name, "masks"), LOST) for name in rows},
        {name: comparison.score_less(name, "pse_conv", "mean_accuracy_at_half") for name in rows},
    )
    names = (*_LOOKED, "accuracy less PSE(b)'s,\npoints")
    with matplotlib.rc_context(STYLE):
        figure, panels = aligned([VARIANTS[name].words for name in rows], names, 0.36)
        for axes, of in zip(panels, values, strict=True):
            reference = of.get("pse_conv")
            if reference is not None:
                axes.axvline(reference.value, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
            for height, name in enumerate(rows):
                if (estimate := of.get(name)) is not None:
                    dot(axes, estimate.value, height, estimate.bounds, *styles.get(name, _CONTROL))
        for axes in panels[:2]:
            axes.set_xlim(left=min(0, axes.get_xlim()[0]))
            if "none" in rows:
                axes.text(
                    *(0.98, rows.index("none"), "has no masks"), color=GREY, fontsize=8.5, ha="right", va="center",
                    transform=axes.get_yaxis_transform(), bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
                )  # fmt: skip
        panels[2].axvspan(-ALLOWED, 0, color=GRID, linewidth=0, zorder=0)
        if chosen is not None:
            panels[0].get_yticklabels()[rows.index(chosen.variant)].set_fontweight("bold")
        marks = {
            "passes: looks better than PSE(b), keeps its accuracy, answers rest on it": mark(_PASSES),
            "one of the three is not shown": mark(_UNSHOWN),
            "one of the three is shown not to be": mark(_FAILS),
            "controls (dashed: PSE(b))": mark(_CONTROL),
            f"up to {ALLOWED} points lost": Line2D([], [], color=GRID, linewidth=7),
        }
        legend(figure, marks, 2)
        if chosen is not None:
            found = f"the best is “{VARIANTS[chosen.variant].words}”"
        else:
            found = "not judged yet" if all(each.passes == UNJUDGED for each in weighed) else "none passes"
        if chosen is not untold and untold is not None:
            found += f", and of those not told the regions “{VARIANTS[untold.variant].words}”"
        figure.suptitle(
            f"Where masks look, and what it costs: further right is better, bars are 95 % intervals\n{found}",
            fontsize=11,
        )
        save_figure(figure, file)
    return True


def draw_free(comparison: Comparison, file: Path) -> bool:
    """Draw every network's masks, HiResCAM and Grad-CAM: how they lie on their regions, and what hiding them loses.

    Returns:
        Whether there was one; else no file is written.
    """
    networks = list(dict.fromkeys(network for network, _ in comparison.looks))
    if not networks:
        return False
    with matplotlib.rc_context(STYLE):
        figure, panels = aligned([WORDS[network] for network in networks], _LOOKED, 0.42)
        for axes, of in zip(panels, (APART, LOST), strict=True):
            for network, maps in comparison.looks:
                estimate = comparison.look((network, maps), of)
                if estimate is not None:
                    height = networks.index(network) + 0.22 * (list(MAPS).index(maps) - 1)
                    dot(axes, estimate.value, height, estimate.bounds, *_THROUGH[maps])
            axes.set_xlim(left=min(0, axes.get_xlim()[0]))
        legend(figure, {f"through {words}": mark(_THROUGH[maps]) for maps, words in MAPS.items()})
        figure.suptitle("What any network shows for free, beside its masks: 95 % intervals", fontsize=11)
        save_figure(figure, file)
    return True


def aligned(names: Sequence[str], titles: Sequence[str], height: float) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure of aligned panels, a row a name from the top, each panel with a line at zero and its title."""
    figure = Figure(figsize=(2 + 2.8 * len(titles), 1.7 + height * len(names)), layout="constrained", dpi=150)
    panels: Sequence[Axes] = figure.subplots(1, len(titles), sharey=True, squeeze=False)[0]
    for axes, title in zip(panels, titles, strict=True):
        axes.axvline(0, color=GREY, linewidth=1)
        axes.set_xlabel(title, fontsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        for height_of in range(1, len(names), 2):
            axes.axhspan(height_of - 0.5, height_of + 0.5, color=_BAND, linewidth=0, zorder=0)
        plain(axes, "x")
    panels[0].set_yticks(range(len(names)), names, color=INK)
    panels[0].set_ylim(len(names) - 0.5, -0.6)
    return figure, panels


def legend(figure: Figure, marks: Mapping[str, Line2D], columns: int = 1) -> None:
    """Name marks below a figure."""
    figure.legend(
        list(marks.values()), list(marks), loc="outside lower center", ncols=columns, frameon=False, fontsize=9
    )


def mark(style: tuple[str, str]) -> Line2D:
    """Return the mark of a colour and a shape, for a legend."""
    return Line2D([], [], linestyle="", color=style[0], marker=style[1])


def _value(estimate: Estimate | None) -> float:
    return -np.inf if estimate is None else estimate.value
