"""The masks of a face laid over it, one a region: the paper's figure 5, and their means over many faces.

A mask is drawn on a symmetric scale around its own mean: red above it, blue below, its range underneath.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from facelocus.attributes import FRAME
from facelocus.images.align import LANDMARKS
from facelocus.images.read import RGB
from facelocus.images.seen import seen_part

#: What the annotated picture shares: its inks, and the space between two masks.
INK, GREY, GAP = "#1b1f24", "#6a737d", 16

_RED, _BLUE = np.array([214, 39, 40]), np.array([31, 94, 200])

_COLUMNS = 4
_CAPTION = 42  # under a picture: what it is and its range
_EDGE = 32  # white around everything, and between faces
_TILE = (214, 262)
_TITLE = 32
_RAMP = (120, 14)
_FLAT = 1e-6  # a mask that differs by less is the same everywhere, up to rounding
_FINE = 4  # pixels of the drawn head for each one of the frame


def draw_heatmaps(faces: Sequence[tuple[RGB, npt.NDArray[np.float32]]], regions: Sequence[str]) -> Image.Image:
    """Return the sheet of one or more faces below each other: each as the network saw it, then its masks over it.

    Args:
        faces: of each what the network saw (images.seen), uint8 of any size, and the masks, R x h x w in [0, 1].
        regions: R names, in the order of the masks.
    """
    titles = [f"Face {number}" if len(faces) > 1 else "" for number in range(1, len(faces) + 1)]
    return _sheet(
        [_row(crop, title, "input", masks, regions) for (crop, masks), title in zip(faces, titles, strict=True)]
    )


def draw_mean_masks(record: Mapping[str, Any]) -> Image.Image:
    """Return the sheet of mean masks over a drawn head, from what `facelocus heatmaps --data --json` writes alone."""
    title = f"Mean masks of {record['model']['name']} over {record['images']:,} {record['split']} faces"
    masks = np.array(record["masks"], np.float32)
    head = seen_part(drawn_head(), record.get("share of the frame", (1, 1)))
    return _sheet([_row(head, title, "the aligned frame", masks, record["regions"])])


def mask_grid(under: RGB, masks: npt.NDArray[np.float32], regions: Sequence[str], tile: tuple[int, int]) -> Image.Image:
    """Return the masks laid over a picture, four in a row, each over its region's name and its range.

    Args:
        under: the face, uint8 of any size.
        masks: R x h x w in [0, 1]; R may be any number.
        regions: R names.
        tile: width and height in which a mask is drawn.
    """
    wide, high = tile
    below = high + _CAPTION + 8
    size = _COLUMNS * wide + (_COLUMNS - 1) * GAP, -(-len(masks) // _COLUMNS) * below - 8
    grid = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(grid)
    for place, (mask, region) in enumerate(zip(masks, regions, strict=True)):
        left, top = place % _COLUMNS * (wide + GAP), place // _COLUMNS * below
        grid.paste(heat(under, mask, tile), (left, top))
        pen.text((left, top + high + 4), region, INK, font(16))
        pen.text((left, top + high + 23), f"{mask.min():.2f} to {mask.max():.2f}", GREY, font(14))
    return grid


def heat(under: RGB, mask: npt.NDArray[np.floating], tile: tuple[int, int]) -> Image.Image:
    """Return one mask, h x w, over a picture in grey: the stronger the colour, the further from the mask's mean."""
    away = np.asarray(mask - mask.mean(), np.float32)
    furthest = float(np.abs(away).max())
    scaled = Image.fromarray(away / furthest if furthest > _FLAT else np.zeros_like(away))
    signed = np.clip(np.asarray(scaled.resize(tile, Image.Resampling.BICUBIC)), -1, 1)[:, :, None]
    grey = np.asarray(Image.fromarray(under).resize(tile, Image.Resampling.BICUBIC).convert("L"), np.float32)
    opacity = 0.75 * np.abs(signed)
    colour = np.where(signed > 0, _RED, _BLUE)
    return Image.fromarray(((40 + 0.84 * grey[:, :, None]) * (1 - opacity) + colour * opacity).astype(np.uint8))


