"""More like this: faces by how much their attributes have in common with one face's.

Two faces are compared by how much more probable it is that they have the same attributes than it would be of any two
faces: what both have and few have says more than what most have. That is likeness, not identity: how far it is from
telling people apart is measured by benchmarks/search/verification.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facelocus.library.scores import Ids, Scores, decode

Floats = npt.NDArray[np.float64]

# Faces from which the share of each attribute is taken, and faces compared at once.
_SAMPLE = 8192
_AT_ONCE = 1 << 17


def agreement(p: Floats, q: Floats, shares: Floats) -> Floats:
    """Return the logarithm of how much more probable the same answer is of these two faces than of any two.

    Args:
        p: probabilities of the attributes of one face, in (0, 1), broadcast against the others.
        q: of the other.
        shares: how many faces have each, in (0, 1).
    """
    found: Floats = np.log(p * q / shares + (1 - p) * (1 - q) / (1 - shares))
    return found


def shares_of(scores: Scores) -> Floats:
    """Return the share of faces that have each attribute, by their probabilities: float64 A, in (0, 1)."""
    if not len(scores.faces):
        return np.full(len(scores.logits), 0.5)
    stride = max(1, len(scores.faces) // _SAMPLE)
    shares: Floats = _probabilities(scores.logits[:, ::stride]).mean(axis=1)
    return np.clip(shares, 1e-3, 1 - 1e-3)


def most_alike(scores: Scores, profile: Floats, limit: int) -> tuple[Ids, Floats]:
    """Return the rows of the faces most like a profile, one a picture, best first, and how like they are.

    Args:
        scores: of a library.
        profile: the probabilities of one face, A, in [0, 1].
        limit: at most so many.

    Returns:
        int64 rows; float64, the sum of `agreement` over the attributes: above 0 is more alike than any two faces.
    """
    shares = shares_of(scores)
    profile = np.clip(profile, 1e-6, 1 - 1e-6)
    every = _probabilities(np.arange(65536))
    alike = np.zeros(len(scores.faces), np.float32)
    for codes, p, share in zip(scores.logits, profile, shares, strict=True):
        table = agreement(p, every, share).astype(np.float32)
        for start in range(0, len(alike), _AT_ONCE):
            alike[start : start + _AT_ONCE] += table[codes[start : start + _AT_ONCE]]
    # More than wanted, as some are of one picture.
    count = min(len(alike), 8 * limit + 64)
    rows = np.argpartition(-alike, count - 1)[:count] if count else np.zeros(0, np.int64)
    rows = rows[np.lexsort((rows, -alike[rows]))]
    _, first = np.unique(scores.picture_of(rows), return_index=True)
    rows = rows[np.sort(first)][:limit]
    return rows, alike[rows].astype(np.float64)


def profile_of(scores: Scores, row: int) -> Floats:
    """Return the probabilities of one face, float64 A."""
    return _probabilities(scores.logits[:, row])


def _probabilities(codes: npt.NDArray[np.integer]) -> Floats:
    found: Floats = 1 / (1 + np.exp(-decode(codes)))
    return found
