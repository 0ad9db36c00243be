"""Variants compared: accuracy by the grid's paired intervals, localisation by one that its records allow.

masks.jsonl has each score's mean and interval over people, not the people. So a resample draws seeds, the same for both
sides, and moves each run by a normal deviate of its interval's width. The same faces are looked at in every run: the
seeds of one network share a deviate, as more seeds are no more people. Two networks have each their own, so that what
they share is counted as if it were not: the interval of a difference is rather too wide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from copy import copy

import numpy as np
import numpy.typing as npt

from facelocus.metrics.intervals import RESAMPLES, SEED, interval
from facelocus.reports.grid.differences import Estimate, Metric, Resamples, drawn_seeds
from facelocus.reports.localisation.looks import MAPS, WORDS, RunLook, Score
from facelocus.reports.localisation.records import Records
from facelocus.reports.localisation.runs import VARIANTS, Run

#: Half the width of a 95 % interval, in standard deviations.
_HALF = 1.96

#: A network, and what it is looked at through: keys of WORDS and of MAPS.
Through = tuple[str, str]


class Comparison:
    """The cells of a folder of records: runs of one variant, or its looks through one kind of map, one a seed.

    Args:
        records: of the folder; those of the grid itself are compared.

    Attributes:
        cells: variant -> its runs, in the order of VARIANTS.
        looks: (network, maps) -> its looks, in the order of WORDS and of MAPS.
    """

    def __init__(self, records: Records) -> None:
        self._records, self._resamples = records, Resamples(records.labels, records.counts)
        self._choose("")

    def under(self, condition: str) -> Comparison:
        """Return the same of the runs under a condition, a key of CONDITIONS; the people drawn are the same."""
        other = copy(self)
        other._choose(condition)
        return other

    def _choose(self, condition: str) -> None:
        records = self._records
        by_variant: dict[str, list[Run]] = defaultdict(list)
        for run in (run for run in records.runs if run.condition == condition):
            by_variant[run.variant].append(run)
        self.cells = {
            variant: tuple(sorted(by_variant[variant], key=lambda run: run.seed))
            for variant in VARIANTS
            if variant in by_variant
        }
        found: dict[Through, dict[int, RunLook]] = defaultdict(dict)
        # A run of this grid comes before its like in another.
        its = [look for look in records.looks if look.condition == condition]
        for look in sorted(its, key=lambda look: not look.run.startswith("localisation")):
            found[look.variant, look.maps].setdefault(look.seed, look)
        self.looks = {
            (network, maps): tuple(found[network, maps][seed] for seed in sorted(found[network, maps]))
            for network in WORDS
            for maps in MAPS
            if (network, maps) in found
        }

    def score_less(self, variant: str, other: str, metric: Metric) -> Estimate | None:
        """Return a variant's accuracy less another's, in points; None without a seed in common."""
        if variant not in self.cells or other not in self.cells:
            return None
        return self._resamples.difference(self.cells[variant], self.cells[other], metric)

    def look(self, through: Through, of: Score) -> Estimate | None:
        """Return the mean of what is read off a network's looks; None without one."""
        its = self.looks.get(through, ())
        return _estimate([of(look)[0] for look in its], [_drawn(look, of) for look in its], its)

    def look_less(self, through: Through, other: Through, of: Score) -> Estimate | None:
        """Return the same less another's; None without a seed in common."""
        theirs = {look.seed: look for look in self.looks.get(other, ())}
        pairs = [(look, theirs[look.seed]) for look in self.looks.get(through, ()) if look.seed in theirs]
        values = [of(ours)[0] - of(their)[0] for ours, their in pairs]
        drawn = [_drawn(ours, of) - _drawn(their, of) for ours, their in pairs]
        return _estimate(values, drawn, [look for pair in pairs for look in pair])


def _drawn(look: RunLook, of: Score) -> npt.NDArray[np.float64]:
    """Return what is read off a look if other people had been looked at, RESAMPLES; all seeds draw the same people."""
    mean, low, high = of(look)
    network = f"{look.variant} {look.condition} {look.maps}"
    deviates = np.random.default_rng([SEED, *network.encode()]).standard_normal(RESAMPLES)
    drawn: npt.NDArray[np.float64] = mean + deviates * (high - low) / (2 * _HALF)
    return drawn


def _estimate(
    values: Sequence[float], drawn: Sequence[npt.NDArray[np.float64]], looks: Sequence[RunLook]
) -> Estimate | None:
    """Return the mean over seeds, values and drawn being one a seed, with its interval; None of no seed."""
    if not values:
        return None
    seeds = tuple(sorted({look.seed for look in looks}))
    bounds = interval(drawn_seeds(drawn, SEED))
    return Estimate(float(np.mean(values)), bounds, seeds, tuple(look.run for look in looks))
