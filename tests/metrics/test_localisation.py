"""Masks whose answer is known: perfect, constant, shuffled, elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from facelocus.attributes import CELEBA
from facelocus.images.regions import region_maps
from facelocus.metrics.localisation import concentration, likeness, own_and_others, pointing

SIZE = (14, 11)
MAPS = region_maps(size=SIZE)
COUNT = len(CELEBA.regions)
QUARTERS = np.zeros((4, 4, 4), np.float32)  # regions that do not overlap, a quarter of the area each
for quarter in range(4):
    QUARTERS[quarter, 2 * (quarter // 2) : 2 * (quarter // 2) + 2, 2 * (quarter % 2) : 2 * (quarter % 2) + 2] = 1


def test_a_mask_that_is_its_region_has_all_of_its_mass_there() -> None:
    own, others = own_and_others(concentration(QUARTERS[None], QUARTERS))
    assert own == pytest.approx(np.full((1, 4), 4.0)) and others == pytest.approx(np.zeros((1, 4)))
    inside, chance = pointing(QUARTERS[None], QUARTERS)
    assert inside.all() and chance == pytest.approx(np.full(4, 0.25))


def test_a_constant_mask_scores_one_whatever_its_level() -> None:
    for level in (0.0, 0.3, 1.0):
        masks = np.full((2, COUNT, *SIZE), level, np.float32)
        assert (concentration(masks, MAPS) == 1).all()


def test_shuffled_masks_score_what_the_others_do() -> None:
    rng = np.random.default_rng(0)
    masks = MAPS[None] + rng.random((6, COUNT, *SIZE), dtype=np.float32) / 5
    own, others = own_and_others(concentration(masks, MAPS))
    shifts = [own_and_others(concentration(np.roll(masks, by, axis=1), MAPS))[0] for by in range(1, COUNT)]
    assert np.mean(shifts, axis=0) == pytest.approx(others)
    assert (own > others).all()


def test_level_and_scale_of_a_mask_do_not_count() -> None:
    masks = np.random.default_rng(1).random((3, COUNT, *SIZE))
    np.testing.assert_allclose(concentration(0.2 + 0.1 * masks, MAPS), concentration(masks, MAPS))


def test_a_mask_elsewhere_scores_less_than_one_and_points_elsewhere() -> None:
    inverted = 1 - QUARTERS[None]
    own, others = own_and_others(concentration(inverted, QUARTERS))
    assert own == pytest.approx(np.zeros((1, 4))) and others == pytest.approx(np.full((1, 4), 4 / 3))
    assert not pointing(inverted, QUARTERS)[0].any()


def test_likeness_of_equal_opposite_and_independent_masks() -> None:
    one = np.random.default_rng(2).random((1, 1, *SIZE))
    assert likeness(np.repeat(one, 3, axis=1)) == pytest.approx([1.0])
    assert likeness(np.concatenate([one, 1 - one], axis=1)) == pytest.approx([-1.0])
    apart = np.random.default_rng(3).random((200, 3, *SIZE))
    assert abs(likeness(apart).mean()) < 0.02
    assert likeness(np.ones((1, 3, *SIZE))) == pytest.approx([0.0])
