"""Calibration finds a distortion and takes it back; its error is a worked example's, and chance what labels show."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest

from facelocus.attributes import AttributeSet
from facelocus.metrics import choose_thresholds, measure
from facelocus.metrics.calibration import Calibration, calibration_error, chance, summarise_calibration


def sigmoid(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 1 / (1 + np.exp(-logits))


def drawn(count: int, seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """Return true probabilities of three attributes, the last rare, and labels drawn from them."""
    random = np.random.default_rng(seed)
    logits = random.normal([0, 1, -4], [2, 1, 1], (count, 3))
    return sigmoid(logits), (random.random((count, 3)) < sigmoid(logits)).astype(np.int8)


def test_a_known_distortion_is_found_and_taken_back() -> None:
    # Tenths of 1,000 faces each, of which exactly the share is yes that is meant.
    true = np.repeat((np.arange(10) + 0.5) / 10, 1000)
    labels = (np.tile(np.arange(1000), 10) < np.rint(1000 * true)).astype(np.int8)[:, None]
    logits = np.log(true / (1 - true))
    distorted = sigmoid(1.6 * logits + 0.8)[:, None]
    found = Calibration.fit(labels, distorted)
    assert found.slope == pytest.approx(1 / 1.6, abs=2e-3) and found.offset == pytest.approx(-0.5, abs=2e-3)
    np.testing.assert_allclose(found.apply(distorted)[:, 0], true, atol=1e-3)
    assert 100 * calibration_error(labels, distorted) > 5
    assert 100 * calibration_error(labels, found.apply(distorted)) < 0.1


def test_undoing_gives_back_what_was() -> None:
    probabilities, labels = drawn(500)
    calibration = Calibration.fit(labels, sigmoid(2 * np.log(probabilities / (1 - probabilities)) - 1))
    np.testing.assert_allclose(calibration.undo(calibration.apply(probabilities)), probabilities, atol=1e-9)
    again = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
    assert np.array_equal(again.apply(probabilities), calibration.apply(probabilities))


def test_means_become_the_rates_that_are_asked_for() -> None:
    probabilities, labels = drawn(2000)
    probabilities[:, 2] = np.where(labels[:, 2], 1, 0)  # sure of everything
    rates = np.array([0.9, 0.02, 0.3])
    found = Calibration.fit(labels, probabilities).to_rates(probabilities, rates)
    np.testing.assert_allclose(found.apply(probabilities).mean(axis=0), rates, atol=1e-6)


def test_a_calibrated_model_is_left_as_it_is() -> None:
    probabilities, labels = drawn(20_000)
    found = Calibration.fit(labels, probabilities)
    np.testing.assert_allclose(found.slope, 1, atol=0.1)
    np.testing.assert_allclose(found.offset, 0, atol=0.4)  # the rare one has 800 positives


def test_a_rare_attribute_cannot_blow_up() -> None:
    # Three positives, all above every negative: likelihood alone would make the slope infinite.
    probabilities = np.linspace(0.001, 0.2, 2000)[:, None]
    labels = (np.arange(2000) >= 1997).astype(np.int8)[:, None]
    found = Calibration.fit(labels, probabilities)
    assert 0.5 < found.slope[0] < 4 and abs(found.offset[0]) < 3
    none = Calibration.fit(np.zeros((2000, 1), np.int8), probabilities)
    assert (none.slope[0], none.offset[0]) == (1, 0)


def test_unknown_labels_count_nothing() -> None:
    probabilities, labels = drawn(1000)
    hidden = labels.copy()
    hidden[::3, 0] = -1
    seen = np.arange(1000) % 3 != 0
    one, other = Calibration.fit(hidden, probabilities), Calibration.fit(labels[seen], probabilities[seen])
    assert (one.slope[0], one.offset[0]) == pytest.approx((other.slope[0], other.offset[0]))
    assert calibration_error(hidden, probabilities)[0] == calibration_error(labels[seen], probabilities[seen])[0]


def test_no_face_at_all_changes_nothing() -> None:
    found = Calibration.fit(np.zeros((0, 3), np.int8), np.zeros((0, 3), np.float32))
    assert found.slope.tolist() == [1, 1, 1] and found.offset.tolist() == [0, 0, 0]


def test_sure_answers_stay_finite() -> None:
    probabilities = np.array([[0.0], [1.0], [0.0], [1.0]], np.float32)
    found = Calibration.fit(np.array([[0], [1], [1], [0]], np.int8), probabilities)
    assert np.isfinite(found.apply(probabilities)).all()


def test_order_and_so_average_precision_stay() -> None:
    probabilities, labels = drawn(800)
    calibrated = Calibration.fit(labels, probabilities**2).apply(probabilities**2)
    thresholds = {kind: np.full(3, 0.5) for kind in ("accuracy", "balanced")}
    before, after = (measure(labels, p, thresholds)["average_precision"] for p in (probabilities, calibrated))
    np.testing.assert_allclose(before, after, atol=1e-12)
    assert (choose_thresholds(labels, calibrated)["balanced"] > 0).all()


def test_the_error_of_a_worked_example() -> None:
    # Bins of a fifteenth: 0.01 and 0.05 share the first, 0.95 and 1 the last.
    probabilities = np.array([[0.01], [0.05], [0.5], [0.95], [1.0]])
    labels = np.array([[0], [1], [1], [1], [0]], np.int8)
    first, middle, last = abs(1 - 0.06), abs(1 - 0.5), abs(1 - 1.95)
    assert calibration_error(labels, probabilities) == pytest.approx((first + middle + last) / 5)
    assert np.isnan(calibration_error(np.full((5, 1), -1, np.int8), probabilities))


def test_chance_is_what_labels_of_a_calibrated_model_show() -> None:
    probabilities, labels = drawn(600)
    floor = chance(labels, probabilities)
    shown = np.mean([calibration_error(drawn_, probabilities) for drawn_ in redrawn(probabilities)], axis=0)
    np.testing.assert_allclose(floor, shown, rtol=0.1)
    assert np.array_equal(floor, chance(labels, probabilities))
    assert (chance(*reversed(drawn(6000))) < floor).all()  # more faces, less chance


def redrawn(probabilities: npt.NDArray[np.float64]) -> list[npt.NDArray[np.int8]]:
    random = np.random.default_rng(99)
    return [(random.random(probabilities.shape) < probabilities).astype(np.int8) for _ in range(200)]


def test_the_summary_is_in_percent_with_null_where_unknown() -> None:
    probabilities, labels = drawn(600)
    labels[:, 1] = -1
    three = AttributeSet.by_region({"face": ("Young", "Bald", "Hat")})
    got = json.loads(json.dumps(summarise_calibration(labels, probabilities, three), allow_nan=False))
    each = got["attributes"]
    assert each["Bald"] == {"error": None, "error_before": None, "chance": None}
    assert each["Young"]["error"] == pytest.approx(100 * calibration_error(labels, probabilities)[0], abs=1e-4)
    assert got["mean_error"] == pytest.approx((each["Young"]["error"] + each["Hat"]["error"]) / 2, abs=1e-3)
    assert got["mean_error_before"] is None and 0 < got["mean_chance"] < 10
    with_before = summarise_calibration(labels, probabilities, three, probabilities**2)
    assert with_before["mean_error_before"] > with_before["mean_error"]
