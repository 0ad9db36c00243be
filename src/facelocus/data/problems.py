"""What can be wrong with labelled faces: each rule with its severity, its meaning and its mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from facelocus.attributes import FRAME
from facelocus.data.consistency import crossing_people, missing
from facelocus.data.pictures import Pictures
from facelocus.data.table import SPLITS, FaceTable

Severity = Literal["error", "warning"]

#: Fewest yes and fewest no of an attribute that a split needs, and what fewer mean there.
LEAST = {
    "train": (20, "there is little to learn from"),
    "validation": (10, "the threshold chosen there is mostly chance"),
    "test": (10, "the score measured there is mostly chance"),
}
#: Share of validation or of test up to which pictures from another split are bearable: a score moves by less.
BEARABLE = 0.001
#: Fewest rows to train on: a batch.
BATCH = 32
_EMPTY: dict[str, tuple[Severity, str]] = {
    "train": ("error", "there is nothing to learn from"),
    "validation": ("error", "thresholds are chosen there"),
    "test": ("warning", "the result cannot be measured"),
}


@dataclass(frozen=True)
class Item:
    """One finding: the names that belong together in it (pictures, attributes or splits), and what is known of them."""

    names: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Problem:
    """Everything found of one kind.

    Attributes:
        kind: a short fixed name.
        severity: "error" where training would fail or be wrong, else "warning".
        message: what it means and the mend, one line.
        items: all findings, at least one.
    """

    kind: str
    severity: Severity
    message: str
    items: tuple[Item, ...]


def find_problems(table: FaceTable, pictures: Pictures, taken: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return what is wrong with a table whose pictures have been read, errors first.

    `taken` are names that no attribute should have, each with what it names already.
    """
    found = [
        *_of_files(table, pictures),
        *_of_content(table, pictures),
        *_of_people(table),
        *_of_splits(table),
        *_of_labels(table),
        *_of_names(table, taken),
    ]
    return tuple(sorted((problem for problem in found if problem.items), key=lambda problem: problem.severity))


def label_counts(table: FaceTable, split: str) -> dict[int, npt.NDArray[np.int64]]:
    """Return how many rows of a split are labelled 1, 0 and -1 (unknown), for each attribute: int64, A, by label."""
    labels = table.labels[table.splits == SPLITS.index(split)]
    return {label: np.count_nonzero(labels == label, axis=0) for label in (1, 0, -1)}


def _of_files(table: FaceTable, pictures: Pictures) -> Iterator[Problem]:
    gone = tuple(Item((table.names[row],), table.place(row)) for row in missing(table).tolist())
    yield Problem("missing", "error", "there is no such picture: restore the file or take out the row", gone)
    broken = tuple(Item((pictures.names[picture],), reason) for picture, reason in pictures.broken.items())
    yield Problem("broken", "error", "the picture cannot be decoded: restore the file or take out the row", broken)
    if table.aligned:
        height, width, _ = FRAME
        other = np.flatnonzero((pictures.sizes != (width, height)).any(axis=1) & pictures.usable)
        sizes = tuple(
            Item((pictures.names[picture],), "{} x {}".format(*pictures.sizes[picture])) for picture in other.tolist()
        )
        yield Problem("size", "error", f"an aligned face is {width} x {height} pixels: use the aligned images", sizes)


def _of_content(table: FaceTable, pictures: Pictures) -> Iterator[Problem]:
    """Compare rows whose pictures have the same pixels, whether they share a file or not."""
    across: list[Item] = []
    within: list[Item] = []
    contradicting: list[Item] = []
    leaked = np.zeros(len(SPLITS))
    for rows in _together(pictures.content[pictures.of_row]):
        names = tuple(table.names[row] for row in rows)
        several = bool((table.splits[rows] != table.splits[rows[0]]).any())
        (across if several else within).append(Item(names, ", ".join(_split_and_line(table, row) for row in rows)))
        leaked += several * np.bincount(table.splits[rows], minlength=len(SPLITS))
        labels = table.labels[rows]
        if (unlike := (labels == 1).any(axis=0) & (labels == 0).any(axis=0)).any():
            attributes = (table.attributes.names[column] for column in np.flatnonzero(unlike))
            contradicting.append(Item(names, ", ".join(attributes)))
    message = "scores would be too good: keep each picture in one split"
    share = leaked / np.maximum(1, np.bincount(table.splits, minlength=len(SPLITS)))
    severity: Severity = "error" if (share[1:] > BEARABLE).any() else "warning"
    yield Problem("duplicates across splits", severity, message, tuple(across))
    message = "the picture weighs as often as it is listed: keep one row"
    yield Problem("duplicates in a split", "warning", message, tuple(within))
    message = "the same picture is labelled yes and no: correct a row"
    yield Problem("contradicting labels", "warning", message, tuple(contradicting))


