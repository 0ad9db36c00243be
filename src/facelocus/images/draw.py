"""The annotated picture: the photograph, and a panel a face with masks by region and attributes as bars.

Masks are drawn on a symmetric scale around each one's mean: red above it, blue below, its range underneath.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from facelocus.attributes import AttributeSet
from facelocus.images.read import RGB

#: Panels are drawn for this many faces; further ones get their box only.
PANELS = 20

_INK, _GREY, _TRACK, _BAR, _MARKED = "#1b1f24", "#6a737d", "#eff1f4", "#c9d8ec", "#8db4e8"
_BOX = "#ff9f1c"
_RED, _BLUE = np.array([214, 39, 40]), np.array([31, 94, 200])

_EDGE = 32  # white around everything, and between the photograph and the panels
_PHOTO = 520  # largest width of the photograph
_CROP = (359, 440)
_TILE = (142, 174)  # a mask, four in a row
_GAP = 16
_CAPTION = 42  # under a mask: its region and its range
_RIGHT = 4 * _TILE[0] + 3 * _GAP
_PANEL = _CROP[0] + _GAP + 9 + _RIGHT
_ROW, _HEADER, _BETWEEN = 25, 28, 12  # a bar, a region's name, the space between regions


class DrawnFace(Protocol):
    """What is drawn of a face; photos.analyze.Face is one."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) in pixels of the photograph."""

    @property
    def landmarks(self) -> npt.NDArray[np.float64] | None:
        """5 x 2 in pixels of the photograph."""

    @property
    def crop(self) -> RGB:
        """Uint8, the frame's size."""

    @property
    def masks(self) -> npt.NDArray[np.float32] | None:
        """R x h x w in [0, 1]."""

    @property
    def attributes(self) -> Mapping[str, float]:
        """Name -> probability."""


def draw_faces(
    image: RGB,
    faces: Sequence[DrawnFace],
    attributes: AttributeSet,
    thresholds: npt.NDArray[np.float32],
) -> Image.Image:
    """Return the annotated picture, RGB.

    Args:
        image: the photograph, uint8 H x W x 3.
        faces: what was found in it.
        attributes: which attributes and regions; its order is that of the faces' masks.
        thresholds: A probabilities, from which an attribute's bar is drawn in the stronger colour.
    """
    photo = _annotated(image, faces)
    panels = [
        _panel(face, f"Face {number}" if len(faces) > 1 else "", attributes, thresholds)
        for number, face in enumerate(faces[:PANELS], 1)
    ]
    height = max(photo.height, sum(panel.height for panel in panels) + _EDGE * max(0, len(panels) - 1))
    width = photo.width + (_EDGE + _PANEL if panels else 0)
    sheet = Image.new("RGB", (width + 2 * _EDGE, height + 2 * _EDGE), "white")
    sheet.paste(photo, (_EDGE, _EDGE))
    top = _EDGE
    for panel in panels:
        sheet.paste(panel, (sheet.width - _EDGE - _PANEL, top))
        top += panel.height + _EDGE
    return sheet


