"""Greedy suppression of boxes that overlap a better one, without a loop over pairs."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def suppress(
    boxes: Boxes, scores: npt.NDArray[np.floating], limit: float, over: Literal["union", "smaller"] = "union"
) -> Indices:
    """Return the indices of the boxes kept, best score first (equal scores: lower index first).

    A box goes when it overlaps a kept, better one by more than `limit`: the shared area as a fraction of the
    two boxes' union, or of the smaller box. `boxes` is N x 4 (x0, y0, x1, y1), `scores` N.
    """
    order = np.argsort(-scores, kind="stable")
    x0, y0, x1, y1 = boxes.T
    areas = np.maximum(x1 - x0, 0) * np.maximum(y1 - y0, 0)
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        wide = np.minimum(x1[best], x1[rest]) - np.maximum(x0[best], x0[rest])
        high = np.minimum(y1[best], y1[rest]) - np.maximum(y0[best], y0[rest])
        shared = np.maximum(wide, 0) * np.maximum(high, 0)
        smaller = np.minimum(areas[best], areas[rest])
        whole = smaller if over == "smaller" else areas[best] + areas[rest] - shared
        order = rest[shared <= limit * whole]
    return np.array(kept, dtype=np.intp)
