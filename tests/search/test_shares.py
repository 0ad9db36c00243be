"""Shares are counted and corrected so that their intervals hold what is true about as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from facelocus.attributes import CELEBA
from facelocus.library.store import About
from facelocus.search.shares import rogan_gladen, shares, wilson
from libraries import scores_of


def about(rates: dict[str, list[float]] | None) -> About:
    return About("m", "0" * 64, CELEBA, np.full(40, 0.5, np.float32), True, rates)


def test_a_share_is_counted_at_the_threshold() -> None:
    scores = scores_of([[{"Smiling": p}] for p in (0.2, 0.5, 0.7, 0.9)], others=0.1)
    found = {row.attribute: row for row in shares(scores, about(None))}
    assert found["Smiling"].counted.share == 0.75
    assert found["Bald"].counted.share == 0
    assert all(row.corrected is None for row in found.values())


def test_known_error_rates_are_taken_out() -> None:
    """300 of 1,000 have it; of these 80 % are seen, and 10 % of the others are taken for it."""
    scores = scores_of([[{"Bald": 0.9 if number < 310 else 0.1}] for number in range(1000)])
    perfect = {key: [value] * 40 for key, value in {"positives": 1e6, "negatives": 1e6}.items()}
    rates = {"sensitivity": [0.8] * 40, "specificity": [0.9] * 40} | perfect
    bald = next(row for row in shares(scores, about(rates)) if row.attribute == "Bald")
    assert bald.counted.share == pytest.approx(0.31)
    assert bald.corrected is not None
    assert bald.corrected.share == pytest.approx(0.3)
    assert bald.corrected.low < 0.3 < bald.corrected.high


@pytest.mark.parametrize(("share", "sensitivity", "specificity"), [(0.3, 0.8, 0.9), (0.05, 0.6, 0.97), (0.6, 0.9, 0.7)])
def test_intervals_hold_the_truth_nineteen_times_of_twenty(
    share: float, sensitivity: float, specificity: float
) -> None:
    chance = np.random.default_rng(0)
    positives, negatives, faces, rounds = 200, 800, 500, 2000
    held = 0
    for _ in range(rounds):
        has = chance.binomial(faces, share)
        yes = chance.binomial(has, sensitivity) + chance.binomial(faces - has, 1 - specificity)
        seen = chance.binomial(positives, sensitivity) / positives, chance.binomial(negatives, specificity) / negatives
        found = rogan_gladen(
            yes, faces, sensitivity=seen[0], specificity=seen[1], positives=positives, negatives=negatives
        )
        assert found is not None
        held += found.low <= share <= found.high
    assert 0.935 < held / rounds < 0.985


def test_a_model_no_better_than_chance_corrects_nothing() -> None:
    assert rogan_gladen(5, 10, sensitivity=0.5, specificity=0.5, positives=9, negatives=9) is None
    assert rogan_gladen(0, 0, sensitivity=0.9, specificity=0.9, positives=9, negatives=9) is None


def test_faces_with_fewer_yes_than_errors_alone_would_give_have_other_error_rates() -> None:
    rates = {"sensitivity": 0.9, "specificity": 0.8, "positives": 500, "negatives": 5000}
    assert rogan_gladen(20, 500, **rates) is None  # 100 are expected of faces that all have it not
    assert rogan_gladen(95, 500, **rates) is not None
    assert rogan_gladen(499, 500, **rates) is None  # and 450 of faces that all have it


def test_of_no_faces_nothing_is_known() -> None:
    nothing = wilson(0, 0)
    assert math.isnan(nothing.share) and (nothing.low, nothing.high) == (0, 1)
    assert wilson(0, 100).high == pytest.approx(0.037, abs=0.001)
