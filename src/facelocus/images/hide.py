"""Parts of a face hidden, or all but parts: what a network can still tell says where it had looked."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from facelocus.images.read import RGB

#: Deviation in pixels of the frame of the blur that hides: of an eye nothing is left.
BLUR = 12.0


def parts(ranks: npt.NDArray[np.floating], share: float, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return where the highest share of a map lies: bool N x height x width.

    Args:
        ranks: N x h x w, drawn smoothly between its cells.
        share: of the pixels, in (0, 1).
        size: (height, width).
    """
    height, width = size
    chosen = np.zeros((len(ranks), height, width), bool)
    count = round(share * height * width)
    for part, map_ in zip(chosen, ranks, strict=True):
        smooth = Image.fromarray(np.asarray(map_, np.float32)).resize((width, height), Image.Resampling.BICUBIC)
        highest = np.argpartition(np.asarray(smooth).reshape(-1), -count)[-count:]
        part.reshape(-1)[highest] = True
    return chosen


def cover(frames: RGB, how: Literal["blur", "grey"] = "blur") -> RGB:
    """Return what hides frames, uint8 N x H x W x 3: each blurred, or its mean colour."""
    covers = np.empty_like(frames)
    for i, frame in enumerate(frames):
        if how == "blur":
            covers[i] = np.asarray(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(BLUR)))
        else:
            covers[i] = frame.mean(axis=(0, 1)).round()
    return covers


def hide(frames: RGB, where: npt.NDArray[np.bool_], covers: RGB) -> RGB:
    """Return frames, uint8 N x H x W x 3, with their covers where it says: bool N x H x W."""
    return np.where(where[..., None], covers, frames)
