"""A decoded picture of any mode -> uint8 RGB, upright: strip by strip, so that only the result is held beside it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

_ORIENTATION = 0x0112

# What turns a picture of each EXIF orientation upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pixels of a strip: pictures of phones, once reduced, are one.
_STRIP = 4_000_000

# 16 bits -> 8.
_TO_8_BITS = np.rint(np.arange(65536) / 257).astype(np.uint8)


def orientation(image: Image.Image) -> int:
    """Return the picture's EXIF orientation, 1 to 8; 1 (upright) where it says none or nonsense."""
    # A damaged EXIF block raises whatever its parsing trips over; the picture is no worse for it.
    try:
        found = image.getexif().get(_ORIENTATION)
    except Exception:
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def upright_rgb(image: Image.Image, turned: int = 1) -> npt.NDArray[np.uint8]:
    """Return a loaded picture as uint8 H x W x 3, turned upright from its EXIF orientation `turned` (1 to 8).

    Alpha is laid on white. Numbers of more than 8 bits are scaled to 8; where the format leaves open what is white
    (floats, 32 bits), it is 1, 255 or 65535, the first that none exceeds.
    """
    width, height = image.size
    upright = np.empty((width, height, 3) if turned >= 5 else (height, width, 3), dtype=np.uint8)
    full = _white(image) if image.mode in ("I", "F") else None
    for top, strip in _strips(image):
        bottom = top + strip.height
        rgb = _rgb(strip) if full is None else _scaled(strip, full)
        if turned > 1:
            rgb = rgb.transpose(_TURNS[turned])
        place = slice(height - bottom, height - top) if turned in (3, 4, 6, 7) else slice(top, bottom)
        upright[(slice(None), place) if turned >= 5 else place] = np.asarray(rgb)
    return upright


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield the picture in parts of full width, each with its first row."""
    rows = max(1, _STRIP // image.width)
    if rows >= image.height:
        yield 0, image
        return
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _rgb(strip: Image.Image) -> Image.Image:
    if strip.mode.startswith("I;16"):
        return Image.fromarray(_TO_8_BITS[np.asarray(strip)]).convert("RGB")
    if strip.has_transparency_data:
        layer = strip.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return strip if strip.mode == "RGB" else strip.convert("RGB")


def _scaled(strip: Image.Image, full: int) -> Image.Image:
    grey = np.clip(np.rint(_numbers(strip) * (255 / full)), 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def _numbers(strip: Image.Image) -> npt.NDArray[np.float64]:
    with np.errstate(all="ignore"):  # some NaNs complain about being copied
        numbers: npt.NDArray[np.float64] = np.nan_to_num(np.asarray(strip, dtype=np.float64), posinf=65535, neginf=0)
    return numbers


def _white(image: Image.Image) -> int:
    most = max(_numbers(strip).max() for _, strip in _strips(image))
    return next((white for white in (1, 255) if most <= white), 65535)
