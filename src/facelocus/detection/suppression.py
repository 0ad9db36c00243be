"""Greedy suppression of boxes that overlap a better one, without a loop over pairs."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

# Boxes compared with each other at once, as a matrix: a few hundred, which is what most pictures have in all.
_BLOCK = 256


def suppress(
    boxes: Boxes, scores: npt.NDArray[np.floating], limit: float, over: Literal["union", "smaller"] = "union"
) -> Indices:
    """Return the indices of the boxes kept, best score first (equal scores: lower index first).

    A box goes when it overlaps a kept, better one by more than `limit`: the shared area as a fraction of the
    two boxes' union, or of the smaller box. `boxes` is N x 4 (x0, y0, x1, y1), `scores` N.
    """
    order = np.argsort(-scores, kind="stable")
    kept = np.empty(0, dtype=np.intp)
    for start in range(0, order.size, _BLOCK):
        block = order[start : start + _BLOCK]
        if kept.size:
            block = block[~_overlapping(boxes[kept], boxes[block], limit, over).any(axis=0)]
        covers = _overlapping(boxes[block], boxes[block], limit, over)
        stays = np.ones(block.size, dtype=bool)
        for i in range(block.size):
            if stays[i]:
                stays[i + 1 :] &= ~covers[i, i + 1 :]
        kept = np.concatenate([kept, block[stays]])
    return kept


def _overlapping(better: Boxes, worse: Boxes, limit: float, over: str) -> npt.NDArray[np.bool_]:
    """Which boxes of the one overlap which of the other: bool N x M."""
    x0, y0, x1, y1 = better.T[:, :, None]
    u0, v0, u1, v1 = worse.T
    shared = np.maximum(np.minimum(x1, u1) - np.maximum(x0, u0), 0)
    shared *= np.maximum(np.minimum(y1, v1) - np.maximum(y0, v0), 0)
    areas = np.maximum(x1 - x0, 0) * np.maximum(y1 - y0, 0)
    others = np.maximum(u1 - u0, 0) * np.maximum(v1 - v0, 0)
    whole = np.minimum(areas, others) if over == "smaller" else areas + others - shared
    found: npt.NDArray[np.bool_] = shared > limit * whole
    return found
