"""The points of the reliability diagram are where probabilities and shares of yes are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facelocus.attributes import AttributeSet
from facelocus.errors import DataError
from facelocus.metrics.calibration import BINS, summarise_calibration
from facelocus.reports.reliability import _bins, draw_reliability

TWO = AttributeSet.by_region({"face": ("Young", "Bald")})


def test_points_are_means_and_shares_of_bins_with_enough_labels() -> None:
    probabilities = np.repeat([0.1, 0.52, 0.9], [100, 40, 10])[:, None]
    labels = np.concatenate([np.arange(100) < 30, np.arange(40) < 10, np.arange(10) < 9])[:, None].astype(np.int8)
    labels[0] = -1
    means, shares, drawn, weights = _bins(labels, probabilities, np.arange(150))
    np.testing.assert_allclose(means, [0.1, 0.52])  # ten labels are too few for a point
    np.testing.assert_allclose(shares, [29 / 99, 10 / 40])
    assert len(weights) == BINS and weights.sum() == pytest.approx(1) and weights[-2] == pytest.approx(10 / 149)
    np.testing.assert_allclose(drawn.mean(axis=0), shares, atol=0.01)


def test_a_picture_is_written_and_unknown_attributes_are_left_out(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    probabilities = random.random((400, 2))
    labels = (random.random((400, 2)) < probabilities).astype(np.int8)
    labels[:, 1] = -1
    calibration = summarise_calibration(labels, probabilities, TWO)
    draw_reliability(labels, probabilities, TWO, calibration, tmp_path / "r.png", None, "drawn")
    with Image.open(tmp_path / "r.png") as picture:
        assert picture.width > picture.height > 300


def test_nothing_known_is_nothing_to_draw(tmp_path: Path) -> None:
    labels, probabilities = np.full((5, 2), -1, np.int8), np.full((5, 2), 0.5)
    with pytest.raises(DataError, match=r"r\.png: nothing to draw, as no label is known"):
        draw_reliability(
            labels, probabilities, TWO, summarise_calibration(labels, probabilities, TWO), tmp_path / "r.png", None, ""
        )
    assert list(tmp_path.iterdir()) == []
