"""What is alike comes first, and what few have says more than what most have."""

from __future__ import annotations

import numpy as np
import pytest

from facelocus.attributes import CELEBA
from facelocus.search.similar import agreement, most_alike, profile_of, shares_of
from libraries import scores_of


def test_the_order_is_that_of_the_sum_over_attributes() -> None:
    chance = np.random.default_rng(0)
    pictures = [
        [dict(zip(CELEBA.names, chance.beta(0.4, 0.8, 40), strict=True)) for _ in range(chance.integers(0, 4))]
        for _ in range(60)
    ]
    scores = scores_of(pictures)
    count = len(scores.faces)
    profile, shares = profile_of(scores, 7), shares_of(scores)
    table = np.array([profile_of(scores, row) for row in range(count)])
    expected = agreement(profile, table, shares).sum(axis=1)
    rows, alike = most_alike(scores, profile, 10)
    assert alike == pytest.approx(expected[rows], abs=1e-3)
    best = np.array([expected[slice(*scores.starts[p : p + 2])].max(initial=-np.inf) for p in range(60)])
    assert alike == pytest.approx(np.sort(best)[::-1][:10], abs=1e-3)


def test_what_few_have_says_more() -> None:
    rare, common, differ = (
        float(agreement(np.array(p), np.array(q), np.array(share)))
        for p, q, share in [(0.99, 0.99, 0.05), (0.99, 0.99, 0.9), (0.99, 0.01, 0.5)]
    )
    assert rare > common > 0 > differ


def test_no_faces_are_like_nothing() -> None:
    rows, alike = most_alike(scores_of([[]]), np.full(40, 0.5), 3)
    assert len(rows) == len(alike) == 0
