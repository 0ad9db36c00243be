"""A map that marks what the answers rest on loses them when it is hidden, and keeps them when it alone is shown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from facelocus.attributes import FRAME
from facelocus.metrics.faithfulness import hidden_and_shown, right_by_region

# Two regions of two attributes each: the first is told by the frame's upper half, the second by its lower half.
REGION_INDEX = np.array([0, 1, 0, 1])
HALF = np.full(4, 0.5)
CELLS = (12, 10)


def drawn(count: int = 40) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int8]]:
    """Frames whose halves are striped or plain, and labels that say which."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (count, 2)).astype(np.int8)
    frames = np.full((count, *FRAME), 128, np.uint8)
    for frame, (upper, lower) in zip(frames, labels, strict=True):
        frame[:100:4] += np.uint8(100 * upper)
        frame[120::4] += np.uint8(100 * lower)
    return frames, labels[:, [0, 1, 0, 1]]


def predict(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Stripes in the middle of each half, or none."""
    told = [frames[:, rows, 60:120].astype(float).std(axis=(1, 2, 3)) > 15 for rows in (slice(30, 70), slice(150, 190))]
    return np.stack([told[0], told[1], told[0], told[1]], axis=1) * 0.8 + 0.1


def maps(rows: tuple[slice, slice], count: int = 40) -> npt.NDArray[np.float64]:
    made = np.random.default_rng(1).random((count, 2, *CELLS)) / 10
    for region, at in enumerate(rows):
        made[:, region, at, 2:8] += 1
    return made


FAITHFUL = maps((slice(1, 5), slice(7, 12)))
SWAPPED = maps((slice(7, 12), slice(1, 5)))


def test_right_answers_are_counted_by_region_and_unknown_labels_left_out() -> None:
    labels = np.array([[1, 0, 0, -1], [-1, 1, -1, 1]], np.int8)
    probabilities = np.array([[0.9, 0.1, 0.9, 0.9], [0.9, 0.9, 0.1, 0.2]])
    right = right_by_region(labels, probabilities, HALF, REGION_INDEX)
    np.testing.assert_array_equal(right, [[0.5, 1.0], [np.nan, 0.5]])


def test_a_faithful_map_hidden_loses_the_answers_and_shown_alone_keeps_them() -> None:
    frames, labels = drawn()
    whole = right_by_region(labels, predict(frames), HALF, REGION_INDEX)
    assert (whole == 1).all()
    deleted, inserted = hidden_and_shown(predict, frames, labels, HALF, FAITHFUL, REGION_INDEX, "highest")
    assert deleted.mean() < 0.7 and inserted.mean() > 0.9
    deleted, inserted = hidden_and_shown(predict, frames, labels, HALF, FAITHFUL, REGION_INDEX, "lowest")
    assert deleted.mean() > 0.9 and inserted.mean() < 0.7


@pytest.mark.parametrize("how", ["blur", "grey"])
def test_a_map_of_the_other_region_loses_and_keeps_nothing(how: str) -> None:
    frames, labels = drawn()
    deleted, inserted = hidden_and_shown(predict, frames, labels, HALF, SWAPPED, REGION_INDEX, "highest", how)  # type: ignore[arg-type]
    assert deleted.mean() == 1 and inserted.mean() < 0.7


def test_a_random_fifth_is_the_same_for_a_seed_and_not_the_maps() -> None:
    frames, labels = drawn()
    same = [
        hidden_and_shown(predict, frames, labels, HALF, each, REGION_INDEX, "random")[1] for each in (FAITHFUL, SWAPPED)
    ]
    np.testing.assert_array_equal(*same)
    other = hidden_and_shown(predict, frames, labels, HALF, FAITHFUL, REGION_INDEX, "random", seed=1)[1]
    assert not np.array_equal(same[0], other)
