"""Small files that would take gigabytes or minutes to read: format and kind -> bytes, with a little chance in each."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

Random = np.random.Generator


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes) -> bytes:
    """Return a PNG of these chunks and the last one."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def png_head(width: int, height: int, depth: int = 8, colours: int = 0) -> bytes:
    """Return the first chunk of a PNG; colours: 0 grey, 2 RGB, 6 RGBA."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0))


def _png_pixels(width: int, height: int, bytes_a_pixel: int) -> bytes:
    return chunk(b"IDAT", _zeros((width * bytes_a_pixel + 1) * height))


@lru_cache
def _zeros(size: int) -> bytes:
    deflate = zlib.compressobj(9)
    piece = bytes(1_000_000)
    parts = [deflate.compress(piece) for _ in range(size // len(piece))]
    return b"".join([*parts, deflate.compress(piece[: size % len(piece)]), deflate.flush()])


_SMALL = png_head(8, 8), chunk(b"IDAT", zlib.compress(bytes(9 * 8)))


def _png_large(random: Random) -> bytes:
    """Truly as large as it says: it must be read or refused, in time and memory."""
    sides = [(14_000, 14_000, 8, 0), (8_000, 8_000, 8, 6), (9_000, 9_000, 16, 0), (7_000, 7_000, 16, 6), (1, 9_999_999)]
    width, height, depth, colours = (*sides[int(random.integers(len(sides)))], 8, 0)[:4]
    width, height = (width, height) if random.random() < 0.8 else (height, width)
    return png(png_head(width, height, depth, colours), _png_pixels(width, height, depth // 8 * {0: 1, 6: 4}[colours]))


def _png_claimed(random: Random) -> bytes:
    width, height = (int(side) for side in 2 ** random.uniform(8, 31, 2))
    return png(png_head(width, height, 8, 2), chunk(b"IDAT", zlib.compress(bytes(1000))))


def _png_text(random: Random) -> bytes:
    inflated = _zeros(int(random.choice([2_000_000, 300_000_000])))
    kinds = {
        b"iCCP": b"profile\0\0" + inflated,
        b"zTXt": b"text\0\0" + inflated,
        b"iTXt": b"text\0\1\0\0\0" + inflated,
        b"tEXt": b"text\0" + bytes(int(random.integers(5_000_000))),
        b"eXIf": exif_bomb(random),
    }
    kind = list(kinds)[int(random.integers(len(kinds)))]
    times = int(random.choice([1, 200])) if kind != b"tEXt" else 1
    return png(_SMALL[0], chunk(kind, kinds[kind]) * times, _SMALL[1])


def _png_frames(random: Random) -> bytes:
    frames = int(random.integers(1, 20_000))
    control = chunk(b"acTL", struct.pack(">II", int(random.choice([frames, 2**31 - 1])), 0))
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 8, 8, 0, 0, 65535, 0, 0, 0))
    return png(_SMALL[0], control, frame * frames, _SMALL[1])


def exif_bomb(random: Random) -> bytes:
    """Return an EXIF block of many entries that all name the same bytes, or entries that make no sense."""
    entries = int(random.choice([1, 20, 2700]))
    rest = 32_000 if entries == 2700 else int(random.integers(64))
    where = 10 + 12 * entries + 4
    body = b"".join(
        struct.pack(
            "<HHII",
            int(random.choice([0x0112, 0x8769, 0x02BC, number])),
            int(random.integers(0, 14)),
            int(random.choice([0, 1, 2, rest, 2**32 - 1])),
            int(random.choice([0, 6, 9, 8, where, 2**32 - 1])),
        )
        for number in range(entries)
    )
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + body + struct.pack("<I", 8) + bytes(rest)


def _with_segments(content: bytes, marker: int, body: bytes, times: int) -> bytes:
    segment = b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body
    return content[:2] + segment * times + content[2:]


def _jpeg_segments(random: Random) -> bytes:
    bodies = [
        (0xE1, b"Exif\0\0" + exif_bomb(random)),
        (0xE2, b"ICC_PROFILE\0\1\xff" + bytes(65_000)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"<" * 65_000),
        (0xFE, bytes(65_000)),
        (0xED, b"Photoshop 3.0\0" + b"8BIM\x03\xed\0\0\0\0\0\0" * 5000),
        (0xE2, b"MPF\0" + exif_bomb(random)),
    ]
    marker, body = bodies[int(random.integers(len(bodies)))]
    return _with_segments(_solid("JPEG", 64, 64), marker, body, int(random.choice([1, 3, 300])))


def _jpeg_scans(random: Random) -> bytes:
    """A progressive JPEG whose last scan is repeated: each visits every pixel."""
    side = int(random.choice([64, 2000, 8000]))
    content = _solid("JPEG", side, side, progressive=True)
    return content[:-2] + content[content.rfind(b"\xff\xda") : -2] * int(random.integers(1, 2000)) + content[-2:]


def _jpeg_large(random: Random) -> bytes:
    side = int(random.choice([8_000, 14_000]))
    return _solid("JPEG", side, side, progressive=bool(random.random() < 0.5))


@lru_cache
def _solid(kind: str, width: int, height: int, mode: str = "L", **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (width, height), 128).save(stream, kind, **options)
    return stream.getvalue()


def _gif(random: Random) -> bytes:
    width, height = int(random.integers(1, 65536)), int(random.integers(1, 65536))
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    image = (
        b"\x2c" + struct.pack("<HHHHB", *(int(side) for side in random.integers(0, 65536, 4)), 0) + b"\x02\x02D\x01\0"
    )
    comment = b"\x21\xfe" + (b"\xff" + bytes(255)) * int(random.choice([0, 20_000])) + b"\0"
    control = b"\x21\xf9\x04\x08\xff\xff\0\0"
    return head + comment + (control + image) * int(random.choice([1, 30_000])) + b";"


def _tiff(entries: list[tuple[int, int, int, int]], rest: bytes = b"", following: int = 0) -> bytes:
    """A TIFF of one directory: tag, type (3 short, 4 long), count, value; `rest` lies behind it."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + struct.pack("<I", following) + rest


