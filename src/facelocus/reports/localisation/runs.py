"""The lines of runs.jsonl: PSE(b) and its variants, one change each, no attention, and some in other conditions."""

from __future__ import annotations

import json
from dataclasses import dataclass

from facelocus.reports.grid import runs


@dataclass(frozen=True)
class Variant:
    """One network of the grid.

    Attributes:
        words: its name as tables and pictures have it.
        about: what it changes.
    """

    words: str
    about: str


#: The controls, and what is compared with both: name in the grid -> what it is. Means are over positions.
VARIANTS = {
    "none": Variant("no attention", "a control: the same sub-networks without a mask"),
    "pse_conv": Variant("PSE(b), the paper's", "a control: mean over channels, sigmoid, mask times features"),
    "squeeze_max": Variant("squeeze: largest channel", "the largest channel of each position instead of the mean"),
    "squeeze_weighted": Variant("squeeze: learnt weights", "a learnt weight a channel, beginning at the mean"),
    "pse_residual": Variant("1 + mask", "features times one plus the mask: no position can be shut out"),
    "pse_normalised": Variant("mask over its mean", "the mask's level is divided out: only where it is higher counts"),
    "pse_softmax": Variant("softmax over positions", "positions compete; with mean pooling it is attention pooling"),
    "pse_sharp": Variant("sharper sigmoid", "the excitation times 4 before the sigmoid: masks nearer to 0 and 1"),
    "pse_open": Variant("mask begins open", "the last bias is 2: masks begin at 0.88 instead of about 0.5"),
    "overlap": Variant("penalty for alike masks", "the loss grows where two regions' masks correlate"),
    "outside": Variant(
        "penalty for leaving the region", "the loss grows with a mask's share outside its region: it is told where"
    ),
}
CONTROLS = ("none", "pse_conv")
#: Variants that training tells where the regions lie: their score says how well they obey.
TOLD = ("outside",)
#: What else was changed, of three networks: name in the grid -> what it is.
CONDITIONS = {
    "rate_0.002": "twice the rate",
    "rate_0.0005": "half the rate",
    "pooling_max": "max pooling 3 x 3",
    "plain": "no BatchNorm before the logits",
}
#: Settings in which variants may differ.
_OWN = ("network.attention", "network.squeeze", "penalty")


class Run(runs.Run, frozen=True, kw_only=True):
    """One line of runs.jsonl, of a grid of localisation."""

    def __post_init__(self) -> None:
        if self.grid.split("_")[0] != "localisation":
            raise ValueError(f"grid {self.grid!r} is none of localisation")
        super().__post_init__()
        if self.variant not in VARIANTS or self.condition not in ("", *CONDITIONS):
            raise ValueError(f"name {self.name!r} is no trunk with a variant and perhaps a condition")
        self.refuse_other_attributes()

    @property
    def trunk(self) -> str:
        return self.name.split("/")[0]

    @property
    def variant(self) -> str:
        """The key of VARIANTS."""
        return variant_and_condition(self.run)[0]

    @property
    def condition(self) -> str:
        """The key of CONDITIONS; none of the grid itself."""
        return variant_and_condition(self.run)[1]

    @property
    def kind(self) -> tuple[str, ...]:
        """What runs that are compared have in common: all but the variant and the seed."""
        about = (self.condition, self.grid, self.trunk, self.iterations, self.data.training_images, self.test.labels)
        common = {key: value for key, value in self.settings.items() if not key.startswith(_OWN)}
        return (*map(str, about), json.dumps(common, sort_keys=True), json.dumps(self.start, sort_keys=True))


def variant_and_condition(run: str) -> tuple[str, str]:
    """Return both from a run's name, GRID/TRUNK/VARIANT[/CONDITION]/SEED; without a condition "".

    Raises:
        ValueError: the name is not made like this.
    """
    match run.split("/"):
        case [_, _, variant, _]:
            return variant, ""
        case [_, _, variant, condition, _]:
            return variant, condition
    raise ValueError(f"run {run!r} is not its grid, trunk, variant, perhaps a condition, and seed")
