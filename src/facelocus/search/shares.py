"""How many faces of a library have an attribute: counted, and corrected for how often the model is wrong.

Of the faces that a model says yes to, some are wrong, and some that have the attribute are missed; a count of yes is
therefore off, most for what is rare. With the sensitivity and specificity that were found on validation faces, the
estimator of Rogan and Gladen (1978) takes that out, and the interval of Lang and Reiczigel (2014) adds that these two
are estimates themselves. It holds as far as the library's faces are like those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from facelocus.library.scores import Scores, encode
from facelocus.library.store import About

#: Of a normal distribution, two-sided 95 %.
_Z = 1.959964


@dataclass(frozen=True)
class Share:
    """How many faces have an attribute, with a 95 % interval; all three in [0, 1]."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Shares:
    """An attribute in a library.

    Attributes:
        attribute: its name.
        counted: faces at or above the model's accuracy threshold.
        corrected: for the model's error rates; None where its file does not carry them, or where they cannot be those
            of the library's faces.
    """

    attribute: str
    counted: Share
    corrected: Share | None


def shares(scores: Scores, about: About) -> list[Shares]:
    """Return the share of every attribute among the faces of a library."""
    limits = encode(about.thresholds)
    faces = len(scores.faces)
    found = []
    for row, name in enumerate(about.attributes.names):
        yes = int(np.count_nonzero(scores.logits[row] >= limits[row]))
        corrected = None
        if about.rates is not None:
            rates = {
                key: float(about.rates[key][row]) for key in ("sensitivity", "specificity", "positives", "negatives")
            }
            corrected = rogan_gladen(yes, faces, **rates)
        found.append(Shares(name, wilson(yes, faces), corrected))
    return found


def wilson(yes: int, count: int) -> Share:
    """Return a share and its interval by Wilson (1927); nothing is known of no faces."""
    if not count:
        return Share(math.nan, 0.0, 1.0)
    share, z = yes / count, _Z**2 / count
    middle = (share + z / 2) / (1 + z)
    reach = math.sqrt(z * (share * (1 - share) + z / 4)) / (1 + z)
    return Share(share, max(0.0, middle - reach), min(1.0, middle + reach))


def rogan_gladen(
    yes: int, count: int, *, sensitivity: float, specificity: float, positives: float, negatives: float
) -> Share | None:
    """Return the share corrected for error rates, and its interval; None where these cannot be those of the faces.

    They are no better than chance then, or alone would give more yes, or more no, than there are.

    Args:
        yes, count: faces that the model says yes to, and all.
        sensitivity: share of yes among `positives` validation faces that have the attribute.
        specificity: share of no among `negatives` that have not.
    """
    better = sensitivity + specificity - 1
    if better <= 0 or not count or not positives or not negatives:
        return None
    share = min(1.0, max(0.0, (yes / count + specificity - 1) / better))
    # Lang and Reiczigel: as if one more, or two, had been seen of each.
    n, positives, negatives, seen = count + _Z**2, positives + 2, negatives + 2, (positives, negatives)
    p = (yes + _Z**2 / 2) / n
    se, sp = (seen[0] * sensitivity + 1) / positives, (seen[1] * specificity + 1) / negatives
    better = se + sp - 1
    if better <= 0:
        return None
    middle = (p + sp - 1) / better
    shift = 2 * _Z**2 * (middle * se * (1 - se) / positives - (1 - middle) * sp * (1 - sp) / negatives)
    spread = p * (1 - p) / n + middle**2 * se * (1 - se) / positives + (1 - middle) ** 2 * sp * (1 - sp) / negatives
    reach = _Z * math.sqrt(spread) / better
    low, high = (middle + shift + side * reach for side in (-1, 1))
    if high <= 0 or low >= 1:
        return None
    return Share(share, min(max(low, 0.0), share), max(min(high, 1.0), share))
