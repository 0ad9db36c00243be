"""Splits made here depend on seed and key alone, divide no group and leave alone what is given."""

from __future__ import annotations

import numpy as np
import pytest

from facelocus.data.readers.splits import complete, together


def of(sizes: list[int]) -> tuple[np.ndarray, list[str]]:
    """Return groups of these sizes, and their keys."""
    return np.repeat(np.arange(len(sizes)), sizes), [f"key {number}" for number in range(len(sizes))]


@pytest.mark.parametrize("count", [3, 4, 5, 20, 1000])
def test_shares_are_exact_and_no_split_is_empty(count: int) -> None:
    splits, made = complete(None, *of([1] * count), "person")
    counts = np.bincount(splits, minlength=3)
    assert counts.min() >= 1
    assert np.abs(counts - np.array([0.7, 0.15, 0.15]) * count).max() <= 1.2
    assert made == "split by person, 70/15/15, seed 0"


@pytest.mark.parametrize("sizes", [[1, 1000, 1], [1000, 1, 1], [1, 1, 1000], [500, 500, 500]])
def test_groups_stay_whole_whatever_their_sizes(sizes: list[int]) -> None:
    groups, keys = of(sizes)
    splits, _ = complete(None, groups, keys, "person")
    assert set(splits.tolist()) == {0, 1, 2}
    assert len(set(zip(groups.tolist(), splits.tolist(), strict=True))) == len(sizes)


def test_fewer_groups_than_splits_go_to_train_first() -> None:
    assert complete(None, *of([4]), "person")[0].tolist() == [0] * 4
    assert set(complete(None, *of([4, 4]), "person")[0].tolist()) == {0, 1}


def test_the_order_of_rows_plays_no_part() -> None:
    groups, keys = of([3] * 50)
    splits, _ = complete(None, groups, keys, "person")
    order = np.random.default_rng(0).permutation(groups.size)
    np.testing.assert_array_equal(complete(None, groups[order], keys, "person")[0], splits[order])


def test_splits_stay_as_they_have_been() -> None:
    splits, _ = complete(None, *of([1] * 12), "picture")
    assert splits.tolist() == [2, 1, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("given", "made", "words"),
    [
        ([0, 2], {1}, "validation split from train by person, 15 %, seed 0"),
        ([0, 1], {2}, "test split from train by person, 15 %, seed 0"),
        ([0], {1, 2}, "split by person, 70/15/15, seed 0"),
        ([0, 1, 2], set(), "split as listed"),
        ([2], set(), "split as listed"),
        ([1, 2], set(), "split as listed"),
    ],
)
def test_only_what_is_missing_is_taken_from_train(given: list[int], made: set[int], words: str) -> None:
    groups, keys = of([1] * 120)
    before = np.resize(np.array(given, np.int8), 120)
    splits, said = complete(before, groups, keys, "person")
    assert said == words
    assert set(splits[before == 0].tolist()) - {0} == made
    np.testing.assert_array_equal(splits[before != 0], before[before != 0])
    for split in made:
        assert np.count_nonzero(splits == split) == round(0.15 * np.count_nonzero(before == 0))


def test_rows_connected_by_any_code_are_together() -> None:
    people = np.array([0, 1, 2, 3, 3, 4])
    pictures = np.array([0, 0, 1, 1, 2, 3])
    assert together(people, pictures).tolist() == [0, 0, 2, 2, 2, 5]
