"""The detector finds a real face wherever it is and however large, and none where there is none."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from facelocus.detection import detect
from facelocus.detection.detect import Detection, Detector
from facelocus.detection.levels import RATIO, Levels, pyramid

Picture = npt.NDArray[np.uint8]
Marks = npt.NDArray[np.int64]


def _resized(picture: Picture, scale: float) -> Picture:
    size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def _only(faces: list[Detection]) -> Detection:
    assert len(faces) == 1
    return faces[0]


def test_the_portrait_has_one_face_with_its_landmarks_where_they_are(
    detector: Detector, portrait: Picture, marked: Marks
) -> None:
    face = _only(detector.detect(portrait))
    assert face.score > 0.99
    assert np.abs(face.landmarks - marked).max() < 6, "the eyes are 87 pixels apart"
    x0, y0, x1, y1 = face.box
    assert x0 < marked[:, 0].min() < marked[:, 0].max() < x1
    assert y0 < marked[:, 1].min() < marked[:, 1].max() < y1


@pytest.mark.parametrize("scale", [0.15, 0.3, 0.6, 1.7])
def test_a_smaller_or_larger_face_is_found_at_the_same_place(
    scale: float, detector: Detector, portrait: Picture, marked: Marks
) -> None:
    face = _only(detector.detect(_resized(portrait, scale)))
    assert np.abs(face.landmarks / scale - marked).max() < 8


def test_a_picture_beyond_longest_is_searched_reduced_and_reported_in_its_own_pixels(
    detector: Detector, portrait: Picture, marked: Marks
) -> None:
    large = _resized(portrait, 3)
    whole, reduced = _only(detector.detect(large, longest=5000)), _only(detector.detect(large, longest=300))
    assert np.abs(reduced.landmarks / 3 - marked).max() < 8
    assert np.allclose(reduced.box, whole.box, atol=0.1 * (whole.box[2] - whole.box[0]))


def test_two_faces_are_both_found_the_larger_first(detector: Detector, portrait: Picture, marked: Marks) -> None:
    height, width = portrait.shape[:2]
    sheet = np.zeros((height, width + width // 2, 3), dtype=np.uint8)
    sheet[: height // 2, : width // 2] = _resized(portrait, 0.5)
    sheet[:, width // 2 :] = portrait
    larger, smaller = detector.detect(sheet)
    assert np.abs(larger.landmarks - marked - [width // 2, 0]).max() < 8
    assert np.abs(smaller.landmarks - marked / 2).max() < 5


def test_a_mirrored_portrait_has_mirrored_landmarks(detector: Detector, portrait: Picture) -> None:
    plain, mirrored = _only(detector.detect(portrait)), _only(detector.detect(portrait[:, ::-1]))
    turned = (mirrored.landmarks * [-1, 1] + [portrait.shape[1], 0])[[1, 0, 2, 4, 3]]
    assert np.abs(turned - plain.landmarks).max() < 4


def test_a_grey_portrait_has_the_same_face(detector: Detector, portrait: Picture, marked: Marks) -> None:
    grey = np.asarray(Image.fromarray(portrait).convert("L").convert("RGB"))
    assert np.abs(_only(detector.detect(grey)).landmarks - marked).max() < 6


def test_a_face_reaching_over_the_border_is_found(detector: Detector, portrait: Picture, marked: Marks) -> None:
    cut = portrait[175:, 190:]
    face = _only(detector.detect(cut))
    assert np.abs(face.landmarks - marked + [190, 175]).max() < 12


def test_pictures_without_a_face_give_none(detector: Detector) -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (200, 300, 3), dtype=np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, 320).astype(np.uint8)[None, :, None], (240, 320, 3))
    for picture in (noise, ramp, np.zeros((240, 320, 3), np.uint8), np.full((60, 50, 3), 255, np.uint8)):
        assert detector.detect(picture) == []


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (11, 11), (12, 12), (24, 23), (3, 20_000)])
def test_pictures_too_small_for_a_face_give_none(shape: tuple[int, int], detector: Detector) -> None:
    assert detector.detect(np.full((*shape, 3), 128, dtype=np.uint8)) == []


def test_faces_below_min_face_are_not_looked_for(detector: Detector, portrait: Picture) -> None:
    sheet = np.zeros((300, 300, 3), dtype=np.uint8)
    sheet[:120, :102] = _resized(portrait, 0.2)  # a face of 40 pixels
    assert len(detector.detect(sheet)) == 1
    assert detector.detect(sheet, min_face=120) == []


@pytest.mark.parametrize("degrees", [-50, -40, -30, -15, 15, 30, 40, 50])
def test_a_face_that_leans_is_found_with_landmarks_as_good_as_upright(
    degrees: int, detector: Detector, portrait: Picture
) -> None:
    upright = _only(detector.detect(portrait)).landmarks
    turned = np.array(Image.fromarray(portrait).rotate(degrees, Image.Resampling.BICUBIC, expand=True))
    turn = np.radians(degrees)
    back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    wanted = (upright - np.array(portrait.shape[1::-1]) / 2) @ back + np.array(turned.shape[1::-1]) / 2
    face = _only(detector.detect(turned))
    assert np.abs(face.landmarks - wanted).max() < 5, "the eyes are 87 pixels apart"
    x0, y0, x1, y1 = face.box
    assert x0 < wanted[2, 0] < x1 and y0 < wanted[2, 1] < y1


def test_a_picture_searched_in_strips_gives_what_it_gives_at_once(
    detector: Detector, portrait: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for height in (150, 151):
        picture = np.ascontiguousarray(_resized(portrait, 0.5)[:height])
        found = []
        for pixels in (1, 3000, 10**9):
            monkeypatch.setattr(detect, "_STRIP", pixels)
            found.append(detector._everywhere(picture))
        assert all(np.allclose(strips, found[-1], atol=1e-5) for strips in found[:-1])


def test_landmarks_turned_with_their_square_come_back(portrait: Picture) -> None:
    """A crop turned upright is that of the turned picture."""
    levels = Levels(Image.fromarray(portrait), 24)
    square, turn = np.array([170.0, 130.0, 370.0, 330.0]), np.radians(30)
    crop = np.asarray(levels.crop_turned(square, turn, 48)).astype(int)
    whole = Image.fromarray(portrait).rotate(30, Image.Resampling.BICUBIC, center=(270, 230))
    wanted = np.asarray(Levels(whole, 24).crop(square, 48))
    assert np.abs(crop - wanted).mean() < 4
    assert np.abs(crop - np.asarray(levels.crop(square, 48))).mean() > 12


def test_the_pyramid_goes_from_the_smallest_face_to_the_whole_picture() -> None:
    levels = pyramid(640, 480, 24)
    assert levels[0] == (320, 240), "a window of 12 covers a face of 24"
    assert 12 <= min(levels[-1]) < 12 / RATIO + 1
    for (wide, high), (narrower, lower) in pairwise(levels):
        assert abs(narrower - wide * RATIO) <= 1
        assert abs(lower - high * RATIO) <= 1
    assert pyramid(23, 400, 24) == []
    assert pyramid(24, 24, 24) == [(12, 12)]


def test_a_shift_of_the_photograph_shifts_the_face(detector: Detector, portrait: Picture) -> None:
    """No offset creeps in between the pyramid, the squares and the picture: black added left and above only moves."""
    padded = np.zeros((portrait.shape[0] + 24, portrait.shape[1] + 40, 3), dtype=np.uint8)
    padded[24:, 40:] = portrait
    plain, moved = _only(detector.detect(portrait)), _only(detector.detect(padded))
    assert np.abs(moved.landmarks - [40, 24] - plain.landmarks).max() < 4


def test_repeating_pixels_scales_the_face_about_the_corner_of_the_picture(
    detector: Detector, portrait: Picture
) -> None:
    """Continuous coordinates: twice the picture, pixel by pixel, is searched on the very same levels and more."""
    small = _resized(portrait, 0.5)
    double = small.repeat(2, axis=0).repeat(2, axis=1)
    one, two = _only(detector.detect(small, min_face=24)), _only(detector.detect(double, min_face=48))
    assert np.abs(two.landmarks / 2 - one.landmarks).max() < 1
    assert np.allclose(np.array(two.box) / 2, one.box, atol=2)
