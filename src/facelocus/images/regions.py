"""Where the regions of CelebA's attributes lie in the aligned frame: one soft map each.

Drawn from the landmarks of the frame and the proportions of a mean head, not from any mask: they say what a sub-network
is named for, and are what masks are measured against (facelocus.metrics.localisation). Edges are soft, as nothing on a
face ends at a line.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from facelocus.attributes import CELEBA, FRAME
from facelocus.errors import UsageError
from facelocus.images.align import LANDMARKS

Maps = npt.NDArray[np.float32]

#: Deviation of the blur of the edges, in pixels of the frame: from 0.16 to 0.84 within twice as much.
SOFT = 4.0

# Drawn so many times larger, so that lines do not fall on whole pixels.
_FINE = 4

_LEFT, _RIGHT, _NOSE, _CORNER, _ = (tuple(point) for point in LANDMARKS.tolist())
_MIDDLE = FRAME[1] / 2
_EYES, _MOUTH = _LEFT[1], _CORNER[1]
_APART = _RIGHT[0] - _LEFT[0]  # distance between the eyes, the unit of a head's proportions
_CHIN = _MOUTH + 0.85 * _APART
_HAIRLINE = _EYES - 0.9 * _APART

#: Region -> ellipses that are added or taken away in turn: (+1 or -1, x, y, half width, half height), in pixels of the
#: frame. An ellipse with a negative sign takes away what was there.
_Ellipse = tuple[int, float, float, float, float]
ELLIPSES: dict[str, tuple[_Ellipse, ...]] = {
    # From the hairline to the chin, and from ear to ear.
    "whole face": ((1, _MIDDLE, (_HAIRLINE + _CHIN) / 2, 1.15 * _APART, (_CHIN - _HAIRLINE) / 2),),
    # Around the head down to the shoulders, without the face under the fringe.
    "hair": (
        (1, _MIDDLE, _EYES - 0.1 * _APART, 1.75 * _APART, 2.25 * _APART),
        (-1, _MIDDLE, _MOUTH - 0.1 * _APART, 1.0 * _APART, 1.75 * _APART),
    ),
    # Both eyes with their brows and the skin below them, and the bridge that glasses rest on.
    "eyes": (
        (1, _LEFT[0] - 0.05 * _APART, _EYES - 0.05 * _APART, 0.6 * _APART, 0.5 * _APART),
        (1, _RIGHT[0] + 0.05 * _APART, _EYES - 0.05 * _APART, 0.6 * _APART, 0.5 * _APART),
    ),
    "nose": ((1, _NOSE[0], _NOSE[1] - 0.2 * _APART, 0.42 * _APART, 0.68 * _APART),),
    # The cheekbones, and beside them sideburns, ears and what hangs from them.
    "cheeks and ears": tuple(
        (1, _MIDDLE + side * x * _APART, y, wide * _APART, high * _APART)
        for side in (-1, 1)
        for x, y, wide, high in (
            (0.68, _NOSE[1] + 0.05 * _APART, 0.42, 0.5),
            (1.22, _NOSE[1] - 0.05 * _APART, 0.32, 0.95),
        )
    ),
    # The lips and the skin above them, where a moustache grows.
    "mouth": ((1, _MIDDLE, _MOUTH, 0.78 * _APART, 0.36 * _APART),),
    # Below the lips, along the jaw and under it.
    "chin": (
        (1, _MIDDLE, _CHIN - 0.25 * _APART, 1.0 * _APART, 0.62 * _APART),
        (-1, _MIDDLE, _MOUTH - 0.25 * _APART, 0.78 * _APART, 0.45 * _APART),
    ),
    # Below the chin, as wide as a collar.
    "neck": (
        (1, _MIDDLE, FRAME[0] + 0.1 * _APART, 1.5 * _APART, 1.0 * _APART),
        (-1, _MIDDLE, _CHIN - 0.6 * _APART, 1.0 * _APART, 0.7 * _APART),
    ),
}


@lru_cache
def _whole_map(region: str) -> Maps:
    return _drawn(ELLIPSES[region])


@lru_cache
def region_maps(regions: tuple[str, ...] = CELEBA.regions, size: tuple[int, int] = FRAME[:2]) -> Maps:
    """Return how far each pixel, or cell, of the frame belongs to each region: float32 R x h x w in [0, 1], read-only.

    Args:
        regions: names of CelebA's regions; every map stands for itself, regions may overlap.
        size: (h, w) of the maps, over the whole frame: a cell has the mean of its pixels.

    Raises:
        UsageError: a region is not one of CelebA's, so that nothing is known of where it lies.
    """
    unknown = [name for name in regions if name not in ELLIPSES]
    if unknown:
        raise UsageError(f"where the region {unknown[0]!r} lies is not known: known are {', '.join(ELLIPSES)}")
    maps = [_whole_map(name) for name in regions]
    if size != FRAME[:2]:
        shrunk = [Image.fromarray(each).resize(size[::-1], Image.Resampling.BOX) for each in maps]
        maps = [np.asarray(each, np.float32) for each in shrunk]
    stacked = np.stack(maps)
    stacked.setflags(write=False)
    return stacked


def _drawn(ellipses: tuple[_Ellipse, ...]) -> Maps:
    height, width, _ = FRAME
    # A margin, so that the frame's edge is no edge of the region.
    margin = round(4 * SOFT)
    canvas = Image.new("L", (_FINE * (width + 2 * margin), _FINE * (height + 2 * margin)))
    pen = ImageDraw.Draw(canvas)
    for sign, x, y, wide, high in ellipses:
        box = [_FINE * (side + margin) for side in (x - wide, y - high, x + wide, y + high)]
        pen.ellipse(box, fill=255 if sign > 0 else 0)
    soft = canvas.filter(ImageFilter.GaussianBlur(_FINE * SOFT)).reduce(_FINE)
    inside = np.asarray(soft, np.float32)[margin : margin + height, margin : margin + width]
    return inside / np.float32(255)
