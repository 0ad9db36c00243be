"""The bootstrap over people."""

from __future__ import annotations

import numpy as np
import pytest

from facelocus.metrics import interval, intervals, measure, resample
from facelocus.metrics.intervals import resample_means


def drawn(count: int = 300, attributes: int = 3, each: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities with ties, and people with `each` pictures whose labels and errors are alike."""
    rng = np.random.default_rng(5)
    people = np.repeat(np.arange(count // each), each)
    labels = rng.integers(0, 2, (count // each, attributes)).repeat(each, axis=0).astype(np.int8)
    wrong = (rng.random((count // each, attributes)) < 0.2).repeat(each, axis=0)
    labels[rng.random(labels.shape) < 0.05] = -1
    probabilities = np.where(wrong, 1 - (labels == 1), labels == 1) * 0.5 + rng.integers(0, 6, labels.shape) / 10
    return labels, probabilities.astype(np.float32), people * 7 + 3


HALF = {"accuracy": np.full(3, 0.5), "balanced": np.full(3, 0.4)}


def test_a_resample_is_the_scores_of_the_faces_repeated_as_drawn() -> None:
    labels, probabilities, people = drawn()
    got = resample(labels, probabilities, HALF, people, resamples=20, seed=3)
    group = np.unique(people, return_inverse=True)[1]
    weights = next(intervals.draw_people(75, 20, 3, 20))
    assert (weights.sum(axis=0) == 75).all()
    for i in range(20):
        rows = np.repeat(np.arange(300), weights[group, i].astype(int))
        wanted = measure(labels[rows], probabilities[rows], HALF)
        for metric, values in wanted.items():
            np.testing.assert_allclose(got[metric][i], values, rtol=1e-6, err_msg=metric)


def test_means_are_those_of_the_faces_repeated_as_drawn() -> None:
    _, _, people = drawn()
    values = np.random.default_rng(1).random((300, 2))
    got = resample_means(values, people, resamples=20, seed=3)
    group = np.unique(people, return_inverse=True)[1]
    weights = next(intervals.draw_people(75, 20, 3, 20))
    for i in range(20):
        rows = np.repeat(np.arange(300), weights[group, i].astype(int))
        np.testing.assert_allclose(got[i], values[rows].mean(axis=0))


def test_equal_arguments_give_equal_numbers_and_another_seed_others() -> None:
    labels, probabilities, people = drawn()
    once, twice = (resample(labels, probabilities, HALF, people, resamples=30) for _ in range(2))
    other = resample(labels, probabilities, HALF, people, resamples=30, seed=1)
    for metric in once:
        np.testing.assert_array_equal(once[metric], twice[metric])
        assert (once[metric] != other[metric]).any()


def test_resamples_in_parts_all_count(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, probabilities, people = drawn()
    monkeypatch.setattr(intervals, "_AT_ONCE", 300 * 7)
    assert resample(labels, probabilities, HALF, people, resamples=30)["f1"].shape == (30, 3)


def test_the_interval_of_an_accuracy_is_the_binomial_one() -> None:
    rng = np.random.default_rng(0)
    labels = np.ones((2_000, 1), dtype=np.int8)
    probabilities = (rng.random((2_000, 1)) < 0.9).astype(np.float32)
    half = {"accuracy": np.array([0.5]), "balanced": np.array([0.5])}
    low, high = interval(resample(labels, probabilities, half)["accuracy"][:, 0])
    wanted = 2 * 1.96 * np.sqrt(0.9 * 0.1 / 2_000)
    assert high - low == pytest.approx(wanted, rel=0.1)
    assert low < probabilities.mean() < high


def test_pictures_of_one_person_do_not_count_as_independent() -> None:
    labels, probabilities, people = drawn(count=1_200)
    over_people = resample(labels, probabilities, HALF, people, resamples=300)["accuracy"]
    over_images = resample(labels, probabilities, HALF, None, resamples=300)["accuracy"]
    assert (over_people.std(axis=0) > 1.4 * over_images.std(axis=0)).all()


def test_an_interval_leaves_out_what_is_undefined() -> None:
    values = np.array([np.nan, *np.linspace(0, 1, 1_001)])
    assert interval(values) == pytest.approx((0.025, 0.975))
    assert np.isnan(interval(np.array([np.nan, np.nan]))).all()
