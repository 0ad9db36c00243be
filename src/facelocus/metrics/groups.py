"""How a model does on one kind of face and on another: the same scores for each group, and the gap between them.

Accuracy depends on how rare an attribute is in a group (almost no woman has a beard, so women's beards are easy), and
so do its gaps; balanced accuracy weighs positives and negatives alike. Its mean is over the attributes that have at
least LEAST of both in every group compared: with one positive it would be luck, and over different attributes no gap.
Groups of few faces are counted, not compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.attributes import AttributeSet
from facelocus.metrics.accuracy import Confusion, Floats, Labels, correct, mean_over_attributes, percent
from facelocus.metrics.intervals import RESAMPLES, SEED, interval, resample_means

#: Faces of a group that is compared.
SMALLEST = 50
#: Positives and negatives that an attribute has in each group to count in means of balanced accuracy.
LEAST = 10
#: The same for being named as one of the widest gaps, and how many are named.
LEAST_NAMED, NAMED = 50, 5

Bools = npt.NDArray[np.bool_]


def compare_groups(
    by: Sequence[Mapping[str, Labels]],
    labels: Labels,
    probabilities: Floats,
    attributes: AttributeSet,
    thresholds: Mapping[str, Floats],
    people: npt.NDArray[np.integer] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Any]:
    """Return scores by group in percent, rounded to four decimals, None where undefined.

    Args:
        by: what faces are grouped by, each one or two attributes' labels by name, N: 1 yes, 0 no, -1 unknown (in no
            group). One makes two groups, two make four. The attributes themselves are left out of the scores.
        labels, probabilities, thresholds, people: as in `summarise`.

    Returns:
        For each of `by`, by its names joined with +, the widest gap in balanced accuracy first: `groups` by name
        (`images`, `people`, `mean_accuracy`, `mean_balanced_accuracy`, `intervals`), `attributes` and
        `balanced_attributes` (how many the two means are over), `gap` (`between`: two groups' names, the means' first
        minus second, `intervals`; None where fewer than two groups are compared), and `widest`: the attributes with
        the widest gaps in balanced accuracy between those two groups (`attribute`, `gap`, `interval`, and the score in
        each). With one attribute the gap is yes minus no; with two, the best group minus the worst, picked by balanced
        accuracy.
    """
    whose = np.arange(len(labels)) if people is None else people
    found = {}
    for grouping in by:
        kept = np.array([name not in grouping for name in attributes.names])
        members = _members(grouping)
        scores = _Scores.measure(
            np.array([faces for faces in members.values() if faces.sum() >= SMALLEST], bool).reshape(-1, len(labels)),
            labels[:, kept],
            probabilities[:, kept],
            {kind: values[kept] for kind, values in thresholds.items()},
            whose,
            resamples,
            seed,
        )
        names = [name for name, its in zip(attributes.names, kept, strict=True) if its]
        found["+".join(grouping)] = _report(members, scores, names, people)
    return dict(sorted(found.items(), key=lambda entry: -_width(entry[1]["gap"])))


@dataclass(frozen=True)
class _Scores:
    """Scores of G groups: measured, and in S resamples of people, the same people for all groups.

    Attributes:
        least: G x A, the rarer of positives and negatives.
        accuracy, balanced: G x A.
        drawn_accuracy, drawn_balanced: S x G x A.
    """

    least: Floats
    accuracy: Floats
    balanced: Floats
    drawn_accuracy: Floats
    drawn_balanced: Floats

    @classmethod
    def measure(
        cls,
        members: Bools,
        labels: Labels,
        probabilities: Floats,
        thresholds: Mapping[str, Floats],
        whose: npt.NDArray[np.integer],
        resamples: int,
        seed: int,
    ) -> _Scores:
        yes, no = labels == 1, labels == 0
        hits = [correct(labels, probabilities, thresholds[kind]) for kind in ("accuracy", "balanced")]
        kinds = np.stack([yes, no, *(hit & of for hit in hits for of in (yes, no))])
        # N x (6 kinds, G groups, A attributes): shares of all faces, whose ratios are those of counts.
        flags = (members[None, :, :, None] & kinds[:, None]).transpose(2, 0, 1, 3)
        shape = flags.shape[1:]
        measured = flags.mean(axis=0)
        drawn = resample_means(flags.reshape(len(flags), math.prod(shape)), whose, resamples, seed)
        drawn = drawn.reshape(resamples, *shape)
        positives, negatives = measured[:2] * len(flags)
        accuracy, balanced, drawn_accuracy, drawn_balanced = (
            getattr(Confusion(shares[0], shares[1], *shares[at : at + 2]), score)
            for shares in (measured, drawn.swapaxes(0, 1))
            for at, score in ((2, "accuracy"), (4, "balanced_accuracy"))
        )
        return cls(np.minimum(positives, negatives).round(), accuracy, balanced, drawn_accuracy, drawn_balanced)


def _members(grouping: Mapping[str, Labels]) -> dict[str, Bools]:
    """Return which faces are in each group: name -> N."""
    members = {"": np.ones(len(next(iter(grouping.values()))), bool)}
    for name, its in grouping.items():
        members = {
            f"{before} and {word}" if before else word: faces & (its == value)
            for before, faces in members.items()
            for word, value in ((name, 1), (f"not {name}", 0))
        }
    return members


def _report(
    members: Mapping[str, Bools], scores: _Scores, names: Sequence[str], people: npt.NDArray[np.integer] | None
) -> dict[str, Any]:
    counted = (scores.least >= LEAST).all(axis=0)
    means = {
        "mean_accuracy": (mean_over_attributes(scores.accuracy), mean_over_attributes(scores.drawn_accuracy)),
        "mean_balanced_accuracy": (
            mean_over_attributes(scores.balanced[:, counted]),
            mean_over_attributes(scores.drawn_balanced[..., counted]),
        ),
    }
    compared = [group for group, faces in members.items() if faces.sum() >= SMALLEST]
    groups = {}
    for group, faces in members.items():
        its = {mean: (np.nan, np.array([])) for mean in means}
        if group in compared:
            g = compared.index(group)
            its = {mean: (value[g], drawn[:, g]) for mean, (value, drawn) in means.items()}
        whose = None if people is None else len(np.unique(people[faces]))
        groups[group] = {"images": int(faces.sum()), "people": whose, **_with_intervals(its)}
    found = {"groups": groups, "attributes": len(names), "balanced_attributes": int(counted.sum())}
    if len(compared) < 2:
        return found | {"gap": None, "widest": []}
    high, low = 0, 1
    if len(members) > 2:
        balanced = np.nan_to_num(means["mean_balanced_accuracy"][0])
        high, low = int(balanced.argmax()), len(balanced) - 1 - int(balanced[::-1].argmin())
    between = [compared[high], compared[low]]
    gaps = {mean: (value[high] - value[low], drawn[:, high] - drawn[:, low]) for mean, (value, drawn) in means.items()}
    return found | {
        "gap": {"between": between, **_with_intervals(gaps)},
        "widest": _widest(scores, high, low, between, names),
    }


def _width(gap: Mapping[str, Any] | None) -> float:
    return -1.0 if gap is None else abs(gap["mean_balanced_accuracy"] or 0.0)


def _widest(scores: _Scores, high: int, low: int, between: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the attributes of which the two groups' balanced accuracies differ most."""
    gaps = scores.balanced[high] - scores.balanced[low]
    enough = np.flatnonzero((scores.least[[high, low]] >= LEAST_NAMED).all(axis=0))
    return [
        {
            "attribute": names[a],
            "gap": percent(gaps[a]),
            "interval": _bounds(scores.drawn_balanced[:, high, a] - scores.drawn_balanced[:, low, a]),
            **{group: percent(scores.balanced[at, a]) for group, at in zip(between, (high, low), strict=True)},
        }
        for a in enough[np.argsort(-np.abs(gaps[enough]), kind="stable")][:NAMED].tolist()
    ]


def _with_intervals(values: Mapping[str, tuple[float, Floats]]) -> dict[str, Any]:
    intervals = {mean: _bounds(drawn) for mean, (_, drawn) in values.items()}
    return {**{mean: percent(value) for mean, (value, _) in values.items()}, "intervals": intervals}


def _bounds(drawn: Floats) -> list[float | None]:
    return [percent(end) for end in interval(drawn)]
