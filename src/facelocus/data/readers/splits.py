"""The splits that a source does not have, made once: by person, seeded, the same wherever they are made again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facelocus.data.table import SPLITS

#: How sources write the three splits.
SPLIT_WORDS = {"train": 0, "validation": 1, "valid": 1, "val": 1, "test": 2}

SEED = 0
_PERCENT = 15  # of the rows of train, in each split that is made


def complete(
    given: npt.NDArray[np.int8] | None, groups: npt.NDArray[np.int64], keys: Sequence[str], by: str
) -> tuple[npt.NDArray[np.int8], str]:
    """Take the splits that are missing out of train, 15 % of its rows each.

    A group is never divided. Groups are ordered by a hash of seed and key: the order of rows plays no part.

    Args:
        given: int8, N: index into SPLITS; None where the source says nothing, which is all train.
        groups: int64, N: the group of each row, below len(keys).
        keys: what each group is known by, distinct.
        by: what a group is, for the line that is returned: "person" or "picture".

    Returns:
        int8, N, and how the rows were split, for a description. With nothing left to make, or without train,
        the splits are returned as they are.
    """
    splits = np.zeros(groups.size, np.int8) if given is None else given.copy()
    present = set(np.unique(splits).tolist())
    wanted = [split for split in (1, 2) if split not in present] if 0 in present else []
    if not wanted:
        return splits, "split as listed"
    pool = np.flatnonzero(splits == 0)
    sizes = np.bincount(groups[pool], minlength=len(keys))
    drawn = sorted(np.flatnonzero(sizes).tolist(), key=lambda group: _hash(keys[group]))
    ends = np.cumsum(sizes[drawn])
    of_group = np.zeros(len(keys), np.int8)
    cut = 0
    for left, split in zip(range(len(wanted), 0, -1), wanted, strict=True):
        # Where the rows end nearest to their share; while groups suffice, with one group at least in each split.
        share = 1 - left * _PERCENT / 100
        nearest = int(np.abs(ends - share * pool.size).argmin()) + 1
        cut = max(min(nearest, len(drawn) - left), cut + 1)
        of_group[drawn[cut:]] = split
    splits[pool] = of_group[groups[pool]]
    if len(wanted) == 2:
        return splits, f"split by {by}, {100 - 2 * _PERCENT}/{_PERCENT}/{_PERCENT}, seed {SEED}"
    return splits, f"{SPLITS[wanted[0]]} split from train by {by}, {_PERCENT} %, seed {SEED}"


def together(*codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return groups of rows that are connected by an equal code in any of `codes`, int64, N, each its first row."""
    groups = np.arange(codes[0].size, dtype=np.int64)
    while True:
        before = groups
        for code in codes:
            least = np.full(int(code.max()) + 1, groups.size, dtype=np.int64)
            np.minimum.at(least, code, groups)
            groups = least[code]
        if np.array_equal(groups, before):
            return groups


def _hash(key: str) -> bytes:
    return hashlib.sha256(f"{SEED}\n{key}".encode("utf-8", "surrogatepass")).digest()
