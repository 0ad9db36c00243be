"""Pictures stored as a camera that is held in one of eight ways stores them."""

from __future__ import annotations

from PIL import Image

#: The EXIF tag of orientation.
ORIENTATION = 0x0112

_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def stored(upright: Image.Image, orientation: int) -> tuple[Image.Image, Image.Exif]:
    """Return a picture turned so that its EXIF orientation, 1 to 8, turns it upright again, and that EXIF."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return upright if orientation == 1 else upright.transpose(_STORED[orientation]), exif
