"""Parts are of the size asked for and where the map is highest; what is hidden is gone, the rest is as it was."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from facelocus.attributes import FRAME
from facelocus.images.hide import cover, hide, parts
from faces import draw_face

SIZE = FRAME[:2]


def test_parts_are_the_highest_share() -> None:
    ranks = np.zeros((2, 14, 11))
    ranks[0, :7], ranks[1, :, 6:] = 1, 1
    chosen = parts(ranks, 0.2, SIZE)
    assert chosen.shape == (2, *SIZE)
    assert chosen.mean(axis=(1, 2)) == pytest.approx([0.2, 0.2], abs=1e-4)
    assert not chosen[0, 120:].any() and not chosen[1, :, :85].any()


def test_highest_and_lowest_do_not_meet() -> None:
    ranks = np.random.default_rng(0).random((3, 12, 10))
    assert not (parts(ranks, 0.2, SIZE) & parts(-ranks, 0.2, SIZE)).any()


@pytest.mark.parametrize("how", ["blur", "grey"])
def test_what_is_hidden_is_gone_and_the_rest_stays(how: Literal["blur", "grey"]) -> None:
    frames = np.stack([draw_face(seed) for seed in range(2)])
    where = np.zeros((2, *SIZE), bool)
    where[:, 100:130, 60:120] = True
    hidden = hide(frames, where, cover(frames, how))
    np.testing.assert_array_equal(hidden[~where], frames[~where])
    before, after = (picture[:, 100:130, 60:120].std(axis=(1, 2)).mean() for picture in (frames, hidden))
    assert after < before / 2
    assert frames.dtype == hidden.dtype
