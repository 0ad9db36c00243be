"""Does a sub-network look at its region? Masks against maps of the regions, for one face and for a mean mask.

Throughout: masks are float N x R x h x w, any scale, one map a sub-network; maps are float R x h x w in [0, 1], how far
each cell belongs to each region (images.regions.region_maps at the masks' size). What a mask has everywhere says
nothing about where it looks, so its least value is taken away first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Scores = npt.NDArray[np.float64]


def concentration(masks: Floats, maps: Floats) -> Scores:
    """Return how much of each mask lies in each region: N x R masks x R regions.

    It is the share of the mask's mass in the region over the region's share of the area: 1 where a mask is the same
    everywhere, 1 / area where all of it lies inside, 0 where none does. The diagonal is each sub-network's own region;
    beside it in a column stand the other masks on that region, which is what shuffling the masks would give.
    """
    above = masks - masks.min(axis=(2, 3), keepdims=True)
    mass = above.sum(axis=(2, 3), dtype=np.float64)
    flat = mass <= 1e-6 * masks.shape[2] * masks.shape[3] * np.abs(masks).max(axis=(2, 3))
    inside = np.einsum("nmhw,rhw->nmr", above.astype(np.float64), maps.astype(np.float64))
    share = np.divide(inside, mass[:, :, None], out=np.zeros_like(inside), where=~flat[:, :, None])
    area = maps.mean(axis=(1, 2), dtype=np.float64)
    return np.where(flat[:, :, None], 1.0, share / area)


def own_and_others(concentrated: Scores) -> tuple[Scores, Scores]:
    """Return of `concentration` each region's own mask and the mean of the other masks on that region: N x R each.

    There are two regions at least.
    """
    own = np.einsum("nrr->nr", concentrated)
    others = (concentrated.sum(axis=1) - own) / (concentrated.shape[1] - 1)
    return own, others


def pointing(masks: Floats, maps: Floats) -> tuple[npt.NDArray[np.bool_], Scores]:
    """Return whether each mask is highest inside its region, N x R, and how often a cell at random would be, R.

    Inside is where the map is one half or more. Of equal highest cells the first counts, row by row.
    """
    count, regions = masks.shape[:2]
    inside = maps.reshape(regions, -1) >= 0.5
    highest = masks.reshape(count, regions, -1).argmax(axis=2)
    return inside[np.arange(regions), highest], inside.mean(axis=1)


def likeness(masks: Floats) -> Scores:
    """Return the mean correlation over positions between a face's masks, pair by pair: N.

    1 where all sub-networks learnt one mask; pairs with a mask that is the same everywhere count 0. There are two
    regions at least.
    """
    count, regions = masks.shape[:2]
    flat = masks.reshape(count, regions, -1).astype(np.float64)
    away = flat - flat.mean(axis=2, keepdims=True)
    length = np.sqrt((away**2).sum(axis=2, keepdims=True))
    unit = np.divide(away, length, out=np.zeros_like(away), where=length > 1e-9)
    pairs: Scores = np.einsum("nrp,nsp->nrs", unit, unit)[:, ~np.eye(regions, dtype=bool)].mean(axis=1)
    return pairs
