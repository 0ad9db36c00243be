"""The records of localisation, read back: runs and where they look, the shipped model, the regions, a training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from facelocus.attributes import CELEBA
from facelocus.errors import InputError
from facelocus.reports.grid.people import Counts, read_people
from facelocus.reports.grid.runs import decode, read, read_runs
from facelocus.reports.localisation.looks import RunLook, ShippedLook, read_looks
from facelocus.reports.localisation.runs import Run

_T = TypeVar("_T")


class RegionCheck(msgspec.Struct, frozen=True):
    """What pixels regressed on labels alone say of a region: its own map on it, and the other regions' maps."""

    own: float
    others: float
    inside: bool = msgspec.field(name="highest inside")


class RegionsCheck(msgspec.Struct, frozen=True):
    """regions.json."""

    faces: int
    regions: dict[str, RegionCheck]

    def __post_init__(self) -> None:
        if tuple(self.regions) != CELEBA.regions:
            raise ValueError("regions are not CelebA's")


class Seen(msgspec.Struct, frozen=True):
    """Masks at one step of a training, means over regions; gradients are lengths over those of the weights."""

    step: int
    level: float = msgspec.field(name="mean")
    spread: float = msgspec.field(name="spread over positions")
    saturated: float
    likeness: float = msgspec.field(name="likeness of two masks")
    own: float
    others: float
    gradient_w1: float = msgspec.field(name="gradient at W1")
    gradient_convolution: float = msgspec.field(name="gradient at convolution")
    between_positions: float = msgspec.field(name="squeeze: between positions")
    between_faces: float = msgspec.field(name="squeeze: between faces")
    both: float = msgspec.field(name="squeeze: both")


class Training(msgspec.Struct, frozen=True):
    """training.json: what was seen of PSE(b) with the BatchNorm before the logits, "normalised", and without."""

    faces: int
    runs: dict[str, list[Seen]]

    def __post_init__(self) -> None:
        if set(self.runs) != {"normalised", "not normalised"} or not all(self.runs.values()):
            raise ValueError("runs are not the normalised and the other one")


@dataclass(frozen=True)
class Records:
    """All records of a folder; what is missing is empty or None.

    Attributes:
        runs: in the order of their names; all of one condition are of one kind.
        labels, counts: as read_people returns them.
        looks: in the order of their runs.
    """

    runs: tuple[Run, ...]
    labels: Counts | None
    counts: dict[str, dict[str, Counts]]
    looks: tuple[RunLook, ...]
    shipped: ShippedLook | None
    regions: RegionsCheck | None
    training: Training | None


def read_records(folder: Path) -> Records:
    """Read a folder of records; what is not there yet is left out.

    Raises:
        InputError: no such folder, a file or line of it is damaged, or its runs may not be compared; names the file.
    """
    runs = read_runs(folder, Run)
    first: dict[str, Run] = {}
    for run in runs:
        if run.kind != first.setdefault(run.condition, run).kind:
            pair = f"{first[run.condition].run} and {run.run}"
            raise InputError(
                f"{folder / 'runs.jsonl'}: {pair} differ in more than the variant: keep them in two folders"
            )
    labels, counts = read_people(folder / "people", runs)
    return Records(
        runs,
        labels,
        counts,
        read_looks(folder / "masks.jsonl"),
        _read(folder / "default.json", ShippedLook),
        _read(folder / "regions.json", RegionsCheck),
        _read(folder / "training.json", Training),
    )


def _read(file: Path, kind: type[_T]) -> _T | None:
    return decode(read(file), kind, str(file), "measure it again") if file.exists() else None
