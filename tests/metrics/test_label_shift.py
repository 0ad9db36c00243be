"""Rates follow training where annotators disagree, and stay where only the people differ."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from facelocus.metrics.label_shift import LabelShift


def labelled(
    people: int, rates: npt.NDArray[np.float64], seed: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """Return labels of four alike pictures a person, and whose they are."""
    yes = np.random.default_rng(seed).random((people, len(rates))) < rates
    return np.repeat(yes, 4, axis=0).astype(np.int8), np.repeat(np.arange(people), 4)


TWENTY = np.linspace(0.1, 0.9, 20)


def test_where_annotators_disagree_training_is_followed() -> None:
    other = TWENTY.copy()
    other[3] = 0.6  # of 0.226
    (training, whose), (validation, others) = labelled(3000, TWENTY, 0), labelled(800, other, 1)
    rates = validation.mean(axis=0)
    expected = LabelShift.measure(training, validation, whose, others).expected(rates)
    assert abs(expected[3] - 0.226) < 0.05
    assert np.abs(np.delete(expected, 3) - np.delete(TWENTY, 3)).max() < 0.06


def test_where_only_people_differ_rates_stay() -> None:
    found = []
    for seed in range(10):
        (training, whose), (validation, others) = labelled(900, TWENTY, seed), labelled(100, TWENTY, 100 + seed)
        rates = validation.mean(axis=0)
        moved = LabelShift.measure(training, validation, whose, others).expected(rates) - rates
        found.append(np.abs(moved).mean() / np.abs(training.mean(axis=0) - rates).mean())
    assert np.mean(found) < 0.25  # of the way to training


def test_noise_is_over_people() -> None:
    (training, whose), (validation, others) = labelled(3000, TWENTY, 0), labelled(100, TWENTY, 1)
    over_people = LabelShift.measure(training, validation, whose, others).noise
    over_faces = LabelShift.measure(training, validation).noise
    assert over_people.mean() == pytest.approx(2 * over_faces.mean(), rel=0.1)  # four alike pictures are one


def test_what_has_no_label_keeps_its_rate() -> None:
    training, validation = labelled(200, TWENTY, 0)[0], labelled(100, 1 - TWENTY, 1)[0]
    validation[:, 0] = -1
    rates = 1 - TWENTY
    expected = LabelShift.measure(training, validation).expected(rates)
    assert expected[0] == pytest.approx(rates[0])
    assert np.abs(expected[1:] - TWENTY[1:]).max() < 0.15  # annotators who say the contrary
    assert LabelShift.measure(training, validation[:0]).expected(rates) == pytest.approx(rates)


def test_a_few_faces_without_a_yes_say_little() -> None:
    rates = np.full(20, 0.05)
    training, validation = labelled(2000, rates, 0)[0], np.zeros((20, 20), np.int8)
    expected = LabelShift.measure(training, validation).expected(np.full(20, 0.02))
    assert expected == pytest.approx(np.full(20, 0.02), abs=0.01)
