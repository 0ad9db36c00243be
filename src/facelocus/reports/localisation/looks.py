"""Where networks look, as measure_localisation says: lines of masks.jsonl, and default.json of the shipped model.

Means over faces come with their 95 % intervals over people.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

import msgspec

from facelocus.attributes import CELEBA
from facelocus.errors import InputError
from facelocus.reports.grid.runs import decode, read
from facelocus.reports.localisation.runs import CONDITIONS, VARIANTS, variant_and_condition

#: Mean, low and high end of its interval.
Mean = tuple[float, float, float]

#: What a network can be looked at through.
MAPS = {"masks": "its masks", "hirescam": "HiResCAM", "gradcam": "Grad-CAM"}
#: Modules of the paper that are looked at beside the variants.
BESIDE = {"squeeze_excitation": "SE", "pse_fully_connected": "PSE(a)"}
WORDS = {name: variant.words for name, variant in VARIANTS.items()} | BESIDE


def _spaced(name: str) -> str:
    return name.replace("_", " ")


class RegionLook(msgspec.Struct, frozen=True, kw_only=True, rename=_spaced):
    """One region's maps: how they lie on it, and their level, lowest and highest value, means over faces."""

    own: Mean
    others: Mean
    own_less_others: Mean
    pointing: Mean
    pointing_by_chance: float
    mean: float
    lowest: float
    highest: float


class Faithfulness(msgspec.Struct, frozen=True, kw_only=True, rename=_spaced):
    """Right answers in percent, whole and with a fifth of the frame hidden, or shown alone; and points apart."""

    faces: int
    whole: Mean
    highest_hidden: Mean
    lowest_hidden: Mean
    random_hidden: Mean
    highest_shown: Mean
    lowest_shown: Mean
    random_shown: Mean
    highest_hidden_loses_more_than_random: Mean
    highest_shown_keeps_more_than_random: Mean


class Look(msgspec.Struct, frozen=True, kw_only=True, rename=_spaced):
    """What maps say of one network."""

    faces: int
    people: int
    own: Mean
    others: Mean
    own_less_others: Mean
    pointing: Mean
    pointing_by_chance: float
    likeness_of_two_masks: Mean
    regions: dict[str, RegionLook]
    faithfulness: Faithfulness

    def __post_init__(self) -> None:
        if tuple(self.regions) != CELEBA.regions:
            raise ValueError("regions are not CelebA's")


class RunLook(Look, frozen=True, kw_only=True, rename=_spaced):
    """One line of masks.jsonl: a run, GRID/TRUNK/VARIANT[/CONDITION]/SEED, looked at through a key of MAPS."""

    run: str
    maps: str
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.run.rpartition("/")[2] != str(self.seed):
            raise ValueError(f"run {self.run!r} is not of seed {self.seed}")
        if self.variant not in WORDS or self.maps not in MAPS or self.condition not in ("", *CONDITIONS):
            raise ValueError(f"{self.maps!r} of {self.run!r} are not known")

    @property
    def on(self) -> tuple[int, int, int]:
        """How many faces and people it was looked at on, and of how many faces parts were hidden."""
        return self.faces, self.people, self.faithfulness.faces

    @property
    def variant(self) -> str:
        """The key of WORDS."""
        return variant_and_condition(self.run)[0]

    @property
    def condition(self) -> str:
        """The key of CONDITIONS; none of the grid itself."""
        return variant_and_condition(self.run)[1]


class ModelName(msgspec.Struct, frozen=True):
    """What a model file is known by."""

    name: str
    sha256: str


class ShippedLook(Look, frozen=True, kw_only=True, rename=_spaced):
    """default.json: the model that ships, through its masks."""

    model: ModelName


#: What is read off a look.
Score = Callable[[Look], Mean]
OWN: Score = attrgetter("own")
OTHERS: Score = attrgetter("others")
APART: Score = attrgetter("own_less_others")
POINTING: Score = attrgetter("pointing")
LIKENESS: Score = attrgetter("likeness_of_two_masks")
LOST: Score = attrgetter("faithfulness.highest_hidden_loses_more_than_random")
KEPT: Score = attrgetter("faithfulness.highest_shown_keeps_more_than_random")


def apart_in(region: str) -> Score:
    """Return what reads own less others of one region."""
    return lambda look: look.regions[region].own_less_others


def read_looks(file: Path) -> tuple[RunLook, ...]:
    """Return the lines in the order of their runs, none without the file.

    Raises:
        InputError: a line is damaged; names file and line.
    """
    if not file.exists():
        return ()
    looks: dict[tuple[str, str], RunLook] = {}
    for number, line in enumerate(read(file).splitlines(), 1):
        look = decode(line, RunLook, f"{file}: line {number}", "remove the line and measure its run again")
        if (look.run, look.maps) in looks:
            raise InputError(
                f"{file}: line {number} has {look.maps} of {look.run} a second time: remove one of the two"
            )
        looks[look.run, look.maps] = look
        if look.on != next(iter(looks.values())).on:
            raise InputError(f"{file}: line {number} is of other faces than the lines before: measure all on the same")
    return tuple(looks[about] for about in sorted(looks))
