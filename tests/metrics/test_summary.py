"""The numbers `facelocus evaluate` reports."""

from __future__ import annotations

import json

import numpy as np
import pytest

from facelocus.attributes import AttributeSet
from facelocus.metrics import summarise

THREE = AttributeSet.by_region({"face": ("Young", "Bald"), "eyes": ("Glasses",)})
THRESHOLDS = {"accuracy": np.full(3, 0.5, np.float32), "balanced": np.full(3, 0.5, np.float32)}


def summary(people: bool = True) -> dict[str, object]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (80, 3)).astype(np.int8)
    labels[:, 1] = 0
    labels[:4, 2] = -1
    probabilities = (0.6 * labels + 0.4 * rng.random((80, 3))).clip(0, 1).astype(np.float32)
    return summarise(labels, probabilities, THREE, THRESHOLDS, np.arange(80) // 4 if people else None, resamples=50)


def test_scores_are_in_percent_by_attribute_by_region_and_over_all() -> None:
    got = summary()
    attributes = got["attributes"]
    assert got["images"] == 80 and got["people"] == 20
    assert list(attributes) == ["Young", "Bald", "Glasses"]
    accuracies = [attributes[name]["accuracy"] for name in attributes]
    assert got["mean_accuracy"] == pytest.approx(np.mean(accuracies), abs=1e-3)
    assert got["regions"]["face"]["mean_accuracy"] == pytest.approx(np.mean(accuracies[:2]), abs=1e-3)
    assert got["regions"]["eyes"]["mean_accuracy"] == accuracies[2]
    assert got["regions"]["face"]["attributes"] == 2
    assert 50 < got["mean_accuracy"] <= 100
    low, high = got["intervals"]["mean_accuracy"]
    assert low <= got["mean_accuracy"] <= high


def test_positives_are_counted_among_known_labels() -> None:
    glasses = summary()["attributes"]["Glasses"]
    assert glasses["region"] == "eyes" and glasses["known"] == 76
    assert glasses["positives_share"] == pytest.approx(100 * glasses["positives"] / 76, abs=1e-3)


def test_undefined_scores_are_null_and_left_out_of_means() -> None:
    got = json.loads(json.dumps(summary(), allow_nan=False))
    bald, young = got["attributes"]["Bald"], got["attributes"]["Young"]
    assert bald["f1"] is None and bald["intervals"]["f1"] == [None, None]
    assert got["regions"]["face"]["mean_f1"] == young["f1"]


def test_without_people_intervals_are_over_images_and_say_so() -> None:
    got = summary(people=False)
    assert got["people"] is None
    assert got["bootstrap"] == {"resamples": 50, "seed": 0, "over": "images"}
