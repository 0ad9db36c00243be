"""A photograph is read small, and a face is cut out of the sharpness it needs."""

from __future__ import annotations

import os
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from facelocus.detection import photograph
from facelocus.detection.detect import Detector
from facelocus.detection.photograph import READ, Photograph
from facelocus.images.align import align
from facelocus.images.read import read_image
from orientations import stored

Picture = npt.NDArray[np.uint8]
FULL = (4000, 3000)


def _jpeg(portrait: Picture, height: int, beside: int = 1, small: int = 0) -> bytes:
    """A JPEG of 12 megapixels: so many portraits of a height in pixels side by side, and a small one in a corner."""
    sheet = Image.new("RGB", FULL, (90, 110, 100))
    wide = round(portrait.shape[1] * height / portrait.shape[0])
    for number in range(beside):
        at = (FULL[0] - beside * wide) // 2 + number * wide, (FULL[1] - height) // 2
        sheet.paste(Image.fromarray(portrait).resize((wide, height), Image.Resampling.LANCZOS), at)
    if small:
        sheet.paste(Image.fromarray(portrait).resize((small, small), Image.Resampling.LANCZOS), (40, 40))
    stream = BytesIO()
    sheet.save(stream, "JPEG", quality=92)
    return stream.getvalue()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The factors at which pictures are read, in order."""
    factors: list[int] = []
    original = photograph.read_reduced

    def noted(*arguments: Any, **named: Any) -> tuple[Picture, int]:
        image, factor = original(*arguments, **named)
        factors.append(factor)
        return image, factor

    monkeypatch.setattr(photograph, "read_reduced", noted)
    return factors


def test_a_small_face_of_a_12_megapixel_jpeg_is_cut_out_as_sharp_as_from_the_whole(
    portrait: Picture, detector: Detector, read: list[int]
) -> None:
    content = _jpeg(portrait, 400)
    photo = Photograph(content)
    (face,) = photo.find(detector)
    assert max(photo.image.shape) == 1000 and photo.size == FULL and read == [4, 2]
    crop = photo.crop(face)
    assert read == [4, 2, 1]
    np.testing.assert_array_equal(crop, align(read_image(content), face.landmarks))
    blurred = align(photo.image, face.landmarks / 4)
    assert _detail(crop) > 1.1 * _detail(blurred), "the test would not see a crop from the reduced picture"
    np.testing.assert_array_equal(photo.crop(face), crop)
    assert read == [4, 2, 1], "read again only once"


def test_small_faces_and_many_are_searched_in_more_pixels(
    portrait: Picture, detector: Detector, read: list[int]
) -> None:
    photo = Photograph(_jpeg(portrait, 170))  # the face in it is 50 pixels wide
    (face,) = photo.find(detector)
    assert read == [4, 2]
    assert 40 < face.box[2] - face.box[0] < 60
    read.clear()
    crowd = Photograph(_jpeg(portrait, 900, beside=3))
    assert len(crowd.find(detector)) == 3
    assert read == [4, 2]


def test_a_small_face_beside_a_large_one_is_left_and_beside_three_is_not(portrait: Picture, detector: Detector) -> None:
    pair, three = (_jpeg(portrait, 1300, beside=count, small=150) for count in (1, 3))
    assert len(Photograph(pair).find(detector)) == 1
    assert len(Photograph(three).find(detector)) == 4


def test_a_big_face_needs_no_second_decode(portrait: Picture, detector: Detector, read: list[int]) -> None:
    photo = Photograph(_jpeg(portrait, 2400))
    (face,) = photo.find(detector)
    photo.crop(face)
    assert read == [4]


@pytest.mark.parametrize("height", [400, 2400])
def test_an_open_file_gives_what_its_bytes_give_and_a_pipe_is_read_once(
    height: int, portrait: Picture, detector: Detector, tmp_path: Path, read: list[int]
) -> None:
    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

    content = _jpeg(portrait, height)
    file = tmp_path / "photo.jpg"
    file.write_bytes(content)
    with file.open("rb") as stream:
        crops = [_only_crop(source, detector) for source in (content, stream, file)]
    np.testing.assert_array_equal(crops[0], crops[1])
    np.testing.assert_array_equal(crops[0], crops[2])
    read.clear()
    assert _only_crop(Pipe(content), detector).shape == crops[0].shape
    assert read == [1]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        writing = threading.Thread(target=(tmp_path / "pipe.jpg").write_bytes, args=(content,))
        writing.start()
        assert _only_crop(tmp_path / "pipe.jpg", detector).shape == crops[0].shape
        writing.join()


def test_other_formats_and_small_jpegs_are_read_whole(portrait: Picture, read: list[int]) -> None:
    for kind, size in (("PNG", (2 * READ, 60)), ("JPEG", (2 * READ - 1, 60))):
        stream = BytesIO()
        Image.new("RGB", size).save(stream, kind)
        assert Photograph(stream.getvalue()).image.shape[1] == size[0]
    assert read == [1, 1]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_same_face(
    orientation: int, portrait: Picture, detector: Detector, marked: npt.NDArray[np.int64]
) -> None:
    image, exif = stored(Image.fromarray(portrait), orientation)
    stream = BytesIO()
    image.save(stream, "JPEG", quality=98, subsampling=0, exif=exif)
    photo = Photograph(stream.getvalue())
    (face,) = photo.find(detector)
    assert photo.size == (portrait.shape[1], portrait.shape[0])
    assert np.abs(face.landmarks - marked).max() < 6
    (upright,) = detector.detect(portrait)
    assert np.abs(face.landmarks - upright.landmarks).max() < 2


def _only_crop(source: Any, detector: Detector) -> Picture:
    photo = Photograph(source)
    (face,) = photo.find(detector)
    return photo.crop(face)


def _detail(crop: Picture) -> float:
    """How much neighbouring pixels differ."""
    grey = crop.mean(axis=2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())
