"""Any picture becomes upright uint8 RGB, or one line that says what is wrong with it."""

from __future__ import annotations

import struct
import subprocess
import sys
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from facelocus.errors import ImageError
from facelocus.images.read import read_image, read_reduced
from orientations import ORIENTATION, stored


def _picture(width: int = 40, height: int = 30) -> Image.Image:
    """Four flat quarters: red, green / blue, white."""
    image = Image.new("RGB", (width, height), "white")
    image.paste((255, 0, 0), (0, 0, width // 2, height // 2))
    image.paste((0, 255, 0), (width // 2, 0, width, height // 2))
    image.paste((0, 0, 255), (0, height // 2, width // 2, height))
    return image


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _png_header(width: int, height: int) -> bytes:
    """A PNG of any claimed size whose pixels do not exist."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def test_a_path_bytes_a_stream_an_image_and_an_array_give_the_same_pixels(tmp_path: Path) -> None:
    content = _saved(_picture(), "PNG")
    (tmp_path / "a.png").write_bytes(content)
    wanted = np.asarray(_picture())
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), content, BytesIO(content), _picture(), wanted):
        found = read_image(source)
        assert found.dtype == np.uint8
        assert np.array_equal(found, wanted)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_picture_upright(orientation: int) -> None:
    image, exif = stored(_picture(), orientation)
    assert np.array_equal(read_image(_saved(image, "PNG", exif=exif)), np.asarray(_picture()))


def test_grey_palette_and_one_bit_become_rgb() -> None:
    grey = np.asarray(_picture().convert("L"))
    assert np.array_equal(read_image(_saved(_picture().convert("L"), "PNG")), np.stack([grey] * 3, axis=2))
    assert np.array_equal(read_image(_saved(_picture().quantize(4), "GIF")), np.asarray(_picture()))
    halves = Image.new("1", (8, 4), 1)
    halves.paste(0, (0, 0, 4, 4))
    assert read_image(_saved(halves, "PNG"))[0, [0, 7]].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_cmyk_becomes_rgb() -> None:
    found = read_image(_saved(_picture().convert("CMYK"), "JPEG", quality=95))
    assert np.abs(found[5, [5, 35]].astype(int) - [[255, 0, 0], [0, 255, 0]]).max() < 20


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_becomes_white_and_half_transparent_half_white(mode: str) -> None:
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    image.putpixel((2, 0), (0, 0, 0, 128))
    found = read_image(_saved(image.convert(mode), "PNG"))[0, :, 0]
    assert found[0] == 0
    assert found[1] == 255
    assert abs(int(found[2]) - 127) <= 1


def test_a_transparent_palette_entry_becomes_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.putpixel((1, 0), 1)
    assert read_image(_saved(image, "PNG", transparency=0))[0].tolist() == [[255, 255, 255], [255, 0, 0]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_is_scaled_not_clipped(kind: str) -> None:
    ramp = np.array([[0, 257, 32768, 65535]], dtype=np.uint16)
    assert read_image(_saved(Image.fromarray(ramp), kind))[0, :, 0].tolist() == [0, 1, 128, 255]


def test_floats_are_scaled_by_the_white_that_fits_them() -> None:
    for white in (1.0, 255.0, 65535.0):
        image = Image.fromarray(np.array([[0, white / 2, white]], dtype=np.float32))
        assert read_image(_saved(image, "TIFF"))[0, :, 2].tolist() == [0, 128, 255]


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP"):
        content = _saved(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
        assert np.abs(read_image(content)[4, 4].astype(int) - [255, 0, 0]).max() < 8


def test_a_large_jpeg_is_decoded_reduced_and_says_by_how_much() -> None:
    content = _saved(_picture(1600, 1200), "JPEG", quality=95)
    whole, factor = read_reduced(content, 1600)
    assert (whole.shape, factor) == ((1200, 1600, 3), 1)
    quarter, factor = read_reduced(content, 400)
    assert (quarter.shape, factor) == ((300, 400, 3), 4)
    assert np.abs(quarter.astype(int) - whole[2::4, 2::4]).mean() < 2
    assert read_reduced(content, 300)[1] == 4, "an eighth would be smaller than asked for"
    assert read_reduced(_saved(_picture(1600, 1200), "PNG"), 400)[1] == 1


def test_reading_leaves_a_given_image_and_pillows_own_guard_alone() -> None:
    image = Image.open(BytesIO(_saved(_picture(1600, 1200), "JPEG")))
    guard = Image.MAX_IMAGE_PIXELS
    assert read_reduced(image, 200)[0].shape == (1200, 1600, 3)
    assert image.size == (1600, 1200)
    with pytest.raises(ImageError):
        read_image(b"not a picture")
    assert guard == Image.MAX_IMAGE_PIXELS


def _refusal(source: object) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError) as caught:
            read_image(source)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_missing_folder_empty_and_foreign_files_are_refused_by_name(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "none.jpg") == f"{tmp_path}/none.jpg does not exist: check the path"
    assert _refusal(tmp_path) == f"{tmp_path} is a folder: name a picture inside it"
    (tmp_path / "empty.jpg").touch()
    assert _refusal(tmp_path / "empty.jpg") == f"{tmp_path}/empty.jpg is empty: copy or export it again"
    (tmp_path / "text.jpg").write_text("hello")
    assert _refusal(tmp_path / "text.jpg") == (
        f"{tmp_path}/text.jpg is not a picture that can be read: convert it to JPEG or PNG"
    )
    assert _refusal("name\0").startswith("name\\x00 cannot be read (embedded null byte)")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_picture_cut_short_is_refused(kind: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    content = _saved(Image.fromarray(noise), kind)
    file = tmp_path / "cut.img"
    file.write_bytes(content[: len(content) // 2])
    assert _refusal(file).startswith(f"{file} is ")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_bytes_give_a_picture_or_an_image_error_never_anything_else(kind: str) -> None:
    content = np.frombuffer(_saved(_picture(), kind), dtype=np.uint8)
    random = np.random.default_rng(1)
    for _ in range(100):
        damaged = content.copy()
        places = random.integers(0, len(damaged), 3)
        damaged[places] = random.integers(0, 256, 3)
        try:
            found = read_image(damaged.tobytes(), max_pixels=10_000_000)
        except ImageError as error:
            assert "\n" not in str(error)
        else:
            assert found.ndim == 3


def test_two_billion_pixels_are_refused_from_the_header() -> None:
    assert _refusal(_png_header(50_000, 40_000)).endswith(
        "has more than the limit of 200,000,000 pixels: make it smaller first"
    )
    assert _refusal(_png_header(15_000, 14_000)).endswith(" pixels: make it smaller first")
    assert "12000 x 10000" not in _refusal(_png_header(12_000, 10_000)), "within the limit, only incomplete"


def test_the_limit_counts_before_decoding_whatever_the_source() -> None:
    content = _saved(_picture(), "PNG")
    for source in (content, Image.open(BytesIO(content)), np.asarray(_picture())):
        with pytest.raises(ImageError, match="40 x 30 pixels, more than the limit of 1,199"):
            read_image(source, max_pixels=1199)
    assert read_image(content, max_pixels=1200).shape == (30, 40, 3)


def test_no_pixels_are_refused() -> None:
    _refusal(_png_header(0, 10))
    assert "has no pixels" in _refusal(Image.new("RGB", (0, 5)))
    assert "has no pixels" in _refusal(np.zeros((0, 5, 3), dtype=np.uint8))


def test_an_array_of_another_type_or_shape_is_refused_with_the_right_one() -> None:
    wanted = "give uint8 of H x W, H x W x 3 or H x W x 4"
    for array in (np.zeros((4, 4, 3)), np.zeros((4, 4, 2), dtype=np.uint8), np.zeros(4, dtype=np.uint8)):
        assert wanted in _refusal(array)


def test_a_name_stays_in_its_line_whatever_it_is(tmp_path: Path) -> None:
    for odd, shown in (("two\nlines", "two\\nlines"), ("\x1b[31mred", "\\x1b[31mred"), ("\u202eback", "\\u202eback")):
        file = tmp_path / odd
        assert _refusal(file) == f"{tmp_path}/{shown} does not exist: check the path"
        file.write_bytes(b"hello")
        assert shown in _refusal(file)
    assert "\\udcff" in _refusal(str(tmp_path / "\udcff"))
    assert _refusal(tmp_path / "Größe 大きさ") == f"{tmp_path}/Größe 大きさ does not exist: check the path"
    stream = BytesIO(b"hello")
    stream.name = "a\rb"  # type: ignore[attr-defined]
    assert _refusal(stream).startswith("a\\rb ")


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files by /proc")
def test_files_are_closed_whatever_comes_of_them(tmp_path: Path) -> None:
    good = _saved(_picture(), "TIFF", compression="tiff_lzw")
    contents = {
        "good": good,
        "gif": _saved(_picture(), "GIF"),
        "cut": good[: len(good) // 2],
        "text": b"hello",
        "empty": b"",
        "large": _png_header(15_000, 14_000),
        "many": _png_header(50_000, 40_000),
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in contents:
        if name in ("good", "gif"):
            read_image(tmp_path / name)
        else:
            with pytest.raises(ImageError) as kept:  # the traceback holds what was open
                read_image(tmp_path / name)
            assert len(list(Path("/proc/self/fd").iterdir())) == before, (name, kept)


def test_a_stream_is_read_from_its_start_and_left_open_and_one_that_cannot_seek_is_read() -> None:
    content = _saved(_picture(), "PNG")
    stream = BytesIO(content)
    stream.seek(0, 2)
    assert np.array_equal(read_image(stream), np.asarray(_picture()))
    assert not stream.closed

    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError("a pipe")

    assert np.array_equal(read_image(Pipe(content)), np.asarray(_picture()))
    stream.close()
    assert "closed file" in _refusal(stream)


def test_no_format_is_read_that_runs_another_program() -> None:
    assert "is not a picture" in _refusal(_saved(_picture(), "EPS"))


def test_want_of_memory_is_said_and_a_reason_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(error: Exception) -> str:
        def raising(*_: object) -> None:
            raise error

        monkeypatch.setattr(Image.Image, "load", raising)
        return _refusal(np.zeros((4, 4, 3), dtype=np.uint8))

    assert failing(MemoryError()).endswith("needs more memory than there is: make it smaller first")
    assert len(failing(ValueError("long\n" * 1000))) < 400
    assert "(RecursionError)" in failing(RecursionError())


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01", b""])
def test_damaged_exif_does_not_refuse_a_picture(exif: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read_image(_saved(_picture(), "JPEG", exif=exif)).shape == (30, 40, 3)


@pytest.mark.parametrize("nonsense", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(nonsense: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = nonsense
    assert read_image(_saved(_picture(), "PNG", exif=exif)).shape == (30, 40, 3)


def test_pillows_remarks_on_a_file_reach_no_one(tmp_path: Path) -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03\0"
    (tmp_path / "odd.jpg").write_bytes(_saved(_picture(), "JPEG", exif=exif))
    code = (
        "import sys, facelocus.images.read as read; assert 'pillow_heif' not in sys.modules; "
        f"read.read_image({str(tmp_path / 'odd.jpg')!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    with pytest.warns(UserWarning):
        Image.open(tmp_path / "odd.jpg").getexif()


def test_a_programs_own_guard_against_bombs_stays() -> None:
    code = (
        "import io, warnings, PIL.Image as I; warnings.simplefilter('error', I.DecompressionBombWarning); "
        "import facelocus.images.read; I.MAX_IMAGE_PIXELS = 50; file = io.BytesIO(); "
        "I.new('L', (9, 9)).save(file, 'PNG'); I.open(file)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "DecompressionBombWarning" in done.stderr.splitlines()[-1]


def test_a_picture_for_several_screens_is_reduced_like_any_jpeg() -> None:
    content = _saved(_picture(1600, 1200), "MPO", save_all=True, append_images=[_picture(800, 600)])
    with Image.open(BytesIO(content)) as image:
        assert image.format == "MPO"
    assert read_reduced(content, 400)[1] == 4


def _heic(image: Image.Image, **options: object) -> bytes:
    heif = pytest.importorskip("pillow_heif")
    stream = BytesIO()
    heif.from_pillow(image).save(stream, quality=90, **options)
    return stream.getvalue()


def test_heic_is_read_and_turned_once() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    content = _heic(_picture(96, 64), exif=exif.tobytes())
    assert b"irot" in content, "turned by the format itself"
    found = read_image(content).astype(int)
    assert found.shape == (96, 64, 3)
    wanted = np.asarray(_picture(96, 64).transpose(Image.Transpose.ROTATE_270)).astype(int)
    assert np.abs(found - wanted)[::8, 4::8].max() < 30
    assert read_reduced(content, 40)[1] == 1, "not its thumbnail"
    assert "HEIF" not in Image.OPEN, "Pillow is left as it was"


def test_avif_is_read_and_turned_once() -> None:
    if not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    assert read_image(_saved(_picture(96, 64), "AVIF", exif=exif)).shape == (96, 64, 3)


def test_heic_and_avif_without_their_reader_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(features, "check", lambda _: False)
    heads = {b"heic": b"mif1heic", b"mif1": b"heicmiaf", b"avif": b"mif1miaf"}
    refusals = [_refusal(b"\0\0\0\x18ftyp" + major + b"\0\0\0\0" + rest) for major, rest in heads.items()]
    assert [" ".join(line.split()[5:]) for line in refusals] == [
        *["is HEIC: pip install 'facelocus[heic]', or convert it to JPEG"] * 2,
        "is AVIF, which this Pillow cannot read: pip install --upgrade pillow",
    ]
    assert "is not a picture" in _refusal(b"\0\0\0\x18ftypisom\0\0\0\0mp41mp42"), "a film"


def test_damaged_heic_is_refused() -> None:
    content = _heic(_picture(96, 64))
    for end in (30, len(content) // 2, len(content) - 40):
        assert "damaged" in _refusal(content[:end])
