"""Thresholds chosen on validation faces."""

from __future__ import annotations

import numpy as np
import pytest

from facelocus.metrics import Confusion, choose_thresholds


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def faces(seed: int, share: float, count: int = 6_674) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and the logits of a calibrated predictor of them; `share` moves how many are positive."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(1.3 * np.log(share / (1 - share)), 3, (count, 8))
    return (rng.random((count, 8)) < sigmoid(logits)).astype(np.int8), logits


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_noise_alone_hardly_moves_the_accuracy_threshold_from_a_half(share: float) -> None:
    labels, logits = faces(0, share)
    chosen = choose_thresholds(labels, sigmoid(logits))["accuracy"]
    fresh, fresh_logits = faces(1, share, 200_000)
    fresh_p = sigmoid(fresh_logits)
    lost = Confusion.count(fresh, fresh_p, 0.5).accuracy - Confusion.count(fresh, fresh_p, chosen).accuracy
    assert lost.mean() < 0.0002


@pytest.mark.parametrize("shift", [-1.5, 1.5])
def test_a_biased_predictor_is_set_right(shift: float) -> None:
    labels, logits = faces(2, 0.4)
    biased = sigmoid(logits + shift)
    chosen = choose_thresholds(labels, biased)["accuracy"]
    assert np.abs(np.log(chosen / (1 - chosen)) - shift).max() < 0.7
    gained = Confusion.count(labels, biased, chosen).accuracy - Confusion.count(labels, biased, 0.5).accuracy
    assert gained.min() > 0.01


def test_the_balanced_threshold_lies_at_the_share_of_positives() -> None:
    labels, logits = faces(3, 0.1)
    chosen = choose_thresholds(labels, sigmoid(logits))["balanced"]
    share = labels.mean(axis=0)
    assert np.abs(np.log(chosen / (1 - chosen)) - np.log(share / (1 - share))).max() < 0.6


def test_each_attribute_has_its_own_thresholds_and_unknown_labels_count_for_nothing() -> None:
    labels, logits = faces(4, 0.3, 3_000)
    logits[:, 0] += 2
    whole = choose_thresholds(labels[:2_000], sigmoid(logits[:2_000]))
    labels[2_000:] = -1
    again = choose_thresholds(labels, sigmoid(logits))
    for kind in ("accuracy", "balanced"):
        np.testing.assert_array_equal(whole[kind], again[kind])
        assert whole[kind].shape == (8,) and whole[kind].dtype == np.float32
        assert whole[kind][0] > whole[kind][1:].max()


def test_without_positives_or_negatives_the_threshold_is_a_half() -> None:
    labels = np.array([[0, 1, -1]] * 10, dtype=np.int8)
    for values in choose_thresholds(labels, np.full((10, 3), 0.9)).values():
        np.testing.assert_array_equal(values, [0.5, 0.5, 0.5])


def test_saturated_and_separate_probabilities_stay_separated() -> None:
    labels = np.array([[1], [0]] * 50, dtype=np.int8)
    probabilities = np.where(labels == 1, 1.0, 0.0)
    for threshold in choose_thresholds(labels, probabilities).values():
        assert Confusion.count(labels, probabilities, threshold).accuracy[0] == 1
