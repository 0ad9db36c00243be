"""What makes a table unfit for training though every list in it can be read: its rows, all of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facelocus.data.table import FaceTable


def missing(table: FaceTable) -> npt.NDArray[np.int64]:
    """Return the rows whose picture does not exist, ascending, int64."""
    return np.flatnonzero(table.images.stamps(table.names) < 0).astype(np.int64, copy=False)


def crossing_people(table: FaceTable) -> npt.NDArray[np.int64]:
    """Return the rows whose person is in another split at its first row, ascending, int64; none where people are None.

    Every person who is in more than one split has such a row.
    """
    if table.people is None:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(table.splits != table.splits[first_rows(table.people)]).astype(np.int64, copy=False)


def first_rows(people: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return for each row the first row of the same person, int64, N."""
    _, first, of = np.unique(people, return_index=True, return_inverse=True)
    return first[of].astype(np.int64, copy=False)
