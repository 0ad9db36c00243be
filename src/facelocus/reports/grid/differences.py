"""Two cells of the grid compared: the difference of their means, with a 95 % interval over people and seeds.

A resample draws test people with replacement, the same people for every run, and seeds with replacement, the same
seeds for both sides: what is common to two runs, hard faces and a seed's order of images, cancels in the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from facelocus.metrics.accuracy import Confusion, mean_over_attributes
from facelocus.metrics.intervals import RESAMPLES, SEED, draw_people, interval
from facelocus.reports.grid.people import Counts
from facelocus.reports.grid.runs import Run

#: Accuracy at a threshold of one half, as the paper's; balanced accuracy at thresholds chosen on validation faces.
Metric = Literal["mean_accuracy_at_half", "mean_balanced_accuracy"]
METRICS: tuple[Metric, ...] = ("mean_accuracy_at_half", "mean_balanced_accuracy")

_Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, or a difference of two; of accuracies in percent and in points.

    Attributes:
        value: from the recorded scores.
        bounds: its 95 % interval; None where no seed has counts of people on every side.
        seeds: that it rests on, those of both sides.
        runs: the names of all runs that it rests on.
    """

    value: float
    bounds: tuple[float, float] | None
    seeds: tuple[int, ...]
    runs: tuple[str, ...]


class Resamples:
    """The scores of runs when other people had been photographed; equal records give equal numbers.

    Args:
        labels, counts: of the runs that are asked for, as read_people returns them.
    """

    def __init__(self, labels: Counts | None, counts: Mapping[str, dict[str, Counts]]) -> None:
        self._counts = counts
        self._scores: dict[tuple[str, Metric], _Values] = {}
        if labels is not None:
            (drawn,) = draw_people(labels.shape[1], RESAMPLES, SEED, RESAMPLES)
            # Whole numbers below 2^24: exact in float32, so the order of summation cannot change them.
            self._weights = drawn.T
            self._labels = self._summed(labels)

    def _summed(self, counts: npt.NDArray[np.uint16]) -> list[_Values]:
        """Return both kinds of a 2 x P x A count, summed over the people of each resample: RESAMPLES x A."""
        return [(self._weights @ kind.astype(np.float32)).astype(np.float64) for kind in counts]

    def of(self, run: Run, metric: Metric) -> _Values | None:
        """Return the score of each resample in percent, RESAMPLES; None where the run has no counts of people."""
        if run.run not in self._counts:
            return None
        if (run.run, metric) not in self._scores:
            half = metric == "mean_accuracy_at_half"
            counts = Confusion(*self._labels, *self._summed(self._counts[run.run]["half" if half else "balanced"]))
            values = counts.accuracy if half else counts.balanced_accuracy
            self._scores[run.run, metric] = 100 * mean_over_attributes(values).astype(np.float64)
        return self._scores[run.run, metric]

    def mean(self, cell: Sequence[Run], metric: Metric) -> Estimate:
        """Return the mean of a cell over its seeds."""
        seeds = tuple(run.seed for run in cell)
        value = float(np.mean([getattr(run.test, metric) for run in cell]))
        return Estimate(value, _bounds(self.drawn(cell, metric)), seeds, tuple(run.run for run in cell))

    def difference(self, ours: Sequence[Run], theirs: Sequence[Run], metric: Metric) -> Estimate | None:
        """Return ours less theirs over the seeds that both have; None where they have none in common."""
        pairs = [(our, their) for our in ours for their in theirs if our.seed == their.seed]
        if not pairs:
            return None
        value = float(np.mean([getattr(our.test, metric) - getattr(their.test, metric) for our, their in pairs]))
        scores = [(self.of(our, metric), self.of(their, metric)) for our, their in pairs]
        apart = [our - their for our, their in scores if our is not None and their is not None]
        bounds = _bounds(drawn_seeds(apart, SEED)) if len(apart) == len(pairs) else None
        seeds = tuple(our.seed for our, _ in pairs)
        return Estimate(value, bounds, seeds, tuple(run.run for pair in pairs for run in pair))

    def drawn(self, cell: Sequence[Run], metric: Metric, stream: int = 0) -> _Values | None:
        """Return the mean of a cell over drawn people and seeds, RESAMPLES; None where a run has no counts.

        Args:
            stream: of seeds drawn; cells of the same number of seeds and another stream draw independently.
        """
        scores = [self.of(run, metric) for run in cell]
        known = [score for score in scores if score is not None]
        return drawn_seeds(known, SEED + stream) if len(known) == len(cell) else None


def drawn_seeds(scores: Sequence[_Values], stream: int) -> _Values:
    """Return the mean over as many seeds as there are, drawn with replacement in each resample.

    Args:
        scores: of each seed, RESAMPLES.
        stream: equal streams draw equally.
    """
    count = len(scores)
    chosen = np.random.default_rng(stream).integers(0, count, (RESAMPLES, count))
    mean: _Values = np.stack(scores)[chosen, np.arange(RESAMPLES)[:, None]].mean(axis=1)
    return mean


def _bounds(values: _Values | None) -> tuple[float, float] | None:
    return None if values is None else interval(values)