def _tiff_pixels(random: Random) -> bytes:
    """Of a size it has not, in strips or tiles, deflated or as they are."""
    width, height = (int(side) for side in 2 ** random.uniform(3, 20, 2))
    tile = int(2 ** random.uniform(2, 17)) // 16 * 16
    count = int(random.choice([1, 1000, 50_000]))
    where = 8 + 2 + 12 * 9 + 4
    places = [(324, 4, count, where), (325, 4, count, where + 4 * count), (322, 4, 1, tile), (323, 4, 1, tile)]
    if random.random() < 0.5:
        places = [(273, 4, count, where), (279, 4, count, where + 4 * count), (278, 4, 1, 1 + tile), (282, 4, 1, 0)]
    zeros = _zeros(int(random.choice([1000, 300_000_000])))
    data = where + 8 * count
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, int(random.choice([1, 8, 16, 32])))]
    entries += [(259, 3, 1, int(random.choice([1, 8]))), (262, 3, 1, 1), *places]
    return _tiff(entries, struct.pack("<I", data) * count + struct.pack("<I", len(zeros)) * count + zeros)


def _tiff_tags(random: Random) -> bytes:
    """So many entries, each of which names the same megabyte."""
    count = int(random.integers(100, 60_000))
    where = 8 + 2 + 12 * count + 4
    entries = [(1000 + number, 1, 1_000_000, where) for number in range(count - 2)]
    return _tiff([(256, 4, 1, 9), (257, 4, 1, 9), *entries], bytes(1_000_000), following=8)


def _webp(random: Random) -> bytes:
    """A canvas of any size, with many small frames or none."""
    width, height = (int(side) for side in 2 ** random.uniform(3, 24, 2))
    frame = b"VP8L" + struct.pack("<I", 14) + bytes.fromhex("2f07c001000710fd8ffe07") + b"\0\0\0"
    anmf = b"ANMF" + struct.pack("<I", 16 + len(frame)) + bytes(6) + bytes([7, 0, 0, 7, 0, 0, 255, 255, 255, 0]) + frame
    canvas = b"\x02\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"VP8X" + struct.pack("<I", 10) + canvas + b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body += anmf * int(random.choice([0, 1, 5000]))
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _webp_large(random: Random) -> bytes:
    return _solid("WEBP", *random.choice([[16_383, 9_000], [8_000, 8_000]]).tolist(), "RGB", lossless=True, method=0)


def _bmp(random: Random) -> bytes:
    """Run lengths that move by more rows and columns than there are."""
    width, height = (int(side) for side in 2 ** random.uniform(3, 27, 2))
    moves = b"\0\2\xff\xff" * int(random.integers(1, 1000))
    palette = bytes(4 * 256)
    return (
        b"BM"
        + struct.pack("<IHHI", 54 + len(palette) + len(moves), 0, 0, 54 + len(palette))
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(moves), 0, 0, 256, 0)
        + palette
        + moves
    )


def _ppm(random: Random) -> bytes:
    """As text or of odd levels, which Pillow reads in Python."""
    kind, side = str(random.choice(["P1", "P2", "P3", "P6", "P5"])), int(random.choice([100, 3000, 60_000]))
    return f"{kind}\n{side} {side}\n{'' if kind == 'P1' else 100}\n".encode() + b"1 " * 2_000_000


#: Format and kind -> what makes one. They are refused from their headers, or soon read.
BOMBS: dict[str, Callable[[Random], bytes]] = {
    "PNG: claimed": _png_claimed,
    "PNG: text": _png_text,
    "PNG: frames": _png_frames,
    "JPEG: segments": _jpeg_segments,
    "JPEG: scans": _jpeg_scans,
    "GIF: any": _gif,
    "TIFF: pixels": _tiff_pixels,
    "TIFF: tags": _tiff_tags,
    "WebP: canvas": _webp,
    "BMP: runs": _bmp,
    "PPM: slow": _ppm,
}

#: Truly as large as they say: seconds each.
LARGE: dict[str, Callable[[Random], bytes]] = {
    "PNG: large": _png_large,
    "JPEG: large": _jpeg_large,
    "WebP: large": _webp_large,
}
