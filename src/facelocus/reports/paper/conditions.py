"""Which runs may be compared: families that differ in module, rate and normalisation alone, and their conditions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facelocus.reports.paper.records import Records
from facelocus.reports.paper.runs import FORMS, MODULES, Run

Cell = tuple[Run, ...]


@dataclass(frozen=True)
class Condition:
    """One way in which the modules of a trunk are compared.

    Attributes:
        normalised: whether the classifiers' inputs are.
        tuned: each module has the rate of its best validation; else all have the same.
        main: it is the comparison of the grid itself, the others are its controls.
        cells: module -> its runs, one a seed, in the order of MODULES; "none" is among them.
        rates: module -> the rates to choose from, one where not tuned.
    """

    normalised: bool
    tuned: bool
    main: bool
    cells: Mapping[str, Cell]
    rates: Mapping[str, tuple[float, ...]]

    @property
    def title(self) -> str:
        inputs = "normalised classifier inputs" if self.normalised else "classifier inputs not normalised"
        if self.tuned:
            return f"{inputs}, rate tuned per module"
        return f"{inputs}, rate {self.cells['none'][0].rate:g}"


@dataclass(frozen=True)
class Family:
    """Runs of one trunk in one form on the same data, whose settings differ in module, rate and normalisation alone.

    Attributes:
        trunk: its name.
        began: where the weights of every run come from, in words.
        form: a key of FORMS.
        iterations: of every run.
        rest: the settings that all share and that are no defaults, as JSON.
        images: training images.
        cells: those of the main grid.
        conditions: the comparisons with "none" that the runs allow, the main ones first.
    """

    trunk: str
    began: str
    form: str
    iterations: int
    rest: str
    images: int
    cells: tuple[Cell, ...]
    conditions: tuple[Condition, ...]

    @property
    def weighed(self) -> tuple[Condition, ...]:
        """The main conditions and their controls: not those at other rates, from which the tuned ones choose."""
        rates = {each.rates["none"] for each in self.conditions if each.main}
        return tuple(each for each in self.conditions if each.main or each.tuned or each.rates["none"] in rates)

    @property
    def title(self) -> str:
        """Trunk and form, in words."""
        length = f"{self.iterations:,} iterations, {self.images:,} training images"
        return f"`{self.trunk}` {self.began}, {FORMS[self.form]} ({length})"


def families(records: Records) -> list[Family]:
    """Return the families with a run of a main grid, the longest form first."""
    found: dict[tuple[str, str, int, str, str, int], list[Run]] = defaultdict(list)
    for run in records.runs:
        if run.share == 1 and not run.stand_in:
            about = (run.trunk, run.form, run.iterations, run.rest, run.test.labels, run.data.training_images)
            found[about].append(run)
    kept = [
        Family(trunk, runs[0].began, form, iterations, rest, images, tuple(main.values()), _conditions(runs))
        for (trunk, form, iterations, rest, _, images), runs in found.items()
        if (main := cells([run for run in runs if run.purpose == "main"]))
    ]
    return sorted(kept, key=lambda family: (list(FORMS).index(family.form), family.trunk, family.rest))


def cells(runs: Sequence[Run]) -> dict[tuple[bool, float, str], Cell]:
    """Return the runs of each (normalised, rate, module), one a seed: a main grid's before another's."""
    found: dict[tuple[bool, float, str], dict[int, Run]] = defaultdict(dict)
    for run in sorted(runs, key=lambda run: (run.purpose != "main", run.run)):
        found[run.normalised, run.rate, run.module].setdefault(run.seed, run)
    return {about: tuple(by_seed[seed] for seed in sorted(by_seed)) for about, by_seed in found.items()}


def validation(cell: Cell) -> float:
    """Return the mean validation accuracy of a cell, in percent."""
    return float(np.mean([run.validation.mean_accuracy_at_half for run in cell]))


def _conditions(runs: Sequence[Run]) -> tuple[Condition, ...]:
    """Return the comparisons with "none" that runs allow: at each rate, and at each module's own."""
    of = cells(runs)
    settings = {(normalised, rate) for normalised, rate, _ in of}
    found = []
    for normalised, rate in settings:
        side = {module: of[normalised, rate, module] for module in MODULES if (normalised, rate, module) in of}
        main = any(run.purpose == "main" for cell in side.values() for run in cell)
        found.append(Condition(normalised, False, main, side, dict.fromkeys(side, (rate,))))
    for normalised in (True, False):
        rates = {
            module: tuple(sorted(rate for inputs, rate, its in of if (inputs, its) == (normalised, module)))
            for module in MODULES
        }
        rates = {module: tried for module, tried in rates.items() if len(tried) > 1}
        side = {module: _best([of[normalised, rate, module] for rate in tried]) for module, tried in rates.items()}
        found.append(Condition(normalised, True, False, side, rates))
    compared = [condition for condition in found if "none" in condition.cells and len(condition.cells) > 1]
    # Of several main comparisons the one whose baseline learns best comes first.
    return tuple(sorted(compared, key=lambda each: (not each.main, each.tuned, not each.normalised,
                                                    -validation(each.cells["none"]), each.title)))  # fmt: skip


def _best(tried: Sequence[Cell]) -> Cell:
    """Return the cell of the highest validation accuracy over the seeds that all have; of equal ones the first."""
    common = set.intersection(*({run.seed for run in cell} for cell in tried))
    if not common:
        return max(tried, key=validation)
    return max(tried, key=lambda cell: validation(tuple(run for run in cell if run.seed in common)))
