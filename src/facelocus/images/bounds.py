"""What is refused from a picture's header, before it is decoded: what would take too much memory or time.

A few bytes can claim a picture of gigabytes, or one that takes minutes to decode.
"""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image

from facelocus.errors import ImageError

#: Largest picture read unless told otherwise: the biggest phone sensors.
MAX_PIXELS = 200_000_000

#: Most memory in bytes that reading one picture may take, the array that is returned included.
MAX_BYTES = 1_500_000_000

#: Largest file read: some formats hold all of it while decoding.
MAX_FILE = 1_000_000_000

# Bytes a pixel at the peak of reading, as measured (tests/images/test_bounds.py); the result is 3 of them.
_HELD = {"GIF": 9, "WEBP": 21, "TIFF": 15, "JPEG2000": 25, "AVIF": 21, "HEIF": 21}
_HELD_ELSE = 7

# Of a JPEG in several scans all coefficients are held, whatever size is decoded from them: of a progressive one, and of
# one whose first scan has not all of its components.
_COEFFICIENT = 2

# Each scan of such a JPEG visits every pixel, at about 2 nanoseconds. Encoders write about 10 scans.
_VISITS = 2_000_000_000

# Decoders and the most pixels they are given, which takes them a second or a few. Three of them Pillow has in Python.
_SLOW = {"bmp_rle": 1_000_000, "ppm": 1_000_000, "ppm_plain": 1_000_000, "jpeg2k": 20_000_000}

# What may follow 0xff in a JPEG's header without a segment: nothing, padding, and markers that have none.
_BARE = {b"", b"\x00", b"\x01", b"\xff", *(bytes([code]) for code in range(0xD0, 0xDA))}

_TILE_WIDTH, _TILE_LENGTH = 322, 323


def check_size(image: Image.Image, name: str, max_pixels: int) -> None:
    """Refuse a picture without pixels or with more than max_pixels.

    Raises:
        ImageError: it is one.
    """
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageError(f"{name} has no pixels ({width} x {height}): export the picture again")
    if width * height > max_pixels:
        size = f"{width} x {height} pixels, more than the limit of {max_pixels:,}"
        raise ImageError(f"{name} has {size}: make it smaller first")


def check_cost(image: Image.Image, name: str, whole: tuple[int, int]) -> None:
    """Refuse a picture, about to be decoded at its size of now, whose decoding takes too much memory or time.

    `whole` is its width and height before a reduction.

    Raises:
        ImageError: it does.
    """
    width, height = image.size
    tiles = getattr(image, "tile", None) or []
    if any(width * height > _SLOW.get(tile[0], width * height) for tile in tiles):
        raise ImageError(f"{name} is stored in a way that is slow to read ({tiles[0][0]}): convert it to JPEG or PNG")
    painted = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (tile[1] for tile in tiles))
    if painted > 5 * width * height:  # CMYK with alpha, plane by plane, paints five times
        raise ImageError(f"{name} is damaged (its parts cover it {painted // (width * height)} times): export it again")
    # A row costs a pointer, a row of one pixel as well.
    held = width * height * _HELD.get(image.format or "", _HELD_ELSE) + 16 * height
    if scans := _scans(image):
        held = max(held, 4 * width * height + whole[0] * whole[1] * _COEFFICIENT * len(image.getbands()))
        if scans * whole[0] * whole[1] > _VISITS:
            kind = "progressive JPEG" if image.info.get("progressive") else "JPEG"
            raise ImageError(f"{name} is a {kind} of {scans} scans: save it as a plain JPEG")
    if image.format == "TIFF":
        tags = getattr(image, "tag_v2", {})
        sides = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_LENGTH, 0)
        if all(isinstance(side, int) for side in sides) and 8 * sides[0] * sides[1] > MAX_BYTES:
            raise ImageError(f"{name} has tiles of {sides[0]} x {sides[1]} pixels: save it with smaller ones")
    if held > MAX_BYTES:
        size = f"{width} x {height} pixels as {image.format or image.mode}"
        raise ImageError(f"{name} has {size}, more than can be read in {MAX_BYTES / 1e9:.1f} GB: make it smaller first")


def _scans(image: Image.Image) -> int:
    """Count the scans of a JPEG that has been opened; 0 if it is read row by row, or decoded already."""
    stream = getattr(image, "fp", None)
    if image.format not in ("JPEG", "MPO") or stream is None:
        return 0
    start = stream.tell()
    try:
        if _in_first_scan(stream) >= getattr(image, "layers", 1) and not image.info.get("progressive"):
            return 0
        content = stream.read(MAX_FILE)  # markers cannot occur in what is encoded
    finally:
        stream.seek(start)
    end = content.find(b"\xff\xd9")
    return 1 + int(content.count(b"\xff\xda", 0, end if end >= 0 else len(content)))


def _in_first_scan(stream: BinaryIO) -> int:
    """Return how many components are in a JPEG's first scan, and leave the stream in its header."""
    stream.seek(2)
    while byte := stream.read(1):
        while byte == b"\xff":
            byte = stream.read(1)
            if byte == b"\xda":
                return int.from_bytes(stream.read(3)[2:], "big")
            if byte not in _BARE:
                stream.seek(max(0, int.from_bytes(stream.read(2), "big") - 2), 1)
    return 0