def drawn_head() -> RGB:
    """Return a head drawn in lines around the landmarks of the aligned frame: uint8 872 x 712 x 3, nobody's picture."""
    rows, columns, _ = FRAME
    canvas = Image.new("RGB", (_FINE * columns, _FINE * rows), "white")
    pen = ImageDraw.Draw(canvas)

    def arc(x: float, y: float, wide: float, high: float, start: float, end: float) -> None:
        """Of the ellipse around (x, y) with these half axes, in pixels of the frame; clockwise from the right."""
        box = [_FINE * side for side in (x - wide, y - high, x + wide, y + high)]
        pen.arc(box, start, end, "#555555", round(1.5 * _FINE))

    left, right, nose, _, corner = LANDMARKS.tolist()
    middle, half_mouth = columns / 2, corner[0] - columns / 2
    arc(middle, 120, 44, 66, 330, 210)  # jaw and temples
    arc(middle, 87, 38.5, 15, 180, 360)  # hairline
    arc(middle, 98, 51, 54, 165, 15)  # hair
    arc(nose[0], nose[1] + 1.5, 5, 4, 20, 160)
    arc(middle, corner[1], half_mouth, 4, 180, 360)
    arc(middle, corner[1], half_mouth, 8, 0, 180)
    arc(middle, corner[1] - 1.5, half_mouth, 3, 25, 155)
    for side, (x, y) in ((-1, left), (1, right)):
        arc(x, y, 9, 5, 0, 360)
        arc(x, y, 3, 3, 0, 360)
        arc(x, y - 6, 12, 8, 210, 330)  # brow
        outer, below, above = ((90, 270), (0, 90), (180, 270)) if side < 0 else ((270, 90), (90, 180), (270, 360))
        arc(middle + side * 45, 123, 7, 13, *outer)  # ear
        arc(nose[0] + side * 5, nose[1], 4, 4, *outer)
        arc(middle + side * 69, 178, 45, 31, *below)  # neck
        arc(middle + side * 69, 238, 40, 30.5, *above)  # shoulder
    return np.asarray(canvas)


def _row(under: RGB, title: str, caption: str, masks: npt.NDArray[np.float32], regions: Sequence[str]) -> Image.Image:
    """The picture by itself, and right of it its masks."""
    grid = mask_grid(under, masks, regions, _TILE)
    above = _TITLE if title else 0
    row = Image.new("RGB", (_TILE[0] + GAP + grid.width, above + grid.height), "white")
    pen = ImageDraw.Draw(row)
    pen.text((0, 0), title, INK, font(20))
    row.paste(Image.fromarray(under).resize(_TILE, Image.Resampling.BICUBIC), (0, above))
    pen.text((0, above + _TILE[1] + 4), caption, INK, font(16))
    row.paste(grid, (_TILE[0] + GAP, above))
    return row


def _sheet(rows: Sequence[Image.Image]) -> Image.Image:
    """Rows below each other, and the scale of their colours."""
    height = sum(row.height + _EDGE for row in rows) + _RAMP[1]
    sheet = Image.new("RGB", (rows[0].width + 2 * _EDGE, height + 2 * _EDGE), "white")
    top = _EDGE
    for row in rows:
        sheet.paste(row, (_EDGE, top))
        top += row.height + _EDGE
    white = np.full((1, 1, 3), 255, np.uint8)
    sheet.paste(heat(white, np.linspace(-1, 1, _RAMP[0])[None], _RAMP), (_EDGE, top))
    legend = (
        "a mask against its own mean: blue below it, red above it, strongest at the place furthest from it; "
        "underneath, its lowest and highest weight"
    )
    ImageDraw.Draw(sheet).text((_EDGE + _RAMP[0] + 10, top + _RAMP[1] / 2), legend, GREY, font(14), anchor="lm")
    return sheet


@lru_cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font in a size in pixels."""
    return ImageFont.load_default(size)
