"""Pictures to read that are no pictures any more: encoded ones damaged, lying or made to take all memory and time.

A broken picture follows from a seed and its number alone: `broken(number, seed, originals(...))` makes it again.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, features

import bombs

Random = np.random.Generator

#: Mutation -> its share of the pictures.
SHARES = {
    "untouched": 0.02,
    "cut short": 0.2,
    "bits flipped": 0.28,
    "bytes changed": 0.18,
    "spliced": 0.14,
    "absurd header": 0.15,
    "bomb": 0.0295,
    "large": 0.0005,
}

_ABSURD = (0, 1, 2, 3, 7, 255, 256, 32767, 32768, 65535, 65536, 16_000_000, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 64)


def drawn() -> Image.Image:
    """Return something like a face, 96 x 120."""
    image = Image.new("RGB", (96, 120), (90, 120, 150))
    pen = ImageDraw.Draw(image)
    pen.ellipse([18, 16, 78, 104], (225, 180, 150))
    for left in (32, 54):
        pen.ellipse([left, 48, left + 10, 54], (40, 30, 30))
    pen.arc([36, 66, 60, 88], 20, 160, (150, 60, 60), 3)
    return image


def originals(image: Image.Image) -> dict[str, bytes]:
    """Return an RGB picture in every format that is read, and in the kinds of it that are read differently."""
    grey = np.asarray(image.convert("L"))
    wide = Image.fromarray(grey.astype(np.uint16) * 257)
    frames: dict[str, Any] = {"save_all": True, "append_images": [image.rotate(turn) for turn in (90, 180)]}
    turned = Image.Exif()
    turned[0x0112], turned[0x010F] = 6, "maker"
    exif = turned.tobytes()
    alpha = image.copy()
    alpha.putalpha(Image.fromarray(255 - grey))
    found = {
        "JPEG": _saved(image, "JPEG", quality=80),
        "JPEG progressive": _saved(image, "JPEG", progressive=True),
        "JPEG CMYK": _saved(image.convert("CMYK"), "JPEG"),
        "JPEG with EXIF": _saved(image, "JPEG", exif=exif, icc_profile=b"\0" * 500),
        "PNG": _saved(image, "PNG", exif=exif),
        "PNG with alpha": _saved(alpha, "PNG"),
        "PNG 16 bit": _saved(wide, "PNG"),
        "PNG palette": _saved(image.quantize(60), "PNG", transparency=3),
        "PNG interlaced": _interlaced(grey),
        "PNG animated": _saved(image, "PNG", **frames),
        "WebP": _saved(image, "WEBP"),
        "WebP lossless": _saved(alpha, "WEBP", lossless=True, exif=exif),
        "WebP animated": _saved(image, "WEBP", **frames),
        "GIF": _saved(image, "GIF", **frames),
        "TIFF": _saved(image, "TIFF", exif=turned),
        "TIFF LZW": _saved(image, "TIFF", compression="tiff_lzw"),
        "TIFF 16 bit": _saved(wide, "TIFF"),
        "TIFF float": _saved(image.convert("F"), "TIFF"),
        "TIFF pages": _saved(image, "TIFF", **frames, compression="tiff_adobe_deflate"),
        "BMP": _saved(image, "BMP"),
        "BMP palette": _saved(image.quantize(60), "BMP"),
        "PPM": _saved(image, "PPM"),
        "JPEG 2000": _saved(image, "JPEG2000"),
    }
    if features.check("avif"):
        found["AVIF"] = _saved(image, "AVIF", exif=exif, speed=10)
    try:
        import pillow_heif
    except ImportError:
        return found
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, exif=exif)
    return {**found, "HEIC": stream.getvalue()}


def broken(number: int, seed: int, whole: dict[str, bytes]) -> tuple[str, str, bytes]:
    """Return the format of a broken picture, its mutation, and the bytes; `whole` comes from `originals`."""
    random = np.random.default_rng((seed, number))
    mutation = str(random.choice(list(SHARES), p=list(SHARES.values())))
    if mutation in ("bomb", "large"):
        made = bombs.BOMBS if mutation == "bomb" else bombs.LARGE
        kind = str(random.choice(list(made)))
        return kind, mutation, made[kind](random)
    kind = str(random.choice(list(whole)))
    content = whole[kind]
    if mutation == "cut short":
        content = content[: int(random.integers(1, len(content)))]
    elif mutation == "bits flipped":
        content = _flipped(content, random)
    elif mutation == "bytes changed":
        content = _changed(content, random)
    elif mutation == "spliced":
        other = whole[str(random.choice(list(whole)))] if random.random() < 0.5 else whole[_cousin(kind, whole, random)]
        content = content[: int(random.integers(1, len(content)))] + other[int(random.integers(0, len(other))) :]
    elif mutation == "absurd header":
        content = absurd(content, random)
    return kind, mutation, content


def absurd(content: bytes, random: Random) -> bytes:
    """Overwrite one to three of the numbers that a header says (sizes, depths, counts) with absurd ones."""
    fields = _fields(content)
    if not fields:
        return _flipped(content, random)
    changed = bytearray(content)
    for place in random.choice(len(fields), int(random.integers(1, 4))):
        offset, size, order = fields[place]
        value = _ABSURD[int(random.integers(len(_ABSURD)))] if random.random() < 0.8 else int(random.integers(2**32))
        changed[offset : offset + size] = (value % 256**size).to_bytes(size, order)
    if content.startswith(b"\x89PNG"):
        changed[29:33] = struct.pack(">I", zlib.crc32(changed[12:29]))
    return bytes(changed)


def _flipped(content: bytes, random: Random) -> bytes:
    """Half of the time in what is likely to be the header."""
    changed = bytearray(content)
    end = len(content) if random.random() < 0.5 else min(len(content), 400)
    for place in random.integers(0, end, int(2 ** random.integers(0, 7))):
        changed[place] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _changed(content: bytes, random: Random) -> bytes:
    """A run of bytes is replaced, left out, put in, repeated or swapped for zeros."""
    start = int(random.integers(0, len(content)))
    size = int(2 ** random.uniform(0, 10))
    new: bytes = [random.bytes(size), b"", random.bytes(size), content[start : start + size] * 5, b"\0" * size][
        way := int(random.integers(5))
    ]
    return content[:start] + new + content[start if way in (2, 3) else start + size :]


def _cousin(kind: str, whole: dict[str, bytes], random: Random) -> str:
    """Another picture of the same format, or the same where there is none."""
    return str(random.choice([name for name in whole if name.split()[0] == kind.split()[0]]))


def _fields(content: bytes) -> list[tuple[int, int, Any]]:
    """Offset, bytes and byte order of the numbers in a header."""
    big: Any = "big"
    little: Any = "little"
    if content.startswith(b"\xff\xd8"):
        starts = [content.find(marker) for marker in (b"\xff\xc0", b"\xff\xc2")]
        frame = max(starts)
        return [(frame + 5, 2, big), (frame + 7, 2, big), (frame + 9, 1, big), (frame + 4, 1, big), (frame + 2, 2, big)]
    if content.startswith(b"\x89PNG"):
        return [(16, 4, big), (20, 4, big), (24, 1, big), (25, 1, big), (28, 1, big), (33, 4, big)]
    if content.startswith(b"GIF"):
        image = content.find(b"\x2c\0\0\0\0")
        return [(6, 2, little), (8, 2, little), (10, 1, little), (image + 5, 2, little), (image + 7, 2, little)]
    if content.startswith(b"BM"):
        return [(10, 4, little), (14, 4, little), *((18 + 4 * i, 4, little) for i in (0, 1, 3, 7)), (28, 2, little)]
    if content.startswith(b"RIFF"):
        sizes = {b"VP8 ": (26, 28), b"VP8X": (24, 27), b"VP8L": (21, 23)}[content[12:16]]
        return [*((offset, 2, little) for offset in sizes), (4, 4, little), (16, 4, little)]
    if content.startswith(b"P6"):
        return [(3, 2, big), (6, 3, big), (10, 3, big)]
    if content.startswith((b"II", b"MM")):
        return _tiff_fields(content)
    boxes = {b"ispe": (8, 12), b"ihdr": (4, 8, 12), b"\xff\x51": (6, 10, 14, 18, 22, 26), b"iloc": (8,), b"pixi": (8,)}
    return [
        (content.find(box) + offset, 4, big) for box, offsets in boxes.items() if box in content for offset in offsets
    ]


def _tiff_fields(content: bytes) -> list[tuple[int, int, Any]]:
    order: Any = "little" if content.startswith(b"II") else "big"
    start = int.from_bytes(content[4:8], order)
    tags = int.from_bytes(content[start : start + 2], order)
    entries = [start + 2 + 12 * i for i in range(tags)]
    return [(start, 2, order), *(field for at in entries for field in ((at + 8, 4, order), (at + 4, 4, order)))]


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _interlaced(grey: np.ndarray) -> bytes:
    """A grey PNG in Adam7's seven passes, which Pillow reads and does not write."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = b"".join(
        b"\0" + row.tobytes() for top, left, down, across in passes for row in grey[top::down, left::across]
    )
    height, width = grey.shape
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    return bombs.png(bombs.chunk(b"IHDR", head), bombs.chunk(b"IDAT", zlib.compress(rows)))
