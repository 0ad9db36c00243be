"""Probabilities of test faces as if their own labels could be fitted: on one half of the people, for the other half."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facelocus.metrics.calibration import Calibration

#: Of the draw of the halves.
SEED = 0


def calibrate_crosswise(
    labels: npt.NDArray[np.int8], probabilities: npt.NDArray[np.floating], people: npt.NDArray[np.integer]
) -> npt.NDArray[np.floating]:
    """Return the probabilities of each half of the people calibrated on the other half.

    Args:
        labels: N x A, 1 yes, 0 no, -1 unknown.
        probabilities: N x A in [0, 1].
        people: N numbers, equal for pictures of one person.
    """
    names = np.unique(people)
    first = np.isin(people, np.random.default_rng(SEED).permutation(names)[: len(names) // 2])
    crossed = np.empty_like(probabilities)
    for fitted, measured in ((first, ~first), (~first, first)):
        crossed[measured] = Calibration.fit(labels[fitted], probabilities[fitted]).apply(probabilities[measured])
    return crossed
