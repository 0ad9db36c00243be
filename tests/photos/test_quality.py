"""What is said of a face's picture follows from the picture: blur, size, compression, noise, light, border and pose."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter

from facelocus.attributes import FRAME
from facelocus.detection.detect import Detector
from facelocus.errors import UsageError
from facelocus.images.align import LANDMARKS, align
from facelocus.model import Model
from facelocus.photos import quality
from facelocus.photos.analyze import analyze, analyze_many
from facelocus.photos.quality import COLUMNS, Quality, judge, pose

Picture = npt.NDArray[np.uint8]
SIZE = (FRAME[1], FRAME[0])


@pytest.fixture(scope="module")
def crop(portrait: Picture, marked: npt.NDArray[np.int64]) -> Picture:
    return align(portrait, marked.astype(float))


def _judged(crop: Picture) -> Quality:
    return judge(crop, (0, 0, *SIZE), None, SIZE)


def _smaller(crop: Picture, by: float) -> Picture:
    less = Image.fromarray(crop).resize((round(SIZE[0] / by), round(SIZE[1] / by)), Image.Resampling.HAMMING)
    return np.asarray(less.resize(SIZE, Image.Resampling.BICUBIC))


def _blurred(crop: Picture, by: float) -> Picture:
    return np.asarray(Image.fromarray(crop).filter(ImageFilter.GaussianBlur(by)))


@pytest.mark.parametrize("change", [_blurred, _smaller])
def test_the_less_detail_the_less_sharpness_and_trust(change: object, crop: Picture) -> None:
    found = [_judged(crop), *(_judged(change(crop, by)) for by in (2.5, 4))]  # type: ignore[operator]
    for name in ("sharpness", "trust"):
        values = [getattr(each, name) for each in found]
        assert values == sorted(values, reverse=True)
        assert values[0] - values[-1] > 0.2


def test_sharpness_tells_how_much_smaller_a_face_was(crop: Picture) -> None:
    for by in (3, 4, 6):
        assert _judged(_smaller(crop, by)).sharpness == pytest.approx(1 / by, rel=0.5)


def test_a_picture_moved_while_taken_is_not_sharp_though_detail_is_left_across(crop: Picture) -> None:
    moved = np.mean([np.roll(crop, step, axis=1) for step in range(-6, 7)], axis=0).astype(np.uint8)
    assert _judged(moved).sharpness < 0.6 * _judged(crop).sharpness


def test_noise_is_measured_and_lowers_trust(crop: Picture) -> None:
    random, before = np.random.default_rng(0), _judged(crop)
    noisy = _judged(np.clip(_blurred(crop, 1) + random.normal(0, 20, FRAME), 0, 255).astype(np.uint8))
    grain = 20 * float(np.linalg.norm([0.299, 0.587, 0.114]))  # what is left of it in luma
    assert noisy.noise == pytest.approx(grain, rel=0.15)
    assert noisy.trust < before.trust - 0.1


def test_darkness_and_burnt_out_light_lower_trust(crop: Picture) -> None:
    before = _judged(crop)
    dark, light = (_judged(np.clip(crop.astype(float) * by, 0, 255).astype(np.uint8)) for by in (0.07, 4))
    assert dark.brightness == pytest.approx(0.07 * before.brightness, abs=0.01)
    assert light.clipped > 0.3 > before.clipped
    assert max(dark.trust, light.trust) < before.trust - 0.1


def test_compression_does_not_make_a_small_face_a_sharp_one(crop: Picture) -> None:
    small = _smaller(crop, 4)
    for level in (80, 50, 20):
        stream = BytesIO()
        Image.fromarray(small).save(stream, "JPEG", quality=level)
        compressed = _judged(np.asarray(Image.open(stream)))
        assert compressed.sharpness < 0.6 * _judged(crop).sharpness
        assert compressed.trust < _judged(crop).trust


def test_brightness_alone_leaves_sharpness_as_it_was(crop: Picture) -> None:
    half = _judged((crop // 2).astype(np.uint8))
    assert half.sharpness == pytest.approx(_judged(crop).sharpness, rel=0.25)


def test_no_sign_lowers_trust_by_growing() -> None:
    assert min(quality.TRUST[1:]) >= 0
    assert quality.SHARPNESS[1] > 0
    assert len(quality.TRUST) == 1 + len(quality.signs(1, 0, 0.5, 0.2, 0, 1))


def test_a_mirrored_photograph_turns_yaw_and_roll_around_and_keeps_the_rest(marked: npt.NDArray[np.int64]) -> None:
    mirrored = (marked * [-1, 1] + [512, 0])[[1, 0, 2, 4, 3]]
    yaw, pitch, roll = pose(marked.astype(float))
    assert np.allclose(pose(mirrored.astype(float)), (-yaw, pitch, -roll))


def test_a_mirrored_crop_is_as_sharp_and_trusted(crop: Picture) -> None:
    before, after = _judged(crop).to_json(), _judged(np.ascontiguousarray(crop[:, ::-1])).to_json()
    assert after == pytest.approx(before, abs=0.002)


@pytest.mark.parametrize("degrees", [-40, 10, 25])
def test_a_turned_face_rolls_by_that_angle(degrees: float, marked: npt.NDArray[np.int64]) -> None:
    a = np.exp(1j * np.radians(degrees))  # y points down: clockwise
    turned = np.outer(marked @ [1, 1j] * a, [1, -1j]).real
    before, after = pose(marked.astype(float)), pose(turned)
    assert np.allclose(np.subtract(after, before), (0, 0, degrees))


def test_the_sides_of_pose_are_as_documented() -> None:
    assert np.allclose(pose(LANDMARKS), 0, atol=1e-6)
    right, up = LANDMARKS.copy(), LANDMARKS.copy()
    right[2, 0] += 8
    up[2, 1] -= 6
    assert pose(right)[0] > 15
    assert pose(up)[1] > 10


def test_inside_is_the_share_of_the_frame_that_the_photograph_holds(crop: Picture) -> None:
    whole = judge(crop, (0, 0, *SIZE), LANDMARKS, SIZE)
    half = judge(crop, (0, 0, *SIZE), LANDMARKS - [89, 0], SIZE)
    assert (whole.inside, half.inside) == (1.0, pytest.approx(0.5, abs=0.05))
    assert half.trust < whole.trust


def test_a_portrait_is_frontal_and_trusted(portrait: Picture, model: Model, detector: Detector) -> None:
    (face,) = analyze(portrait, model=model, detector=detector)
    found = face.quality
    assert found.yaw is not None and found.pitch is not None and found.roll is not None
    assert max(abs(found.yaw), abs(found.pitch), abs(found.roll)) < 15
    assert found.trust > 0.8
    assert found.sharpness > 0.5
    assert found.inside is not None and 0.8 < found.inside < 1  # the frame reaches above the photograph
    (again,) = analyze(portrait, model=model, detector=detector)
    assert again.quality == found


def test_to_json_has_the_columns_and_a_given_crop_no_pose(crop: Picture) -> None:
    found = json.loads(json.dumps(_judged(crop).to_json()))
    assert tuple(found) == COLUMNS
    assert {name for name, value in found.items() if value is None} == {"inside", "yaw", "pitch", "roll"}
    assert all(isinstance(found[name], float) for name in ("sharpness", "trust"))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_without_anything_has_figures_in_their_ranges_and_little_trust(level: int) -> None:
    found = _judged(np.full(FRAME, level, np.uint8))
    assert 0.05 <= found.sharpness <= 1
    assert (found.noise, found.contrast) == (0, 0)
    assert 0 <= found.trust < 0.3


def test_faces_below_min_quality_are_left_out(portrait_file: Path, model: Model) -> None:
    (face,) = analyze(portrait_file, model=model)
    least = face.quality.trust
    assert len(analyze(portrait_file, model=model, min_quality=least)) == 1
    assert analyze(portrait_file, model=model, min_quality=min(1.0, least + 0.001)) == []
    ((_, faces),) = analyze_many([portrait_file], model=model, min_quality=1.0)
    assert faces == []
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(UsageError, match="min_quality"):
            analyze_many([], model=model, min_quality=wrong)
