"""A header alone refuses what would take too much memory or time; what is allowed takes no more than is counted."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from facelocus.errors import ImageError
from facelocus.images import bounds
from facelocus.images.read import read_image, read_reduced
from faces import draw_face


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _refusal(content: bytes, longest: int | None = None) -> str:
    start = time.process_time()  # on a busy machine too, unlike the clock
    with pytest.raises(ImageError) as caught:
        read_reduced(content, longest)
    assert time.process_time() - start < 2
    return str(caught.value)


def _apart(picture: Image.Image) -> bytes:
    """A baseline JPEG with one scan for each component, all coded by the tables of a grey one."""
    bands = [_saved(band, "JPEG") for band in picture.convert("YCbCr").split()]
    head, _, _ = bands[0].partition(b"\xff\xda")
    frame = head.index(b"\xff\xc0")
    sides = head[frame + 5 : frame + 9]
    three = b"\xff\xc0\0\x11\x08" + sides + b"\3" + b"".join(bytes([k, 0x11, 0]) for k in (1, 2, 3))
    scans = b""
    for k, band in enumerate(bands, start=1):
        encoded = band[band.index(b"\xff\xda") + 10 : -2]
        scans += b"\xff\xda\0\x08\1" + bytes([k, 0]) + b"\0\x3f\0" + encoded
    return head[:frame] + three + head[frame + 13 :] + scans + b"\xff\xd9"


def _tiff(width: int, height: int, *entries: tuple[int, int, int, int], rest: bytes = b"") -> bytes:
    every = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (262, 3, 1, 1), *entries]
    body = b"".join(struct.pack("<HHII", *entry) for entry in every)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(every)) + body + bytes(4) + rest


def test_a_picture_is_refused_by_the_memory_it_would_take_not_by_its_pixels_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = Image.new("RGB", (2000, 1000))
    monkeypatch.setattr(bounds, "MAX_BYTES", 30_000_000)
    assert read_image(_saved(image, "PNG")).shape == (1000, 2000, 3)
    assert _refusal(_saved(image, "WEBP")).endswith(
        "has 2000 x 1000 pixels as WEBP, more than can be read in 0.0 GB: make it smaller first"
    )


def test_a_jpeg_counts_as_large_as_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = _saved(Image.new("RGB", (2000, 1600)), "JPEG")
    monkeypatch.setattr(bounds, "MAX_BYTES", 3_000_000)
    assert read_reduced(content, 500)[0].shape == (400, 500, 3)
    assert "2000 x 1600" in _refusal(content)
    progressive = _saved(Image.new("RGB", (2000, 1600)), "JPEG", progressive=True)
    assert "500 x 400" in _refusal(progressive, 500), "its coefficients are held at full size"


def test_rows_cost_memory_however_short_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_BYTES", 2_000_000)
    assert "1 x 100000 pixels" in _refusal(_saved(Image.new("L", (1, 100_000)), "PNG"))
    assert read_image(_saved(Image.new("L", (100_000, 1)), "PNG")).shape == (1, 100_000, 3)


def test_a_progressive_jpeg_of_many_scans_is_refused_and_one_of_a_few_read() -> None:
    content = _saved(Image.new("L", (2000, 2000), 90), "JPEG", progressive=True)
    assert read_image(content).shape == (2000, 2000, 3)
    scan = content[content.rfind(b"\xff\xda") : -2]
    assert "is a progressive JPEG of 100" in _refusal(content[:-2] + scan * 1000 + content[-2:])
    small = _saved(Image.new("L", (16, 16), 90), "JPEG", progressive=True)
    assert read_image(small + b"a film\xff\xda" * 10_000_000).shape == (16, 16, 3), "what follows is no scan"


def test_a_plain_jpeg_whose_components_lie_apart_is_counted_as_a_progressive_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    face = Image.fromarray(draw_face(3)).resize((2000, 1600))
    content = _apart(face)
    assert np.abs(read_image(content).astype(int) - np.asarray(face)).mean() < 3
    scan = content[content.rfind(b"\xff\xda") : -2]
    assert "is a JPEG of 1003 scans" in _refusal(content[:-2] + scan[:12] * 1000 + content[-2:])
    monkeypatch.setattr(bounds, "MAX_BYTES", 3_000_000)
    assert "500 x 400" in _refusal(content, 500), "its coefficients are held at full size"


def test_scans_are_counted_behind_the_thumbnail_in_the_header() -> None:
    content = _saved(Image.new("L", (2000, 2000), 90), "JPEG", progressive=True)
    scan = content[content.rfind(b"\xff\xda") : -2]
    several = _saved(Image.new("L", (8, 8)), "MPO", save_all=True, append_images=[Image.new("L", (8, 8))])
    pictures = several[several.index(b"MPF\0") - 4 :]
    (length,) = struct.unpack(">H", pictures[2:4])
    thumbnail = b"\xff\xe1\0\x08" + b"\xff\xd8\xff\xd9\0\0"
    crafted = content[:2] + thumbnail + pictures[: 2 + length] + content[2:-2] + scan * 1000 + content[-2:]
    with Image.open(BytesIO(crafted)) as image:
        assert image.format == "MPO"
    assert "is a progressive JPEG of 100" in _refusal(crafted)


@pytest.mark.parametrize("kind", ["P1", "P2", "P5"])
def test_what_only_python_decodes_is_read_while_small(kind: str) -> None:
    levels = "" if kind == "P1" else " 100"
    pixels = b"\1" * 100_000 if kind == "P5" else b"1 " * 100_000
    assert read_image(f"{kind} 300 300{levels}\n".encode() + pixels).shape == (300, 300, 3)
    assert "is stored in a way that is slow to read (ppm" in _refusal(f"{kind} 3000 3000{levels}\n".encode() + pixels)


def test_run_lengths_cannot_ask_for_rows_without_end() -> None:
    head = struct.pack("<IiiHHIIiiII", 40, 20_000_000, 9, 1, 8, 1, 400, 0, 0, 256, 0)
    content = b"BM" + struct.pack("<IHHI", 1500, 0, 0, 54 + 1024) + head + bytes(1024) + b"\0\2\xff\xff" * 100
    assert "slow to read (bmp_rle)" in _refusal(content)


def test_tiles_larger_than_memory_are_refused() -> None:
    content = _tiff(100, 100, (322, 4, 1, 60_000), (323, 4, 1, 60_000), (324, 4, 1, 8), (325, 4, 1, 99))
    assert "has tiles of 60000 x 60000 pixels" in _refusal(content)


def test_parts_that_paint_the_picture_over_and_over_are_refused() -> None:
    count, where = 3000, 8 + 2 + 12 * 7 + 4
    offsets = struct.pack("<I", 8) * count
    content = _tiff(900, 900, (322, 4, 1, 899), (323, 4, 1, 900), (324, 4, count, where), rest=offsets + bytes(900**2))
    assert "its parts cover it" in _refusal(content)


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "large.jpg"
    with file.open("wb") as stream:
        stream.truncate(bounds.MAX_FILE + 1)  # takes no space
    with pytest.raises(ImageError, match="is larger than 1 GB"):
        read_image(file)


_MEASURE = """
import sys
from pathlib import Path
import numpy as np
from facelocus.images import bounds, pixels, read
pixels._STRIP = 100_000
def most():
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
Path("/proc/self/clear_refs").write_text("5")
before = most()
picture = read.read_image(sys.argv[1])
print((most() - before) / (picture.size / 3))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures memory by /proc")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF"])
def test_reading_holds_no_more_than_is_counted(kind: str, tmp_path: Path) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    image = Image.linear_gradient("L").resize((3600, 2400)).convert("RGB")
    options = {"AVIF": {"speed": 10}, "WEBP": {"method": 0}, "TIFF": {"compression": "tiff_lzw"}}.get(kind, {})
    (tmp_path / "picture").write_bytes(_saved(image, kind, **options))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path / "picture")], capture_output=True, text=True, check=True
    )
    counted = bounds._HELD.get(kind, bounds._HELD_ELSE)
    assert counted / 3 < float(done.stdout) < counted + 1.5  # the decoder's code and tables: some 10 MB
