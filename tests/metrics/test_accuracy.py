"""Scores of each attribute against their plain definitions."""

from __future__ import annotations

import numpy as np
import pytest

from facelocus.metrics import Confusion, average_precision, measure
from facelocus.metrics.accuracy import METRICS, mean_over_attributes


def drawn(seed: int, count: int = 60, attributes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Labels with unknowns, and probabilities with many ties."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([1, 0, -1], (count, attributes), p=[0.3, 0.5, 0.2]).astype(np.int8)
    probabilities = (rng.integers(0, 9, (count, attributes)) / 8).astype(np.float32)
    return labels, probabilities


def plain_average_precision(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Step by step over distinct probabilities, high to low: precision x increase of recall."""
    pairs = [(p, y) for p, y in zip(probabilities, labels, strict=True) if y != -1]
    positives = sum(y == 1 for _, y in pairs)
    total, recall_before = 0.0, 0.0
    for threshold in sorted({p for p, _ in pairs}, reverse=True):
        called = [y for p, y in pairs if p >= threshold]
        hits = sum(y == 1 for y in called)
        total += hits / len(called) * (hits / positives - recall_before)
        recall_before = hits / positives
    return total


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_the_step_wise_sum_with_ties_together(seed: int) -> None:
    labels, probabilities = drawn(seed)
    wanted = [plain_average_precision(labels[:, a], probabilities[:, a]) for a in range(5)]
    np.testing.assert_allclose(average_precision(labels, probabilities), wanted, rtol=1e-12)


def test_average_precision_does_not_depend_on_the_order_of_faces() -> None:
    labels, probabilities = drawn(1)
    turned = average_precision(labels[::-1], probabilities[::-1])
    np.testing.assert_allclose(turned, average_precision(labels, probabilities), rtol=1e-12)


def test_a_known_average_precision() -> None:
    labels = np.array([[1], [0], [1], [0]], dtype=np.int8)
    probabilities = np.array([[0.9], [0.8], [0.7], [0.1]])
    assert average_precision(labels, probabilities)[0] == pytest.approx((1 + 2 / 3) / 2)


def test_counts_give_accuracy_balanced_accuracy_and_f1_as_defined() -> None:
    labels, probabilities = drawn(3)
    thresholds = np.array([0.25, 0.5, 0.5, 0.75, 0.9])
    got = Confusion.count(labels, probabilities, thresholds)
    for a in range(5):
        known = [
            (p >= thresholds[a], y == 1) for p, y in zip(probabilities[:, a], labels[:, a], strict=True) if y != -1
        ]
        tp = sum(said and is_so for said, is_so in known)
        tn = sum(not said and not is_so for said, is_so in known)
        fp = sum(said and not is_so for said, is_so in known)
        fn = sum(not said and is_so for said, is_so in known)
        assert got.accuracy[a] == pytest.approx((tp + tn) / len(known))
        assert got.balanced_accuracy[a] == pytest.approx((tp / (tp + fn) + tn / (tn + fp)) / 2)
        assert got.f1[a] == pytest.approx(2 * tp / (2 * tp + fp + fn))


def test_each_score_is_taken_at_its_own_thresholds() -> None:
    labels = np.array([[1], [1], [0], [0]], dtype=np.int8)
    probabilities = np.array([[0.9], [0.2], [0.4], [0.1]], dtype=np.float32)
    found = measure(labels, probabilities, {"accuracy": np.array([0.95]), "balanced": np.array([0.15])})
    assert list(found) == list(METRICS)
    assert found["accuracy"][0] == 0.5
    assert found["f1"][0] == 0.0
    assert found["balanced_accuracy"][0] == 0.75
    assert found["accuracy_at_half"][0] == 0.75
    assert found["balanced_accuracy_at_half"][0] == 0.75


def test_a_probability_at_the_threshold_is_a_yes() -> None:
    assert Confusion.count(np.array([[1]]), np.array([[0.5]]), 0.5).true_positives[0] == 1


def test_undefined_scores_are_nan_and_left_out_of_means() -> None:
    labels = np.array([[1, 0, -1, 1], [0, 0, -1, 1]], dtype=np.int8)  # mixed, no positive, nothing known, no negative
    probabilities = np.full((2, 4), 0.9)
    half = np.full(4, 0.5)
    found = measure(labels, probabilities, {"accuracy": half, "balanced": half})
    np.testing.assert_array_equal(np.isnan(found["accuracy"]), [False, False, True, False])
    np.testing.assert_array_equal(np.isnan(found["balanced_accuracy"]), [False, True, True, True])
    np.testing.assert_array_equal(np.isnan(found["f1"]), [False, True, True, False])
    np.testing.assert_array_equal(np.isnan(found["average_precision"]), [False, True, True, False])
    assert mean_over_attributes(found["accuracy"]) == pytest.approx((0.5 + 0 + 1) / 3)
    assert np.isnan(mean_over_attributes(np.array([np.nan])))


def test_rates_and_what_they_rest_on() -> None:
    labels = np.array([[1, 1, 0], [1, 0, 0], [0, -1, 0], [1, 1, 0]], dtype=np.int8)
    probabilities = np.array([[0.9, 0.2, 0.1], [0.4, 0.6, 0.1], [0.2, 0.9, 0.7], [0.5, 0.8, 0.1]])
    rates = Confusion.count(labels, probabilities, 0.5).to_rates()
    assert rates["positives"] == [3, 2, 0] and rates["negatives"] == [1, 1, 4]
    assert rates["sensitivity"] == pytest.approx([2 / 3, 1 / 2, 1 / 2])  # the last is not known
    assert rates["specificity"] == pytest.approx([1, 0, 3 / 4])
