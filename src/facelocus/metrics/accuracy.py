"""Accuracy, balanced accuracy, F1 and average precision of each attribute.

Throughout: labels are int8 N x A with 1 yes, 0 no, -1 unknown (left out of everything); probabilities are
float N x A in [0, 1]; a decision is yes where probability >= threshold. Scores are fractions in [0, 1], nan
where they are undefined: accuracy without any known label, balanced accuracy without a positive or without
a negative, F1 and average precision without a positive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Labels = npt.NDArray[np.integer]

#: The scores of `measure`: accuracy and F1 at the accuracy thresholds, balanced accuracy at the balanced
#: ones.
METRICS = (
    "accuracy",
    "balanced_accuracy",
    "accuracy_at_half",
    "balanced_accuracy_at_half",
    "f1",
    "average_precision",
)


@dataclass(frozen=True)
class Confusion:
    """Counts of right and wrong decisions, any shape ending in A (a leading axis may hold resamples).

    Attributes:
        positives, negatives: how many labels are 1, and 0.
        true_positives, true_negatives: how many of those were decided so.
    """

    positives: Floats
    negatives: Floats
    true_positives: Floats
    true_negatives: Floats

    @classmethod
    def count(cls, labels: Labels, probabilities: Floats, thresholds: Floats | float) -> Confusion:
        """Count over N faces; thresholds are one number or A of them. Every field has shape A, float64."""
        right = correct(labels, probabilities, thresholds)
        of_kind = [labels == 1, labels == 0, right & (labels == 1), right & (labels == 0)]
        return cls(*(kind.sum(axis=0).astype(np.float64) for kind in of_kind))

    @property
    def accuracy(self) -> Floats:
        """Share of known labels decided right."""
        return ratio(self.true_positives + self.true_negatives, self.positives + self.negatives)

    @property
    def balanced_accuracy(self) -> Floats:
        """Mean of the share right among positives and among negatives."""
        return (ratio(self.true_positives, self.positives) + ratio(self.true_negatives, self.negatives)) / 2

    @property
    def f1(self) -> Floats:
        """Harmonic mean of precision and recall; nan without positives."""
        predicted = self.true_positives + self.negatives - self.true_negatives
        return ratio(np.where(self.positives > 0, 2 * self.true_positives, np.nan), self.positives + predicted)

    def to_rates(self) -> dict[str, list[float]]:
        """Return `sensitivity` and `specificity`, one half where there is nothing to tell them from, and the counts of
        `positives` and `negatives` that they rest on: A numbers each."""
        sensitivity = ratio(self.true_positives, self.positives)
        specificity = ratio(self.true_negatives, self.negatives)
        return {
            "sensitivity": np.nan_to_num(sensitivity, nan=0.5).tolist(),
            "specificity": np.nan_to_num(specificity, nan=0.5).tolist(),
            "positives": self.positives.tolist(),
            "negatives": self.negatives.tolist(),
        }


def correct(labels: Labels, probabilities: Floats, thresholds: Floats | float) -> npt.NDArray[np.bool_]:
    """Return bool N x A: the label is known and the decision agrees with it."""
    right: npt.NDArray[np.bool_] = ((probabilities >= thresholds) == (labels == 1)) & (labels != -1)
    return right


def average_precision(labels: Labels, probabilities: Floats) -> Floats:
    """Return A: the sum over distinct probabilities, high to low, of precision x increase of recall.

    Faces of equal probability enter together, as in scikit-learn's average_precision_score: their order,
    which means nothing, cannot change the number.
    """
    return np.array([ranking(labels[:, a], probabilities[:, a]).average_precision() for a in range(labels.shape[1])])


@dataclass(frozen=True)
class Ranking:
    """The known faces of one attribute from the highest probability to the lowest.

    Attributes:
        rows: K row numbers, best first.
        hits: places of the H positives in `rows`, ascending.
        seen: for each positive, how many faces have at least its probability (ties entered together).
        hits_seen: for each positive, how many positives have at least its probability.
    """

    rows: npt.NDArray[np.int64]
    hits: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int64]
    hits_seen: npt.NDArray[np.int64]

    def average_precision(self) -> float:
        """Return the average precision with every face counted once; nan without positives."""
        return float((self.hits_seen / self.seen).mean()) if len(self.hits) else float("nan")


def ranking(labels: Labels, probabilities: Floats) -> Ranking:
    """Rank one attribute: labels and probabilities have shape N."""
    known = np.flatnonzero(labels != -1)
    rows = known[np.argsort(-probabilities[known], kind="stable")]
    ascending = probabilities[rows][::-1]
    hits = np.flatnonzero(labels[rows] == 1)
    seen = len(rows) - np.searchsorted(ascending, probabilities[rows][hits], side="left")
    return Ranking(rows, hits, seen, np.searchsorted(hits, seen, side="left"))


def measure(labels: Labels, probabilities: Floats, thresholds: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return every score of METRICS, each of shape A.

    Args:
        thresholds: "accuracy" and "balanced", each A, as a model file carries them.
    """
    at = {
        "accuracy": Confusion.count(labels, probabilities, thresholds["accuracy"]),
        "balanced": Confusion.count(labels, probabilities, thresholds["balanced"]),
        "half": Confusion.count(labels, probabilities, 0.5),
    }
    return scores(at, average_precision(labels, probabilities))


def scores(at: Mapping[str, Confusion], precision: Floats) -> dict[str, Floats]:
    """Name the scores of counts taken at the accuracy, the balanced and the half thresholds."""
    return {
        "accuracy": at["accuracy"].accuracy,
        "balanced_accuracy": at["balanced"].balanced_accuracy,
        "accuracy_at_half": at["half"].accuracy,
        "balanced_accuracy_at_half": at["half"].balanced_accuracy,
        "f1": at["accuracy"].f1,
        "average_precision": precision,
    }


def mean_over_attributes(values: Floats) -> Floats:
    """Return the mean over the last axis of what is not nan; nan where all of it is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), np.asarray(defined.sum(axis=-1)))


def ratio(top: Floats, bottom: npt.NDArray[np.number]) -> Floats:
    """Return top / bottom, both of one shape, nan where bottom is 0."""
    quotient: Floats = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=quotient, where=bottom > 0)
    return quotient


def percent(fraction: float) -> float | None:
    """Return a fraction as a record has it: in percent, to four places, None where it is not a number."""
    return None if np.isnan(fraction) else round(100 * float(fraction), 4)
