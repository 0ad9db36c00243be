"""Everything `facelocus evaluate` reports about probabilities, as one JSON-ready mapping in percent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.attributes import AttributeSet
from facelocus.metrics.accuracy import METRICS, Floats, Labels, mean_over_attributes, measure, percent
from facelocus.metrics.intervals import RESAMPLES, SEED, interval, resample


def summarise(
    labels: Labels,
    probabilities: Floats,
    attributes: AttributeSet,
    thresholds: Mapping[str, Floats],
    people: npt.NDArray[np.integer] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Any]:
    """Return scores over all attributes, by region and by attribute, with 95 % intervals.

    Scores are in percent, rounded to four decimals; None where undefined (see `metrics.accuracy`). A mean
    is over the attributes where the score is defined. F1 is taken at the accuracy thresholds.

    Args:
        labels: int8 N x A, 1 yes, 0 no, -1 unknown.
        probabilities: float N x A in [0, 1].
        thresholds: "accuracy" and "balanced", each of shape A.
        people: N numbers, equal for pictures of one person; None: intervals over pictures.

    Returns:
        `images`, `people` (None where unknown), `mean_` and each of METRICS, `intervals` (the same names ->
        [low, high]), `regions` by name (the same again, and `attributes`: how many), `attributes` by name
        (each of METRICS, `positives`, `known`, `positives_share`, `region`, `intervals`), `bootstrap`
        (resamples, seed, over).
    """
    found = measure(labels, probabilities, thresholds)
    drawn = resample(labels, probabilities, thresholds, people, resamples, seed)
    regions = attributes.region_index

    def means(columns: npt.NDArray[np.intp]) -> dict[str, Any]:
        values = {m: float(mean_over_attributes(found[m][columns])) for m in METRICS}
        bounds = {m: interval(mean_over_attributes(drawn[m][:, columns])) for m in METRICS}
        return _scores(values, bounds, "mean_")

    def one(a: int) -> dict[str, Any]:
        scores = _scores({m: found[m][a] for m in METRICS}, {m: interval(drawn[m][:, a]) for m in METRICS}, "")
        positives, known = int((labels[:, a] == 1).sum()), int((labels[:, a] != -1).sum())
        share = percent(positives / known if known else float("nan"))
        counts = {"positives": positives, "known": known, "positives_share": share}
        return {"region": attributes.region_of[a], **counts, **scores}

    return {
        "images": len(labels),
        "people": None if people is None else len(np.unique(people)),
        **means(np.arange(len(attributes))),
        "regions": {
            region: {"attributes": int((regions == r).sum()), **means(np.flatnonzero(regions == r))}
            for r, region in enumerate(attributes.regions)
        },
        "attributes": {name: one(a) for a, name in enumerate(attributes.names)},
        "bootstrap": {"resamples": resamples, "seed": seed, "over": "images" if people is None else "people"},
    }


def _scores(values: Mapping[str, float], bounds: Mapping[str, tuple[float, float]], prefix: str) -> dict[str, Any]:
    low_high = {prefix + m: [percent(low), percent(high)] for m, (low, high) in bounds.items()}
    return {**{prefix + m: percent(value) for m, value in values.items()}, "intervals": low_high}