def _together(codes: npt.NDArray[np.integer[Any]]) -> list[npt.NDArray[np.int64]]:
    """Return the rows of each code that several rows have, in the order of their first rows; codes below 0 are none."""
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    groups = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    return sorted((rows for rows in groups if rows.size > 1), key=lambda rows: int(rows[0]))


def _split_and_line(table: FaceTable, row: int) -> str:
    split = SPLITS[table.splits[row]]
    return split if table.lines is None else f"{split} {table.unit} {table.lines[row]}"


def _of_people(table: FaceTable) -> Iterator[Problem]:
    if table.people is None:
        return
    items = []
    crossing = np.isin(table.people, table.people[crossing_people(table)])
    for rows in _together(np.where(crossing, table.people, -1)):
        splits, first, count = np.unique(table.splits[rows], return_index=True, return_counts=True)
        counts = ", ".join(f"{number:,} in {SPLITS[split]}" for split, number in zip(splits, count, strict=True))
        names = tuple(table.names[row] for row in rows[first])
        items.append(Item(names, f"person {table.people[rows[0]]}: {counts}"))
    message = "scores would be too good: keep each person in one split"
    yield Problem("people across splits", "error", message, tuple(items))


def _of_splits(table: FaceTable) -> Iterator[Problem]:
    counts = np.bincount(table.splits, minlength=len(SPLITS)).tolist()
    for split, count in zip(SPLITS, counts, strict=True):
        severity, reason = _EMPTY[split]
        if count == 0:
            yield Problem(f"no {split} rows", severity, f"{reason}: put rows into it", (Item((split,), "no rows"),))
    if 0 < counts[0] < BATCH:
        items = (Item((SPLITS[0],), f"{counts[0]} rows"),)
        yield Problem("few train rows", "warning", f"fewer than a batch of {BATCH}: label more pictures", items)


def _of_labels(table: FaceTable) -> Iterator[Problem]:
    for split, (least, meaning) in LEAST.items():
        if not (table.splits == SPLITS.index(split)).any():
            continue
        counts = label_counts(table, split)
        fewest = np.minimum(counts[1], counts[0])
        few = fewest < least
        if split == "train":
            message = "always yes, always no or always unknown, so it cannot be learnt: label more pictures or drop it"
            yield Problem("constant in train", "error", message, _attribute_items(table, counts, fewest == 0))
            few &= fewest > 0
        message = f"fewer than {least} yes or {least} no, {meaning}: label more pictures"
        yield Problem(f"few labels in {split}", "warning", message, _attribute_items(table, counts, few))


def _of_names(table: FaceTable, taken: Mapping[str, str]) -> Iterator[Problem]:
    message = "a table of results has a column of this name, so that none can be written: rename the column of labels"
    items = tuple(Item((name,), taken[name]) for name in table.attributes.names if name in taken)
    yield Problem("names taken", "warning", message, items)


def _attribute_items(
    table: FaceTable, counts: Mapping[int, npt.NDArray[np.int64]], chosen: npt.NDArray[np.bool_]
) -> tuple[Item, ...]:
    return tuple(
        Item(
            (table.attributes.names[column],),
            f"{counts[1][column]:,} yes, {counts[0][column]:,} no, {counts[-1][column]:,} unknown",
        )
        for column in np.flatnonzero(chosen).tolist()
    )
