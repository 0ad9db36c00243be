"""The annotated picture: the photograph, and a panel a face with masks by region and attributes as bars.

Masks are drawn on a symmetric scale around each one's mean: red above it, blue below, its range underneath.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from facelocus.attributes import AttributeSet
from facelocus.images.heatmaps import GAP, GREY, INK, font, mask_grid
from facelocus.images.read import RGB

#: Panels are drawn for this many faces; further ones get their box only.
PANELS = 20

_TRACK, _BAR, _MARKED = "#eff1f4", "#c9d8ec", "#8db4e8"
_BOX = "#ff9f1c"

_EDGE = 32  # white around everything, and between the photograph and the panels
_PHOTO = 520  # largest width of the photograph
_CROP = (359, 440)
_TILE = (142, 174)  # a mask, four in a row
_RIGHT = 4 * _TILE[0] + 3 * GAP
_PANEL = _CROP[0] + GAP + 9 + _RIGHT
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
            pen.text(corner, str(number), _BOX, font(20), stroke_width=2, stroke_fill="white")
    count = {0: "no face found", 1: "1 face"}.get(len(faces), f"{len(faces)} faces")
    more = f", the largest {PANELS} shown" if len(faces) > PANELS else ""
    column = Image.new("RGB", (max(photo.width, 200), photo.height + 32), "white")
    column.paste(photo, (0, 0))
    ImageDraw.Draw(column).text((0, photo.height + 10), count + more, GREY, font(16))
    return column


def _panel(face: DrawnFace, title: str, attributes: AttributeSet, thresholds: npt.NDArray[np.float32]) -> Image.Image:
    """One face: its crop, its masks beside it and its bars underneath (without masks: beside it)."""
    crop = Image.fromarray(face.crop).resize(_CROP, Image.Resampling.BICUBIC)
    if face.masks is None:
        parts = [(crop, (0, 0)), (_bars(face, attributes, thresholds, _RIGHT, 2), (_PANEL - _RIGHT, 0))]
        legend = "bars: probability, darker from the threshold on"
    else:
        masks = mask_grid(face.crop, face.masks, attributes.regions, _TILE)
        bars = _bars(face, attributes, thresholds, _PANEL, 4)
        top = max(crop.height, masks.height) + GAP
        parts = [(crop, (0, 0)), (masks, (_PANEL - _RIGHT, 0)), (bars, (0, top))]
        legend = (
            "masks: red above their mean, blue below, range underneath; bars: probability, darker from the threshold on"
        )
    above = _HEADER if title else 0
    height = above + max(top + part.height for part, (_, top) in parts)
    panel = Image.new("RGB", (_PANEL, height + _HEADER), "white")
    pen = ImageDraw.Draw(panel)
    pen.text((0, 0), title, INK, font(20))
    for part, (left, top) in parts:
        panel.paste(part, (left, above + top))
    pen.text((0, height + 10), legend, GREY, font(14))
    return panel


def _bars(
    face: DrawnFace, attributes: AttributeSet, thresholds: npt.NDArray[np.float32], width: int, columns: int
) -> Image.Image:
    """The attributes by region in columns of about equal height."""
    sizes = [_HEADER + _BETWEEN + _ROW * len(attributes.in_region(region)) for region in attributes.regions]
    filled = _in_columns(sizes, columns)
    limits = dict(zip(attributes.names, thresholds.tolist(), strict=True))
    bars = Image.new("RGB", (width, max(sum(sizes[i] for i in column) for column in filled)), "white")
    pen = ImageDraw.Draw(bars)
    wide = (width - (columns - 1) * 2 * GAP) / columns
    for number, column in enumerate(filled):
        left, top = number * (wide + 2 * GAP), 0
        for region in (attributes.regions[i] for i in column):
            pen.text((left, top + 2), region, INK, font(17))
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
    ink = INK if marked else GREY
    pen.text((left + 6, middle), name.replace("_", " "), ink, font(15), anchor="lm")
    pen.text((left + wide - 6, middle), f"{value:.0%}", ink, font(15), anchor="rm")


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
