"""The lines of runs.jsonl: what each run of the paper's grids was and scored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from facelocus.attributes import CELEBA
from facelocus.errors import InputError
from facelocus.training.recipe import Optimizer

#: What a grid's length is called; the first that has a run is the best there is.
FORMS = {"printed": "printed length", "short": "short form", "small": "small form on two cores"}
#: A module's name in recipes -> in the paper; "none" is its baseline.
MODULES = {"none": "none", "squeeze_excitation": "SE", "pse_fully_connected": "PSE(a)", "pse_conv": "PSE(b)"}

_WORDS = {"short", "small", "lfwa", "controls", "growth"}
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
    """One line of runs.jsonl; `start` is its "from", the weights given to it."""

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
        first, *words = self.grid.split("_")
        if first != "paper" or len(set(words)) < len(words) or not set(words) <= _WORDS:
            raise ValueError(f"grid {self.grid!r} is none of the paper's")
        if self.run != f"{self.grid}/{self.name}/{self.seed}":
            raise ValueError(f"run {self.run!r} is not its grid, name and seed")
        if self.name.count("/") < 1 or self.module not in MODULES:
            raise ValueError(f"name {self.name!r} is no trunk with a module")
        if not self.stand_in and self.test.attributes.keys() != set(CELEBA.names):
            raise ValueError("test has not CelebA's attributes")

    @property
    def trunk(self) -> str:
        return self.name.split("/")[0]

    @property
    def module(self) -> str:
        return self.name.split("/")[1]

    @property
    def form(self) -> str:
        """The key of FORMS."""
        return next((form for form in FORMS if form in self.grid.split("_")), "printed")

    @property
    def purpose(self) -> str:
        """Of its grid: "controls", "growth", or "main"."""
        return next((word for word in ("controls", "growth") if word in self.grid.split("_")), "main")

    @property
    def stand_in(self) -> bool:
        """Whether it is of LFWA's pictures with a model's scores as labels."""
        return "lfwa" in self.grid.split("_")

    @property
    def began(self) -> str:
        """Where its weights come from, in words."""
        if self.start:
            return "from given weights"
        return "from ImageNet weights" if self.settings.get("network.imagenet") else "from scratch"

    @property
    def normalised(self) -> bool:
        """Whether the classifiers' inputs are normalised."""
        return bool(self.settings.get("network.normalise", True))

    @property
    def rate(self) -> float:
        return float(self.settings.get("optimizer.rate", Optimizer().rate))

    @property
    def share(self) -> float:
        """Of the training images."""
        return float(self.settings.get("share", 1))

    @property
    def rest(self) -> str:
        """All that decides it but trunk, module, seed, normalisation, rate and share, as one text."""
        apart = {"network.trunk", "network.attention", "network.normalise", "optimizer.rate", "share", "seed"}
        others = {key: value for key, value in self.settings.items() if key not in apart}
        others |= {"from": self.start} if self.start else {}
        return json.dumps(others, sort_keys=True)


def read_runs(file: Path) -> tuple[Run, ...]:
    """Return the runs in the order of their names, none without the file.

    Raises:
        InputError: a line is damaged; names file and line.
    """
    if not file.exists():
        return ()
    runs: dict[str, Run] = {}
    for number, line in enumerate(read(file).splitlines(), 1):
        run = decode(line, Run, f"{file}: line {number}", "remove the line and run its grid again")
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
