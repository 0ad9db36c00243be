"""Look through labelled faces before anything is trained on them: what there is, and all that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from facelocus.attributes import FRAME
from facelocus.data.pictures import Pictures, read_pictures
from facelocus.data.problems import Problem, find_problems, label_counts
from facelocus.data.table import SPLITS, FaceTable


@dataclass(frozen=True)
class SplitCount:
    """Rows, distinct picture files and people of one split; people are None where nobody knows."""

    rows: int
    pictures: int
    people: int | None


@dataclass(frozen=True)
class SizeCount:
    """How many pictures are of one size in pixels, upright."""

    width: int
    height: int
    pictures: int


@dataclass(frozen=True)
class AttributeCount:
    """Rows labelled yes, no and unknown, each by the name of the split."""

    name: str
    region: str
    yes: dict[str, int]
    no: dict[str, int]
    unknown: dict[str, int]


@dataclass(frozen=True)
class Report:
    """What was found in a FaceTable.

    Attributes:
        description: the table's one line.
        fingerprint: the table's.
        aligned: whether its pictures have to be frames, 178 x 218 pixels.
        splits: counts by the name of the split.
        frames: pictures of 178 x 218 pixels.
        sizes: all sizes, the most frequent first.
        attributes: counts in the order of the table.
        problems: errors first, each kind once.
    """

    description: str
    fingerprint: str
    aligned: bool
    splits: dict[str, SplitCount]
    frames: int
    sizes: tuple[SizeCount, ...]
    attributes: tuple[AttributeCount, ...]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems with which training would fail or be wrong."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        return asdict(self)


def check(table: FaceTable, workers: int, taken: Mapping[str, str] | None = None) -> Report:
    """Look for everything that would make training on `table` wrong; decodes every picture, with a progress bar.

    `workers` is the number of decoding processes. They are spawned, so a script that calls this needs the
    usual `if __name__ == "__main__":`. Memory does not grow with the pixels. `taken` are names that no attribute should
    have, each with what it names already.

    Raises:
        InputError: the archive of the pictures has gone.
        WorkerError: a worker process was killed.
    """
    pictures = read_pictures(table, workers)
    sizes = _sizes(pictures)
    return Report(
        description=table.description,
        fingerprint=table.fingerprint,
        aligned=table.aligned,
        splits={split: _split(table, pictures, number) for number, split in enumerate(SPLITS)},
        frames=sum(size.pictures for size in sizes if (size.height, size.width) == FRAME[:2]),
        sizes=sizes,
        attributes=_attributes(table),
        problems=find_problems(table, pictures, taken or {}),
    )


def _split(table: FaceTable, pictures: Pictures, number: int) -> SplitCount:
    rows = np.flatnonzero(table.splits == number)
    people = None if table.people is None else np.unique(table.people[rows]).size
    return SplitCount(rows.size, np.unique(pictures.of_row[rows]).size, people)


def _sizes(pictures: Pictures) -> tuple[SizeCount, ...]:
    sizes, counts = np.unique(pictures.sizes[pictures.usable], axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return tuple(SizeCount(int(sizes[one, 0]), int(sizes[one, 1]), int(counts[one])) for one in order)


def _attributes(table: FaceTable) -> tuple[AttributeCount, ...]:
    counts = {split: label_counts(table, split) for split in SPLITS}

    def by_split(label: int, column: int) -> dict[str, int]:
        return {split: int(counts[split][label][column]) for split in SPLITS}

    return tuple(
        AttributeCount(name, region, by_split(1, column), by_split(0, column), by_split(-1, column))
        for column, (name, region) in enumerate(zip(table.attributes.names, table.attributes.region_of, strict=True))
    )
