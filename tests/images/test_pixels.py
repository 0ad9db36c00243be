"""Pixels of any mode become upright RGB, the same strip by strip as at once."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from facelocus.images import pixels
from facelocus.images.pixels import orientation, upright_rgb
from orientations import ORIENTATION

_RANDOM = np.random.default_rng(0)
_NOISE = Image.fromarray(_RANDOM.integers(0, 256, (31, 17, 4), dtype=np.uint8), "RGBA")

PICTURES = {
    **{mode: _NOISE.convert(mode) for mode in ("RGB", "RGBA", "L", "LA", "1", "CMYK", "YCbCr", "HSV")},
    "P": _NOISE.convert("RGB").quantize(9),
    "I;16": Image.fromarray(_RANDOM.integers(0, 65536, (31, 17), dtype=np.uint16)),
    "I": Image.fromarray(_RANDOM.integers(0, 40_000, (31, 17), dtype=np.int32)),
    "F": Image.fromarray(_RANDOM.random((31, 17), dtype=np.float32)),
}


@pytest.mark.parametrize("mode", PICTURES)
@pytest.mark.parametrize("turned", [1, 6])
def test_strips_give_the_same_as_the_whole(mode: str, turned: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = upright_rgb(PICTURES[mode], turned)
    monkeypatch.setattr(pixels, "_STRIP", 17 * 4)
    assert np.array_equal(upright_rgb(PICTURES[mode], turned), whole)


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("strip", [17 * 5, 1, 10**6])
def test_every_orientation_is_turned_as_pillow_turns_it(
    turned: int, strip: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = PICTURES["RGB"].copy()
    image.getexif()[ORIENTATION] = turned
    assert orientation(image) == turned
    monkeypatch.setattr(pixels, "_STRIP", strip)
    assert np.array_equal(upright_rgb(image, turned), np.asarray(ImageOps.exif_transpose(image)))


def test_the_white_of_floats_is_that_of_all_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = np.full((30, 10), 0.5, dtype=np.float32)
    numbers[29, 9] = 200
    monkeypatch.setattr(pixels, "_STRIP", 10)
    assert upright_rgb(Image.fromarray(numbers))[[0, 29], 9, 0].tolist() == [0, 200]


def test_what_is_no_number_is_black_and_the_infinite_white() -> None:
    numbers = np.array([[np.nan, np.inf, -np.inf, -5, 65535]], dtype=np.float32)
    numbers.view(np.uint32)[0, 0] = 0x7F800001  # a signalling one
    with np.errstate(all="raise"):
        assert upright_rgb(Image.fromarray(numbers))[0, :, 1].tolist() == [0, 255, 0, 0, 255]


def test_16_bits_in_either_byte_order_round_to_the_nearest() -> None:
    values = np.array([[0, 128, 129, 385, 386, 65535]], dtype=np.uint16)
    for order in ("<u2", ">u2"):
        stream = BytesIO()
        Image.fromarray(values.astype(order)).save(stream, "TIFF")
        assert upright_rgb(Image.open(stream))[0, :, 0].tolist() == [0, 0, 1, 1, 2, 255]