def _annotated(image: RGB, faces: Sequence[DrawnFace]) -> Image.Image:
    """The photograph in its column, with boxes, landmarks and a line underneath."""
    height, width = image.shape[:2]
    scale = min(_PHOTO / width, 2 * _PHOTO / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    photo = Image.fromarray(image).resize(size, Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(photo)
    for number, face in enumerate(faces, 1):
        box = [side * scale for side in face.box]
        pen.rounded_rectangle(box, radius=4, outline=_BOX, width=3)
        dot = min(3.0, (box[2] - box[0]) / 40)
        for x, y in face.landmarks * scale if face.landmarks is not None else ():
            pen.ellipse([x - dot, y - dot, x + dot, y + dot], fill=_BOX, outline="white")
        if len(faces) > 1:
            corner = max(0, box[0]) + 6, max(0, box[1]) + 2
            pen.text(corner, str(number), _BOX, _font(20), stroke_width=2, stroke_fill="white")
    count = {0: "no face found", 1: "1 face"}.get(len(faces), f"{len(faces)} faces")
    more = f", the largest {PANELS} shown" if len(faces) > PANELS else ""
    column = Image.new("RGB", (max(photo.width, 200), photo.height + 32), "white")
    column.paste(photo, (0, 0))
    ImageDraw.Draw(column).text((0, photo.height + 10), count + more, _GREY, _font(16))
    return column


def _panel(face: DrawnFace, title: str, attributes: AttributeSet, thresholds: npt.NDArray[np.float32]) -> Image.Image:
    """One face: its crop, its masks beside it and its bars underneath (without masks: beside it)."""
    crop = Image.fromarray(face.crop).resize(_CROP, Image.Resampling.BICUBIC)
    if face.masks is None:
        parts = [(crop, (0, 0)), (_bars(face, attributes, thresholds, _RIGHT, 2), (_PANEL - _RIGHT, 0))]
        legend = "bars: probability, darker from the threshold on"
    else:
        masks = _masks(face.crop, face.masks, attributes.regions)
        bars = _bars(face, attributes, thresholds, _PANEL, 4)
        top = max(crop.height, masks.height) + _GAP
        parts = [(crop, (0, 0)), (masks, (_PANEL - _RIGHT, 0)), (bars, (0, top))]
        legend = (
            "masks: red above their mean, blue below, range underneath; bars: probability, darker from the threshold on"
        )
    above = _HEADER if title else 0
    height = above + max(top + part.height for part, (_, top) in parts)
    panel = Image.new("RGB", (_PANEL, height + _HEADER), "white")
    pen = ImageDraw.Draw(panel)
    pen.text((0, 0), title, _INK, _font(20))
    for part, (left, top) in parts:
        panel.paste(part, (left, above + top))
    pen.text((0, height + 10), legend, _GREY, _font(14))
    return panel


def _masks(crop: RGB, masks: npt.NDArray[np.float32], regions: Sequence[str]) -> Image.Image:
    """The masks laid over the crop, four in a row, each over its region's name and its range."""
    rows = -(-len(masks) // 4)
    below = _TILE[1] + _CAPTION + 8
    grid = Image.new("RGB", (_RIGHT, rows * below - 8), "white")
    pen = ImageDraw.Draw(grid)
    for place, (mask, region) in enumerate(zip(masks, regions, strict=True)):
        left, top = place % 4 * (_TILE[0] + _GAP), place // 4 * below
        grid.paste(_heat(crop, mask), (left, top))
        pen.text((left, top + _TILE[1] + 4), region, _INK, _font(16))
        pen.text((left, top + _TILE[1] + 23), f"{mask.min():.2f} to {mask.max():.2f}", _GREY, _font(14))
    return grid


def _heat(crop: RGB, mask: npt.NDArray[np.float32]) -> Image.Image:
    """One mask over the grey crop: the stronger the colour, the further from the mask's mean."""
    away = mask - mask.mean()
    furthest = float(np.abs(away).max())
    scaled = Image.fromarray(away / furthest if furthest > 0 else away)
    signed = np.clip(np.asarray(scaled.resize(_TILE, Image.Resampling.BICUBIC)), -1, 1)[:, :, None]
    grey = np.asarray(Image.fromarray(crop).resize(_TILE, Image.Resampling.BICUBIC).convert("L"), np.float32)
    opacity = 0.75 * np.abs(signed)
    colour = np.where(signed > 0, _RED, _BLUE)
    return Image.fromarray(((40 + 0.84 * grey[:, :, None]) * (1 - opacity) + colour * opacity).astype(np.uint8))


def _bars(
    face: DrawnFace, attributes: AttributeSet, thresholds: npt.NDArray[np.float32], width: int, columns: int
) -> Image.Image:
    """The attributes by region in columns of about equal height."""
    sizes = [_HEADER + _BETWEEN + _ROW * len(attributes.in_region(region)) for region in attributes.regions]
    filled = _in_columns(sizes, columns)
    limits = dict(zip(attributes.names, thresholds.tolist(), strict=True))
    bars = Image.new("RGB", (width, max(sum(sizes[i] for i in column) for column in filled)), "white")
    pen = ImageDraw.Draw(bars)
    wide = (width - (columns - 1) * 2 * _GAP) / columns
    for number, column in enumerate(filled):
        left, top = number * (wide + 2 * _GAP), 0
        for region in (attributes.regions[i] for i in column):
            pen.text((left, top + 2), region, _INK, _font(17))
            top += _HEADER
            for name in attributes.in_region(region):
                _bar(pen, left, top, wide, name, face.attributes[name], face.attributes[name] >= limits[name])
                top += _ROW
            top += _BETWEEN
    return bars


def _bar(pen: ImageDraw.ImageDraw, left: float, top: float, wide: float, name: str, value: float, marked: bool) -> None:
    """A row: the bar lies behind the attribute's name and its percentage."""
    bottom, middle = top + _ROW - 4, top + (_ROW - 4) / 2
    pen.rectangle([left, top, left + wide, bottom], _TRACK)
    pen.rectangle([left, top, left + max(1, wide * value), bottom], _MARKED if marked else _BAR)
    ink = _INK if marked else _GREY
    pen.text((left + 6, middle), name.replace("_", " "), ink, _font(15), anchor="lm")
    pen.text((left + wide - 6, middle), f"{value:.0%}", ink, _font(15), anchor="rm")


def _in_columns(sizes: Sequence[int], columns: int) -> list[list[int]]:
    """Break a sequence, in order, into columns of the least height: indices by column, some may be empty."""
    for limit in sorted({sum(sizes[i:j]) for i in range(len(sizes)) for j in range(i + 1, len(sizes) + 1)}):
        filled: list[list[int]] = [[]]
        for index, size in enumerate(sizes):
            if sum(sizes[i] for i in filled[-1]) + size > limit and filled[-1]:
                filled.append([])
            filled[-1].append(index)
        if len(filled) <= columns and all(sum(sizes[i] for i in column) <= limit for column in filled):
            return filled
    raise ValueError("there is nothing to break into columns")


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
