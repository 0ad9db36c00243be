"""How two attributes of one face go together beyond what the model's two probabilities say: is it of use?

Given a face, the model says how probable each of two attributes is. Were its errors independent, both would hold with
the product. Here each pair has one number for how far they are not, the odds ratio of Plackett (1965), fitted by
maximum likelihood to validation faces given the probabilities, and held back towards independence by a normal
distribution over its logarithm. Of more than two attributes, each is joined to the one it depends on most, so that they
form a tree (Chow and Liu 1968) and what is the same thing under several names counts once. search_quality.py
measures on test faces what that gains over the product.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

#: Logarithms of odds ratios that are tried; between them a parabola decides.
GRID = np.linspace(-6, 6, 49)

#: Standard deviation of the logarithms, before anything is seen.
SPREAD = 1.0

#: Probabilities nearer to 0 and 1 than this are not believed.
LEAST = 1e-4

Floats = npt.NDArray[np.float64]


def log_odds_ratios(labels: npt.NDArray[np.int8], probabilities: npt.NDArray[np.floating]) -> Floats:
    """Return the logarithms, A x A, symmetric, of labels (1, 0, -1 for unknown) and probabilities N x A."""
    p = np.clip(probabilities.astype(np.float64), LEAST, 1 - LEAST)
    count = labels.shape[1]
    found = np.zeros((count, count))
    for i in tqdm(range(count), desc="fitting", disable=None):
        for j in range(i):
            known = (labels[:, i] >= 0) & (labels[:, j] >= 0)
            found[i, j] = found[j, i] = _fit(p[known, i], p[known, j], labels[known, i] == 1, labels[known, j] == 1)
    return found


def _fit(p: Floats, q: Floats, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    # The odds ratio of one and not the other is the inverse: every face is of a pair that both hold.
    p, q, turned = np.where(first, p, 1 - p), np.where(second, q, 1 - q), first != second
    gain = np.array([
        np.log(conditional(p[~turned], q[~turned], np.exp(log))).sum()
        + np.log(conditional(p[turned], q[turned], np.exp(-log))).sum()
        for log in GRID
    ])  # fmt: skip
    gain -= GRID**2 / (2 * SPREAD**2)
    best = int(np.clip(gain.argmax(), 1, len(GRID) - 2))
    left, middle, right = gain[best - 1 : best + 2]
    return float(GRID[best] + 0.5 * (GRID[1] - GRID[0]) * (left - right) / (left - 2 * middle + right))


def conditional(p: Floats, q: Floats, odds_ratio: float) -> Floats:
    """Return how probable the second is where the first holds.

    Args:
        p: probability of the first, in (0, 1]; any shape.
        q: of the second, in [0, 1].
        odds_ratio: above 0; of the two, where p and q are as they are.
    """
    beyond = odds_ratio - 1
    s = 1 + (p + q) * beyond
    # Of the two forms of the root of Plackett's equation the one that does not cancel.
    found: Floats = 2 * odds_ratio * q / (s + np.sqrt(np.maximum(s * s - 4 * odds_ratio * beyond * p * q, 0)))
    return found


def joint(probabilities: Sequence[Floats], odds_ratios: Floats) -> Floats:
    """Return how probable it is that all hold.

    Args:
        probabilities: of each of K, arrays of one shape.
        odds_ratios: K x K.
    """
    found = probabilities[0].copy()
    for parent, child in tree(np.abs(np.log(odds_ratios))):
        found *= conditional(probabilities[parent], probabilities[child], float(odds_ratios[parent, child]))
    return found


def tree(strength: Floats) -> list[tuple[int, int]]:
    """Return the edges, parent before child, of the spanning tree of most strength, from 0 on; strength is K x K."""
    inside, edges = [0], []
    outside = list(range(1, len(strength)))
    while outside:
        parent, child = max(((i, j) for i in inside for j in outside), key=lambda edge: strength[edge])
        edges.append((parent, child))
        inside.append(child)
        outside.remove(child)
    return edges
