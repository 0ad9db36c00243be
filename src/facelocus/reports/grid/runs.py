"""The lines of runs.jsonl: what a run of a grid was and scored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from facelocus.attributes import CELEBA
from facelocus.errors import InputError

_T = TypeVar("_T")


@dataclass(frozen=True)
class Data:
    """What a run learnt from."""

    description: str
    fingerprint: str
    training_images: int


@dataclass(frozen=True)
class Validation:
    """The score, in percent, by which rates and cells are chosen."""

    mean_accuracy_at_half: float


@dataclass(frozen=True)
class Test:
    """Scores on the test faces, in percent: accuracy at a threshold of one half, balanced accuracy at its own.

    `labels` is what the faces' labels are known by: people/labels.*.npz.
    """

    images: int
    people: int
    labels: str
    mean_accuracy_at_half: float
    mean_balanced_accuracy: float
    attributes: dict[str, float]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One line of runs.jsonl; `start` is its "from", the weights given to it. Each page has its own kind of Run."""

    run: str
    grid: str
    name: str
    seed: int
    settings: dict[str, Any]
    device: str
    data: Data
    iterations: int
    seconds: float
    validation: Validation
    test: Test
    start: dict[str, Any] | None = msgspec.field(default=None, name="from")

    def __post_init__(self) -> None:
        if self.run != f"{self.grid}/{self.name}/{self.seed}":
            raise ValueError(f"run {self.run!r} is not its grid, name and seed")

    def refuse_other_attributes(self) -> None:
        """Raise ValueError where the scores are not of CelebA's attributes."""
        if self.test.attributes.keys() != set(CELEBA.names):
            raise ValueError("test has not CelebA's attributes")


AnyRun = TypeVar("AnyRun", bound=Run)


def read_runs(folder: Path, kind: type[AnyRun]) -> tuple[AnyRun, ...]:
    """Return the runs of a folder's runs.jsonl in the order of their names, none without that file.

    Args:
        folder: of records.
        kind: what a line of it must be.

    Raises:
        InputError: no such folder, or a line is damaged; names file and line.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder: name the one that holds runs.jsonl")
    file = folder / "runs.jsonl"
    if not file.exists():
        return ()
    runs: dict[str, AnyRun] = {}
    for number, line in enumerate(read(file).splitlines(), 1):
        run = decode(line, kind, f"{file}: line {number}", "remove the line and run its grid again")
        if run.run in runs:
            raise InputError(f"{file}: line {number} has the run {run.run} a second time: remove one of the two")
        runs[run.run] = run
    return tuple(runs[name] for name in sorted(runs))


def read(file: Path) -> bytes:
    """Return what a file holds, or raise an InputError that names it."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from error


def decode(text: bytes, kind: type[_T], place: str, mend: str) -> _T:
    """Return JSON as the dataclass `kind`, or raise an InputError that names the place and ends with the mend."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise InputError(f"{place} is damaged ({str(error).splitlines()[0]}): {mend}") from error
