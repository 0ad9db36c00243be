"""What labels to expect of new faces, where annotators of two parts of the data disagree.

CelebA was labelled part by part. Its validation faces have Big_Lips and Narrow_Eyes a third less often than its
training faces, 7 and 8 standard deviations of what other people explain; Male, Eyeglasses and most others differ by no
more than people do. What is calibrated on validation labels alone is right for those annotators. New faces are better
expected to be labelled as the many of training are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facelocus.metrics.accuracy import Labels
from facelocus.metrics.calibration import logit, sigmoid


@dataclass(frozen=True)
class LabelShift:
    """By how much training labels say yes more often than validation labels.

    Attributes:
        shift: float64 of shape A, the difference of the logits of the two shares of yes.
        noise: float64 of shape A, its standard deviation over people: what differs because people do; infinite where
            one part has no known label.
    """

    shift: npt.NDArray[np.float64]
    noise: npt.NDArray[np.float64]

    @classmethod
    def measure(
        cls,
        training: Labels,
        validation: Labels,
        training_people: npt.NDArray[np.integer] | None = None,
        validation_people: npt.NDArray[np.integer] | None = None,
    ) -> LabelShift:
        """Compare labels, int8 N x A and M x A: 1 yes, 0 no, -1 unknown. People as in `resample`."""
        logit, variance = zip(
            *(_rate(*part) for part in ((training, training_people), (validation, validation_people))), strict=True
        )
        return cls(logit[0] - logit[1], np.sqrt(variance[0] + variance[1]))

    def expected(self, rates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the rates at which new faces like the validation faces will be labelled, A in (0, 1).

        The shift is applied as far as it is the annotators' and not the people's: so far as shifts vary more over
        attributes than their noise explains (empirical Bayes). Splits drawn at random keep their rates.

        Args:
            rates: A in (0, 1), of the validation faces.
        """
        known = np.isfinite(self.noise)
        excess = (self.shift**2 - self.noise**2)[known]
        annotators = max(0.0, float(excess.mean())) if len(excess) else 0.0
        kept = np.zeros(len(rates)) if not annotators else annotators / (annotators + self.noise**2)
        return sigmoid(logit(rates) + kept * self.shift)


def _rate(
    labels: Labels, people: npt.NDArray[np.integer] | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the logit of each attribute's share of yes, kept off 0 and 1 by half a label, and its variance.

    The variance is that of a sum over people, and at least that of as many independent labels.
    """
    group = np.arange(len(labels)) if people is None else np.unique(people, return_inverse=True)[1].reshape(-1)
    logits, variances = np.zeros(labels.shape[1]), np.full(labels.shape[1], np.inf)
    for a, its in enumerate(labels.T):
        known = its != -1
        count, yes = int(known.sum()), int((its == 1).sum())
        rate = (yes + 0.5) / (count + 1)
        information = count * rate * (1 - rate)
        if count:
            off = np.bincount(group[known], (its[known] == 1) - rate)
            logits[a] = np.log(rate / (1 - rate))
            variances[a] = max((off**2).sum(), information) / information**2
    return logits, variances
