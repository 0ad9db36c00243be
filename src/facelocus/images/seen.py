"""What part of the aligned frame a network sees, which is what its masks cover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facelocus.images.read import RGB


def seen_share(network: Mapping[str, Any]) -> tuple[float, float]:
    """Return the share of the frame's height and width, around its middle, that a network sees.

    Args:
        network: what a model file says of it; with a "crop", as in the paper's recipes, it sees so much of its "size".
    """
    crop = network.get("crop")
    return (crop[0] / network["size"][0], crop[1] / network["size"][1]) if crop else (1.0, 1.0)


def seen_part(picture: RGB, share: tuple[float, float]) -> RGB:
    """Return the middle of a picture of the frame, uint8 of any size, to whole pixels."""
    top, left = (round(side * (1 - part) / 2) for side, part in zip(picture.shape[:2], share, strict=True))
    return picture[top : picture.shape[0] - top, left : picture.shape[1] - left]
