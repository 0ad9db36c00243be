"""Broken pictures are answered by a picture or by one line: the short form of benchmarks/photographs/fuzz.py."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facelocus.detection.detect import Detector
from facelocus.errors import FacelocusError
from facelocus.images.read import read_image

# Where it is imported by anything but pytest, the reader silences Pillow itself.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")

BENCHMARKS = Path(__file__).parents[2] / "benchmarks" / "photographs"


@pytest.fixture(scope="module")
def broken_pictures() -> Any:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return runpy.run_path(str(BENCHMARKS / "broken_pictures.py"))
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def whole(broken_pictures: Any) -> dict[str, bytes]:
    originals: dict[str, bytes] = broken_pictures["originals"](broken_pictures["drawn"]())
    return originals


def test_every_kind_that_is_broken_is_read_when_it_is_not(whole: dict[str, bytes]) -> None:
    assert len(whole) >= 23
    for kind, content in whole.items():
        assert sorted(read_image(content).shape) == [3, 96, 120], kind


def test_a_broken_picture_follows_from_seed_and_number(broken_pictures: Any, whole: dict[str, bytes]) -> None:
    broken = broken_pictures["broken"]
    first = [broken(number, 3, whole) for number in range(40)]
    assert first == [broken(number, 3, whole) for number in range(40)]
    assert len({content for _, _, content in first}) == 40
    assert first != [broken(number, 4, whole) for number in range(40)]


def test_broken_pictures_are_answered_by_a_picture_or_one_line(
    broken_pictures: Any, whole: dict[str, bytes], detector: Detector, capfd: pytest.CaptureFixture[str]
) -> None:
    outcomes = {"read": 0, "refused": 0}
    for number in range(600):
        kind, mutation, content = broken_pictures["broken"](number, 5, whole)
        if mutation in ("bomb", "large"):
            continue
        try:
            picture = read_image(content, max_pixels=1_000_000)
        except FacelocusError as error:
            assert str(error).isprintable(), (number, kind, mutation)
            outcomes["refused"] += 1
            continue
        assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.size, (number, kind, mutation)
        if number % 10 == 0:
            detector.detect(picture)
        outcomes["read"] += 1
    assert min(outcomes.values()) > 100
    assert ".py:" not in capfd.readouterr().err, "a warning"


def test_bombs_are_answered(broken_pictures: Any) -> None:
    for kind, make in broken_pictures["bombs"].BOMBS.items():
        if kind in ("TIFF: tags", "PNG: text", "JPEG: scans"):  # seconds to make or to read
            continue
        for seed in range(3):
            try:
                picture = read_image(make(np.random.default_rng(seed)))
            except FacelocusError as error:
                assert str(error).isprintable(), (kind, seed)
            else:
                assert picture.size < 30_000_000, (kind, seed)


def test_absurd_numbers_in_headers_change_what_is_read(broken_pictures: Any, whole: dict[str, bytes]) -> None:
    """Able to fail: were the fields misplaced, most pictures would still be read as they were."""
    for kind, content in whole.items():
        random = np.random.default_rng(0)
        same = 0
        for _ in range(12):
            try:
                shape = read_image(broken_pictures["absurd"](content, random), max_pixels=1_000_000).shape
            except FacelocusError:
                continue
            same += sorted(shape) == [3, 96, 120]
        assert same <= 9, kind


def test_a_long_and_narrow_picture_is_not_turned_at_its_full_length(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned: list[tuple[int, int]] = []
    original = Image.Image.rotate

    def noted(image: Image.Image, *arguments: Any, **options: Any) -> Image.Image:
        turned.append(image.size)
        return original(image, *arguments, **options)

    monkeypatch.setattr(Image.Image, "rotate", noted)
    assert detector.detect(np.zeros((40, 12_000, 3), dtype=np.uint8)) == []
    assert turned and max(max(size) for size in turned) <= 1600
