"""What the benchmark holds against the product is a joint probability, and finds dependence where there is some."""

from __future__ import annotations

import numpy as np
import pytest

from search_dependence import conditional, joint, log_odds_ratios, tree


def test_a_joint_probability_keeps_its_margins_and_its_odds_ratio() -> None:
    for p, q, ratio in [(0.3, 0.6, 4.0), (0.01, 0.9, 0.2), (0.5, 0.5, 1.0)]:
        both = p * float(conditional(np.array(p), np.array(q), ratio))
        first, second, neither = p - both, q - both, 1 - p - q + both
        assert min(both, first, second, neither) > 0
        assert both * neither / (first * second) == pytest.approx(ratio)


def test_what_is_the_same_under_three_names_counts_once() -> None:
    p = np.array([0.2, 0.5, 0.9])
    same = np.exp(np.full((3, 3), 25.0))
    assert joint([p, p, p], same) == pytest.approx(p, rel=1e-3)
    assert joint([p, p, p], np.ones((3, 3))) == pytest.approx(p**3)


def test_each_is_joined_to_what_it_depends_on_most() -> None:
    strength = np.array([[0, 1, 5, 0], [1, 0, 3, 2], [5, 3, 0, 0], [0, 2, 0, 0]], float)
    assert tree(strength) == [(0, 2), (2, 1), (1, 3)]


def test_dependence_is_found_where_it_is() -> None:
    chance = np.random.default_rng(0)
    p = chance.uniform(0.2, 0.8, (4000, 3))
    first = chance.random(4000) < p[:, 0]
    held = conditional(p[:, 0], p[:, 1], 6.0)
    second = chance.random(4000) < np.where(first, held, (p[:, 1] - p[:, 0] * held) / (1 - p[:, 0]))
    labels = np.stack([first, second, chance.random(4000) < p[:, 2]], axis=1).astype(np.int8)
    labels[::7, 2] = -1
    found = log_odds_ratios(labels, p)
    assert found[0, 1] == found[1, 0] == pytest.approx(np.log(6), abs=0.25)
    assert abs(found[2, :2]).max() < 0.25
