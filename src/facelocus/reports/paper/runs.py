"""The lines of runs.jsonl: what each run of the paper's grids was and scored."""

from __future__ import annotations

import json

from facelocus.reports.grid import runs
from facelocus.reports.published import TEST_IMAGES, TRAINING_IMAGES
from facelocus.training.recipe import Optimizer

#: What a grid's length is called; the first that has a run is the best there is.
FORMS = {"printed": "printed length", "short": "short form", "small": "small form on two cores"}
#: A module's name in recipes -> in the paper; "none" is its baseline.
MODULES = {"none": "none", "squeeze_excitation": "SE", "pse_fully_connected": "PSE(a)", "pse_conv": "PSE(b)"}

_WORDS = {"short", "small", "lfwa", "controls", "growth"}


class Run(runs.Run, frozen=True, kw_only=True):
    """One line of runs.jsonl, of a grid of the paper's."""

    def __post_init__(self) -> None:
        first, *words = self.grid.split("_")
        if first != "paper" or len(set(words)) < len(words) or not set(words) <= _WORDS:
            raise ValueError(f"grid {self.grid!r} is none of the paper's")
        super().__post_init__()
        if self.name.count("/") < 1 or self.module not in MODULES:
            raise ValueError(f"name {self.name!r} is no trunk with a module")
        if not self.stand_in:
            self.refuse_other_attributes()

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
    def on_whole(self) -> bool:
        """Whether it learnt from as many images as the paper's networks, and is measured on as many."""
        return (self.data.training_images, self.test.images) == (TRAINING_IMAGES, TEST_IMAGES)

    @property
    def rest(self) -> str:
        """All that decides it but trunk, module, seed, normalisation, rate and share, as one text."""
        apart = {"network.trunk", "network.attention", "network.normalise", "optimizer.rate", "share", "seed"}
        others = {key: value for key, value in self.settings.items() if key not in apart}
        others |= {"from": self.start} if self.start else {}
        return json.dumps(others, sort_keys=True)
