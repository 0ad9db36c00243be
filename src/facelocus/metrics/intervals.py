"""95 % intervals by bootstrap over people.

Pictures of one person resemble each other, so people are drawn, not pictures: a resample draws as many
people as there are, with replacement, and takes all pictures of each as often as it was drawn. Only how
often each person was drawn matters, which makes a resample a row of weights, and the counts of all
resamples one matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from facelocus.metrics.accuracy import (
    METRICS,
    Confusion,
    Floats,
    Labels,
    Ranking,
    correct,
    ranking,
    ratio,
    scores,
)

RESAMPLES = 2_000
SEED = 0

#: Weights handled at once (pictures x resamples): 16 MB as float32.
_AT_ONCE = 4_000_000


def resample(
    labels: Labels,
    probabilities: Floats,
    thresholds: Mapping[str, Floats],
    people: npt.NDArray[np.integer] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Floats]:
    """Return the scores of `measure` in each resample: name -> resamples x A.

    Equal arguments give equal numbers. A score is nan in a resample where it is undefined there.

    Args:
        people: N numbers, equal for pictures of one person; None draws pictures.
    """
    group = np.arange(len(labels)) if people is None else np.unique(people, return_inverse=True)[1].reshape(-1)
    count = int(group.max()) + 1 if len(group) else 0
    right = {
        "accuracy": correct(labels, probabilities, thresholds["accuracy"]),
        "balanced": correct(labels, probabilities, thresholds["balanced"]),
        "half": correct(labels, probabilities, 0.5),
    }
    kinds = [labels == 1, labels == 0]
    kinds += [hit & kind for hit in right.values() for kind in (labels == 1, labels == 0)]
    per_person = np.zeros((count, len(kinds) * labels.shape[1]), dtype=np.float32)
    np.add.at(per_person, group, np.concatenate(kinds, axis=1).astype(np.float32))
    rankings = [ranking(labels[:, a], probabilities[:, a]) for a in range(labels.shape[1])]

    parts = []
    for weights in draw_people(count, resamples, seed, max(1, _AT_ONCE // max(1, len(labels)))):
        # Whole numbers below 2^24: exact in float32, so the order of summation cannot change them.
        sums = np.split((weights.T @ per_person).astype(np.float64), len(kinds), axis=1)
        at = {name: Confusion(sums[0], sums[1], *sums[2 + 2 * i : 4 + 2 * i]) for i, name in enumerate(right)}
        precision = np.stack([_average_precision(ranked, group, weights) for ranked in rankings], axis=1)
        parts.append(scores(at, precision))
    return {metric: np.concatenate([part[metric] for part in parts]) for metric in METRICS}


def resample_means(
    values: Floats, people: npt.NDArray[np.integer], resamples: int = RESAMPLES, seed: int = SEED
) -> Floats:
    """Return the mean over faces in each resample: values N x K (a bool counts 0 or 1) -> resamples x K.

    People are drawn as in `resample`: with equal people and seed the same ones, so differences of two are paired.
    """
    numbers, group = np.unique(people, return_inverse=True)
    summed = np.zeros((len(numbers), values.shape[1] + 1))
    np.add.at(summed, group.reshape(-1), np.column_stack([values, np.ones(len(values))]))
    parts = [
        weights.T.astype(np.float64) @ summed
        for weights in draw_people(len(numbers), resamples, seed, max(1, _AT_ONCE // max(1, len(values))))
    ]
    sums = np.concatenate(parts)
    means: Floats = sums[:, :-1] / sums[:, -1:]
    return means


def interval(values: Floats) -> tuple[float, float]:
    """Return the 2.5 and 97.5 percentiles of one score's resamples, leaving out nan (nan, nan if all are)."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.percentile(defined, (2.5, 97.5))
    return float(low), float(high)


def draw_people(people: int, resamples: int, seed: int, at_once: int) -> Iterator[npt.NDArray[np.float32]]:
    """Yield how often each person was drawn: float32, people x (up to at_once resamples); equal seeds draw equally."""
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        drawn = rng.integers(0, people, (size, people)) + people * np.arange(size)[:, None]
        counts = np.bincount(drawn.reshape(-1), minlength=size * people).reshape(size, people)
        yield np.ascontiguousarray(counts.T, dtype=np.float32)


def _average_precision(ranked: Ranking, group: npt.NDArray[np.int64], weights: npt.NDArray[np.float32]) -> Floats:
    """Return the average precision in each resample; weights are people x resamples."""
    if not len(ranked.hits):
        return np.full(weights.shape[1], np.nan)
    drawn = weights[group[ranked.rows]]
    hits = drawn[ranked.hits]
    seen = np.cumsum(drawn, axis=0, out=drawn)[ranked.seen - 1]
    precision = np.cumsum(hits, axis=0)[ranked.hits_seen - 1]
    np.divide(precision, seen, out=precision, where=seen > 0)  # nothing seen: the hit itself weighs nothing
    total = hits.sum(axis=0, dtype=np.float64)
    weighted = (hits * precision).sum(axis=0, dtype=np.float64)
    return ratio(weighted, total)
