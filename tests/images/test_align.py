"""Five landmarks take a face into the frame, pixel centres and all."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from facelocus.attributes import FRAME
from facelocus.images.align import FITTED, LANDMARKS, align, fit_to_frame, frame_to_photo, similarity
from faces import draw_face


def _moved(points: np.ndarray, scale: float, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    turn = np.radians(degrees)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return points @ matrix.T + shift


def _pattern(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A smooth picture defined for all continuous coordinates of the frame."""
    waves = [np.sin(x / 17) + np.cos(y / 23), np.sin((x + y) / 29), np.cos((x - 2 * y) / 41)]
    return 127.5 + 60 * np.stack(waves, axis=-1)


def _photograph(size: tuple[int, int], scale: float, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    """The pattern as a photograph shows it from which the frame was moved by a known map."""
    width, height = size
    centres = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    in_frame = _moved(centres - shift, 1 / scale, -degrees, (0, 0))
    return np.clip(np.rint(_pattern(in_frame[..., 0], in_frame[..., 1])), 0, 255).astype(np.uint8)


def test_a_known_similarity_is_recovered() -> None:
    source = np.random.default_rng(0).random((7, 2)) * 100
    found = similarity(source, _moved(source, 1.7, 33, (4, -9)))
    turn = np.radians(33)
    wanted = [[1.7 * np.cos(turn), -1.7 * np.sin(turn), 4], [1.7 * np.sin(turn), 1.7 * np.cos(turn), -9]]
    assert np.allclose(found, wanted)


def test_the_fit_is_least_squares_no_other_similarity_is_better() -> None:
    random = np.random.default_rng(1)
    source, target = random.random((5, 2)), random.random((5, 2))
    best = similarity(source, target)

    def error(matrix: np.ndarray) -> float:
        return float(np.sum((source @ matrix[:, :2].T + matrix[:, 2] - target) ** 2))

    for direction in ([[1, 0, 0], [0, 1, 0]], [[0, -1, 0], [1, 0, 0]], [[0, 0, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 1]]):
        for step in (1e-3, -1e-3):
            assert error(best + step * np.array(direction)) > error(best)


def test_mirrored_points_are_not_fitted_by_a_reflection() -> None:
    found = similarity(LANDMARKS, LANDMARKS * [-1, 1])
    assert np.linalg.det(found[:, :2]) >= 0


def test_source_points_that_coincide_have_no_similarity() -> None:
    with pytest.raises(ValueError, match="coincide"):
        similarity(np.ones((4, 2)), LANDMARKS[FITTED])


def test_landmarks_on_the_template_give_the_picture_itself() -> None:
    face = draw_face(3)
    assert np.array_equal(align(face, LANDMARKS), face)


def test_a_mirrored_face_gets_the_mirrored_frame() -> None:
    width = FRAME[1]
    landmarks = _moved(LANDMARKS, 1.4, 8, (30, 20)) + np.random.default_rng(5).normal(0, 4, (5, 2))
    mirrored = landmarks[[1, 0, 2, 4, 3]] * [-1, 1] + [300, 0]
    points = np.random.default_rng(6).random((9, 2)) * 200
    ours, theirs = frame_to_photo(landmarks), frame_to_photo(mirrored)
    there = (points * [-1, 1] + [width, 0]) @ theirs[:, :2].T + theirs[:, 2]
    assert np.allclose(there, (points @ ours[:, :2].T + ours[:, 2]) * [-1, 1] + [300, 0], atol=0.05)


def test_a_smile_that_widens_the_mouth_zooms_by_less_than_a_plain_fit_says() -> None:
    wide = LANDMARKS + np.array([[0, 0], [0, 0], [0, 0], [-5, 0], [5, 0]])
    plain, corrected = (np.hypot(*found[:, 0]) for found in (similarity(LANDMARKS[FITTED], wide[FITTED]),
                                                             frame_to_photo(wide)))  # fmt: skip
    assert plain > 1.04 and abs(corrected - 1) < 0.4 * (plain - 1)


def test_a_mistaken_landmark_and_landmarks_that_coincide_move_the_frame_by_little() -> None:
    mistaken = LANDMARKS.copy()
    mistaken[2] += 500  # the nose is not fitted
    corners = np.array([[0, 0], [FRAME[1], 0], [0, FRAME[0]], [FRAME[1], FRAME[0]]])
    found = frame_to_photo(mistaken)
    assert np.allclose(corners @ found[:, :2].T + found[:, 2], corners, atol=3)
    assert np.isfinite(frame_to_photo(np.full((5, 2), 40.0))).all()


def test_whole_pixel_shifts_cut_exactly() -> None:
    photo = np.random.default_rng(2).integers(0, 256, (300, 260, 3), dtype=np.uint8)
    assert np.array_equal(align(photo, LANDMARKS + np.array([50, 40])), photo[40:258, 50:228])


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.3, 2.0, 2.5, 4.7])
@pytest.mark.parametrize("degrees", [0, 25])
def test_a_face_moved_by_a_known_map_comes_back_without_a_shift(scale: float, degrees: float) -> None:
    size = (int(300 * scale) + 120, int(330 * scale) + 60)
    shift = (110 * scale, 20 * scale)
    photo = _photograph(size, scale, degrees, shift)
    found = align(photo, _moved(LANDMARKS, scale, degrees, shift)).astype(float)
    x, y = np.meshgrid(np.arange(178) + 0.5, np.arange(218) + 0.5)
    inside = (slice(30, -30), slice(30, -30))
    error = np.abs(found - _pattern(x, y))[inside]
    # Rounding to 8 bits alone gives 0.3 to 0.5, a shift by half a pixel 0.7 or more.
    assert error.mean() < 0.6


