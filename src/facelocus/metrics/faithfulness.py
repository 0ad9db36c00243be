"""Is what a mask marks what the answers rest on? Hide it, or hide all else, and count right answers.

Deletion hides the fifth of the frame where a region's map is highest: a faithful map loses many of the region's right
answers, more than the fifth where it is lowest and more than a random fifth. Insertion shows that fifth alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from facelocus.images.hide import cover, hide, parts
from facelocus.images.read import RGB
from facelocus.metrics.accuracy import Floats, Labels, correct, ratio

#: Share of the frame that is hidden, or shown alone.
SHARE = 0.2

Order = Literal["highest", "lowest", "random"]

#: Which fifth.
ORDERS: tuple[Order, ...] = ("highest", "lowest", "random")


def right_by_region(
    labels: Labels, probabilities: Floats, thresholds: Floats, region_index: npt.NDArray[np.integer]
) -> npt.NDArray[np.float64]:
    """Return the share of each region's known attributes decided right: N x R, nan where none is known."""
    right, known = correct(labels, probabilities, thresholds), labels >= 0
    columns = [region_index == region for region in range(int(region_index.max()) + 1)]
    return np.stack([ratio(right[:, c].sum(1).astype(float), known[:, c].sum(1)) for c in columns], axis=1)


def hidden_and_shown(
    predict: Callable[[RGB], Floats],
    frames: RGB,
    labels: Labels,
    thresholds: Floats,
    maps: Floats,
    region_index: npt.NDArray[np.integer],
    order: Order,
    how: Literal["blur", "grey"] = "blur",
    seed: int = 0,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the share of right answers with a fifth hidden, and with that fifth alone shown: N x R each.

    Args:
        predict: uint8 N x 218 x 178 x 3 -> probabilities N x A.
        frames: the faces.
        labels: N x A.
        thresholds: A.
        maps: N x R x h x w, a map a region.
        region_index: region of each attribute, A.
        order: which fifth of each map; a random one is that of a map of noise with as many cells.
        how: what hides.
        seed: of the noise.
    """
    rng = np.random.default_rng(seed)
    covers = cover(frames, how)
    deleted, inserted = (np.full(maps.shape[:2], np.nan) for _ in range(2))
    for region in range(maps.shape[1]):
        ranks = maps[:, region] if order != "random" else rng.random(maps[:, region].shape)
        chosen = parts(-ranks if order == "lowest" else ranks, SHARE, frames.shape[1:3])
        for result, where in ((deleted, chosen), (inserted, ~chosen)):
            probabilities = predict(hide(frames, where, covers))
            result[:, region] = right_by_region(labels, probabilities, thresholds, region_index)[:, region]
    return deleted, inserted
