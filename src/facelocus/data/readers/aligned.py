"""Whether pictures are aligned faces already, found out by looking at a few."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from facelocus.attributes import FRAME
from facelocus.data.table import ImageStore
from facelocus.images.pixels import orientation

_LOOKED_AT = 16


def share_of_frames(images: ImageStore, names: Sequence[str]) -> float | None:
    """Return how many of up to 16 pictures, spread over `names`, are 178 x 218 upright; None where none opens."""
    some = names[:: -(-len(names) // _LOOKED_AT)]
    there = [name for name, stamp in zip(some, images.stamps(some), strict=True) if stamp >= 0]
    sizes = [size for size in (_size(images, name) for name in there) if size is not None]
    images.close()
    rows, columns, _ = FRAME
    return sizes.count((columns, rows)) / len(sizes) if sizes else None


def _size(images: ImageStore, name: str) -> tuple[int, int] | None:
    try:
        with Image.open(BytesIO(images.read(name))) as image:
            width, height = image.size
            return (height, width) if orientation(image) >= 5 else (width, height)
    except Exception:  # decoders raise whatever their parsing trips over; packing names what is broken
        return None
