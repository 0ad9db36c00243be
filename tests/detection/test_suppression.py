"""Suppression is the plain double loop, only faster."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from facelocus.detection.suppression import suppress


def _area(box: np.ndarray) -> float:
    return float(max(box[2] - box[0], 0) * max(box[3] - box[1], 0))


def _overlap(one: np.ndarray, other: np.ndarray, over: str) -> float:
    shared = _area(np.concatenate([np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])]))
    if over == "smaller":
        return shared / min(_area(one), _area(other))
    return shared / (_area(one) + _area(other) - shared)


def _plain(boxes: np.ndarray, scores: np.ndarray, limit: float, over: str) -> list[int]:
    kept: list[int] = []
    for candidate in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        if all(_overlap(boxes[candidate], boxes[better], over) <= limit for better in kept):
            kept.append(candidate)
    return kept


@pytest.mark.parametrize("over", ["union", "smaller"])
@pytest.mark.parametrize("seed", range(4))
def test_it_keeps_what_the_plain_loop_keeps(over: Literal["union", "smaller"], seed: int) -> None:
    random = np.random.default_rng(seed)
    corner, size = random.random((150, 2)) * 80, random.random((150, 2)) * 40 + 5
    boxes, scores = np.hstack([corner, corner + size]), random.random(150).round(2)  # with equal scores
    for limit in (0.2, 0.5, 0.7):
        kept = suppress(boxes, scores, limit, over)
        assert kept.tolist() == _plain(boxes, scores, limit, over)
        assert 1 < len(kept) < 150


def test_the_best_comes_first_and_touching_boxes_stay() -> None:
    boxes = np.array([[0, 0, 10, 10], [10, 0, 20, 10], [1, 0, 11, 10]], dtype=float)
    assert suppress(boxes, np.array([0.5, 0.9, 0.7]), 0.5).tolist() == [1, 2]
    assert suppress(boxes[:2], np.array([0.5, 0.9]), 0.0).tolist() == [1, 0]


def test_no_boxes_keep_none() -> None:
    assert suppress(np.empty((0, 4)), np.empty(0), 0.5).shape == (0,)
