"""One model's maps against the regions, and against its answers: everything `facelocus localise` reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from facelocus.attributes import AttributeSet
from facelocus.data.pack import Pack
from facelocus.errors import DataError
from facelocus.images.read import RGB
from facelocus.images.regions import region_maps
from facelocus.metrics.accuracy import mean_over_attributes
from facelocus.metrics.faithfulness import ORDERS, SHARE, hidden_and_shown, right_by_region
from facelocus.metrics.intervals import RESAMPLES, SEED, interval, resample_means
from facelocus.metrics.localisation import concentration, likeness, own_and_others, pointing

#: Faces at once.
BATCH = 64

#: Uint8 frames -> probabilities N x A; and a map a region, N x R x h x w.
Predict = Callable[[RGB], npt.NDArray[np.float32]]
Look = Callable[[RGB], npt.NDArray[np.float32]]


def measure_localisation(
    predict: Predict,
    look: Look,
    attributes: AttributeSet,
    thresholds: npt.NDArray[np.float32],
    pack: Pack,
    rows: npt.NDArray[np.int64],
    faithful: int,
) -> dict[str, Any]:
    """Return what the maps say, JSON-ready: means over faces with 95 % intervals over people, [mean, low, high].

    Args:
        predict: the model's answers.
        look: its maps.
        attributes: of the model; its regions must be CelebA's.
        thresholds: A, from which an attribute counts as present.
        pack: labelled faces with people; its attributes are the model's.
        rows: which of them.
        faithful: how many of the rows, the first, are hidden and shown in parts: 48 answers each.

    Raises:
        UsageError: the model has regions of which it is not known where they lie.
        DataError: a region has no label on any of the faces that are hidden in parts.
    """
    assert pack.people is not None
    region_maps(attributes.regions)  # refuses unknown regions before any work
    _refuse_unlabelled(attributes, pack, rows[:faithful])
    maps = np.concatenate([look(pack.frames(rows[at])) for at in _batches(len(rows), "looking")])
    regions = region_maps(attributes.regions, maps.shape[2:])
    people = pack.people[rows]
    own, others = own_and_others(concentration(maps, regions))
    inside, chance = pointing(maps, regions)
    mean_own, mean_others = own_and_others(concentration(maps.mean(axis=0, keepdims=True), regions))
    by_region = {
        name: {
            "area": _rounded(regions[r].mean()),
            "own": _mean(own[:, r], people),
            "others": _mean(others[:, r], people),
            "own less others": _mean(own[:, r] - others[:, r], people),
            "mean mask, own": _rounded(mean_own[0, r]),
            "mean mask, others": _rounded(mean_others[0, r]),
            "pointing": _mean(inside[:, r], people),
            "pointing by chance": _rounded(chance[r]),
            "mean": _rounded(maps[:, r].mean()),
            "lowest": _rounded(maps[:, r].min(axis=(1, 2)).mean()),
            "highest": _rounded(maps[:, r].max(axis=(1, 2)).mean()),
        }
        for r, name in enumerate(attributes.regions)
    }
    return {
        "faces": len(rows),
        "people": len(np.unique(people)),
        "positions": list(maps.shape[2:]),
        "own": _mean(own.mean(axis=1), people),
        "others": _mean(others.mean(axis=1), people),
        "own less others": _mean((own - others).mean(axis=1), people),
        "pointing": _mean(inside.mean(axis=1), people),
        "pointing by chance": _rounded(chance.mean()),
        "likeness of two masks": _mean(likeness(maps), people),
        "regions": by_region,
        "faithfulness": _faithfulness(predict, attributes, thresholds, pack, rows[:faithful], maps[:faithful]),
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED, "over": "people"},
    }


def _faithfulness(
    predict: Predict,
    attributes: AttributeSet,
    thresholds: npt.NDArray[np.float32],
    pack: Pack,
    rows: npt.NDArray[np.int64],
    maps: npt.NDArray[np.float32],
) -> dict[str, Any]:
    """Return right answers in percent, whole and with a fifth hidden or shown alone, over regions and by region."""
    assert pack.people is not None
    people, labels, index = pack.people[rows], pack.labels[rows], attributes.region_index
    whole = np.concatenate([predict(pack.frames(rows[at])) for at in _batches(len(rows), "answering")])
    found = {"whole": right_by_region(labels, whole, thresholds, index)}
    for order in ORDERS:
        parts = [
            hidden_and_shown(
                predict, pack.frames(rows[at]), labels[at], thresholds, maps[at], index, order, seed=at.start
            )
            for at in _batches(len(rows), f"hiding the {order}")
        ]
        for kind, values in zip(("hidden", "shown"), zip(*parts, strict=True), strict=True):
            found[f"{order} {kind}"] = np.concatenate(values)
    lost = found["random hidden"] - found["highest hidden"]
    kept = found["highest shown"] - found["random shown"]
    return {
        "faces": len(rows),
        "share": SHARE,
        "unit": "right answers in percent",
        **{name: _mean(100 * mean_over_attributes(values), people) for name, values in found.items()},
        "highest hidden loses more than random": _mean(100 * mean_over_attributes(lost), people),
        "highest shown keeps more than random": _mean(100 * mean_over_attributes(kept), people),
        "regions": {
            name: {kind: _mean(100 * values[:, r], people) for kind, values in found.items()}
            for r, name in enumerate(attributes.regions)
        },
    }


def _refuse_unlabelled(attributes: AttributeSet, pack: Pack, rows: npt.NDArray[np.int64]) -> None:
    known = (pack.labels[rows] != -1).any(axis=0)
    for r, name in enumerate(attributes.regions):
        if len(rows) and not known[attributes.region_index == r].any():
            raise DataError(
                f"{pack.description}: none of the {len(rows):,} faces that would be hidden in parts has a label of the "
                f"region {name}: give labels of it"
            )


def _batches(count: int, what: str) -> Iterable[slice]:
    """Return slices of BATCH faces, with a progress bar."""
    bar: Iterable[slice] = tqdm(
        [slice(start, start + BATCH) for start in range(0, count, BATCH)], desc=what, unit="batch", disable=None
    )
    return bar


def _mean(values: npt.NDArray[Any], people: npt.NDArray[np.integer]) -> list[float]:
    """Return mean, low and high end over resampled people; nan, where no label is known, counts nothing."""
    known = ~np.isnan(values)
    values, people = values[known], people[known]
    low, high = interval(resample_means(values[:, None], people)[:, 0])
    return [_rounded(values.mean()), _rounded(low), _rounded(high)]


def _rounded(value: Any) -> float:
    return round(float(value), 4)
