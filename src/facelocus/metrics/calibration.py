"""Probabilities that mean what they say: of the faces given 0.7, seven in ten are labelled yes.

Platt scaling turns each attribute's logit into slope x logit + offset, chosen for the likelihood of validation labels
(Platt 1999; Guo et al. 2017). A prior holds both to no change, with the weight of a few dozen labels: an attribute with
three positives keeps what the network said.

What is left is the expected calibration error: the mean over faces of |share of yes - mean probability| in the bin of
the face's probability. Bins are of equal width. With equal numbers in each, the last bin of an attribute that one face
in fifty has would reach from 0.01 to 1, and too high and too low would cancel in it. An error of 0 is out of reach, as
few faces in a bin have the share that is meant: `chance` says what is left of a model whose every probability is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.attributes import AttributeSet
from facelocus.metrics.accuracy import Floats, Labels, mean_over_attributes, percent

BINS = 15
DRAWS = 100
SEED = 0

#: Deviation of the prior of log slope and offset around 0.
_PRIOR = 0.5
_STEPS = 100


@dataclass(frozen=True)
class Calibration:
    """What was done to each attribute's logit.

    Attributes:
        slope: float64 of shape A, above 0: the order of faces stays.
        offset: float64 of shape A.
    """

    slope: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, labels: Labels, probabilities: Floats) -> Calibration:
        """Fit each attribute on its known labels; one without a positive or without a negative is left as it is.

        Args:
            labels: int8 N x A, 1 yes, 0 no, -1 unknown.
            probabilities: float N x A in [0, 1].
        """
        logits = logit(probabilities)
        found = []
        for its_labels, its_logits in zip(labels.T, logits.T, strict=True):
            known = its_labels != -1
            found.append(_fit(its_logits[known], its_labels[known] == 1))
        slope, offset = np.array(found, dtype=np.float64).reshape(-1, 2).T
        return cls(slope, offset)

    def to_rates(self, probabilities: Floats, rates: Floats) -> Calibration:
        """Return the same slopes with the offsets that make the calibrated probabilities' means the rates.

        Args:
            probabilities: float N x A in [0, 1], N at least 1.
            rates: A in (0, 1).
        """
        logits, offset = self.slope * logit(probabilities), self.offset
        for _ in range(_STEPS):
            p = sigmoid(logits + offset)
            # The mean's logit is nearly straight in the offset: a step is right even where all answers are sure.
            mean = p.mean(axis=0)
            bend = np.maximum((p * (1 - p)).mean(axis=0) / (mean * (1 - mean)), 0.05)
            offset = offset + (logit(rates) - logit(mean)) / bend
        return Calibration(self.slope, offset)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Calibration:
        """Read what to_json gave."""
        return cls(np.array(record["slope"], np.float64), np.array(record["offset"], np.float64))

    def to_json(self) -> dict[str, list[float]]:
        """Return `slope` and `offset`, A numbers each."""
        return {"slope": self.slope.tolist(), "offset": self.offset.tolist()}

    def apply(self, probabilities: Floats) -> npt.NDArray[np.float64]:
        """Return calibrated probabilities, N x A."""
        return sigmoid(self.slope * logit(probabilities) + self.offset)

    def undo(self, probabilities: Floats) -> npt.NDArray[np.float64]:
        """Return what calibrated probabilities were before, N x A."""
        return sigmoid((logit(probabilities) - self.offset) / self.slope)


def calibration_error(labels: Labels, probabilities: Floats) -> Floats:
    """Return the expected calibration error of each attribute, A, as fractions; nan without a known label."""
    return np.array([_error(*_known(labels[:, a], probabilities[:, a])) for a in range(labels.shape[1])])


def chance(labels: Labels, probabilities: Floats, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """Return the expected calibration error by chance alone, A: the mean over labels drawn from the probabilities.

    Equal arguments give equal numbers. Only which labels are known matters of them.
    """
    random = np.random.default_rng(seed)
    found = []
    for a in range(labels.shape[1]):
        _, known = _known(labels[:, a], probabilities[:, a])
        found.append(np.mean([_error(random.random(len(known)) < known, known) for _ in range(draws)]))
    return np.array(found)


def summarise_calibration(
    labels: Labels, probabilities: Floats, attributes: AttributeSet, before: Floats | None = None
) -> dict[str, Any]:
    """Return the calibration error of a model in percent, rounded to four decimals; None where undefined.

    Args:
        labels: int8 N x A, 1 yes, 0 no, -1 unknown.
        probabilities: float N x A in [0, 1].
        before: the same before they were calibrated, where known.

    Returns:
        `mean_error`, `mean_error_before` (None where unknown) and `mean_chance`, `attributes` by name (`error`,
        `error_before`, `chance`), `bins`, `draws` and `seed`.
    """
    columns = {
        "error": calibration_error(labels, probabilities),
        "error_before": np.full(len(attributes), np.nan) if before is None else calibration_error(labels, before),
        "chance": chance(labels, probabilities),
    }
    return {
        **{f"mean_{name}": percent(float(mean_over_attributes(values))) for name, values in columns.items()},
        "attributes": {
            name: {column: percent(values[a]) for column, values in columns.items()}
            for a, name in enumerate(attributes.names)
        },
        "bins": BINS,
        "draws": DRAWS,
        "seed": SEED,
    }


def bin_of(probabilities: Floats) -> npt.NDArray[np.int64]:
    """Return the bin of each probability, any shape: bin k holds [k / BINS, (k + 1) / BINS), the last one 1 too."""
    return np.minimum((probabilities.astype(np.float64) * BINS).astype(np.int64), BINS - 1)


def _error(yes: npt.NDArray[np.bool_], probabilities: Floats) -> float:
    """Return the expected calibration error of one attribute's known labels."""
    if not len(yes):
        return float("nan")
    return float(np.abs(np.bincount(bin_of(probabilities), yes - probabilities, BINS)).sum() / len(yes))


def _known(labels: Labels, probabilities: Floats) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    known = labels != -1
    return labels[known] == 1, probabilities[known].astype(np.float64)


def _fit(logits: Floats, yes: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and offset of one attribute, by Newton's steps with the expected curvature."""
    if yes.all() or not yes.any():
        return 1.0, 0.0

    def loss(at: Floats) -> float:
        scaled = np.exp(at[0]) * logits + at[1]
        return float((np.logaddexp(0, scaled) - yes * scaled).sum() + (at**2).sum() / (2 * _PRIOR**2))

    at = np.zeros(2)
    for _ in range(_STEPS):
        scaled = np.exp(at[0]) * logits
        probabilities = sigmoid(scaled + at[1])
        slopes = np.stack([scaled, np.ones(len(logits))])
        gradient = slopes @ (probabilities - yes) + at / _PRIOR**2
        curvature = slopes * (probabilities * (1 - probabilities)) @ slopes.T + np.eye(2) / _PRIOR**2
        step = np.linalg.solve(curvature, gradient)
        while loss(at - step) > loss(at) and np.abs(step).max() > 1e-9:
            step /= 2
        at = at - step
        if np.abs(step).max() <= 1e-9:
            break
    return float(np.exp(at[0])), float(at[1])


def logit(probabilities: Floats) -> npt.NDArray[np.float64]:
    """Return log odds of probabilities in [0, 1]; those of 0 and 1 are finite."""
    p = np.clip(probabilities.astype(np.float64), 1e-9, 1 - 1e-9)
    return np.log(p) - np.log1p(-p)


def sigmoid(logits: Floats) -> npt.NDArray[np.float64]:
    """Return the probabilities of log odds."""
    return 1 / (1 + np.exp(-logits))