def test_shrinking_averages_so_that_fine_stripes_turn_grey() -> None:
    for scale in (1.6, 2.0, 3.4):
        photo = np.zeros((1000, 900, 3), dtype=np.uint8)
        photo[:, ::2] = 255
        found = align(photo, LANDMARKS * scale)[20:-20, 20:-20]
        assert np.abs(found.astype(int) - 127).max() < 70, "aliasing"
        assert abs(found.mean() - 127.5) < 3


def test_outside_the_picture_its_border_is_replicated() -> None:
    photo = np.random.default_rng(4).integers(0, 256, (218, 178, 3), dtype=np.uint8)
    found = align(photo, LANDMARKS + np.array([-30, 20]))
    assert np.array_equal(found[:198, 30:], photo[20:, :148])
    assert np.array_equal(found[:198, :30], np.repeat(photo[20:, :1], 30, axis=1))
    assert np.array_equal(found[198:, 30:], np.repeat(photo[-1:, :148], 20, axis=0))


def test_a_mirrored_photograph_gives_the_mirrored_crop() -> None:
    photo = _photograph((400, 420), 1.5, 10, (100, 30))
    marks = _moved(LANDMARKS, 1.5, 10, (100, 30))
    mirrored = (marks * [-1, 1] + [400, 0])[[1, 0, 2, 4, 3]]
    difference = align(photo[:, ::-1], mirrored)[:, ::-1].astype(int) - align(photo, marks)
    assert np.abs(difference).max() <= 2


def test_landmarks_that_make_no_sense_still_give_a_frame() -> None:
    photo = draw_face(0)
    for marks in (np.full((5, 2), 7.0), LANDMARKS[::-1], LANDMARKS * [-1, 1], LANDMARKS + 1e4):
        assert align(photo, marks).shape == (218, 178, 3)


def test_a_crop_of_another_size_is_resized_to_the_frame() -> None:
    face = draw_face(5)
    assert fit_to_frame(face) is face
    larger = np.asarray(Image.fromarray(face).resize((356, 436), Image.Resampling.BICUBIC))
    assert np.abs(fit_to_frame(larger).astype(int) - face).mean() < 4
