"""Subgroups' scores by hand on a dozen faces, and the refusal to compare what cannot be."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from facelocus.attributes import AttributeSet
from facelocus.metrics import groups
from facelocus.metrics.groups import compare_groups

THREE = AttributeSet.by_region({"face": ("Male", "Hat", "Smiling")})
HALF = {"accuracy": np.full(3, 0.5), "balanced": np.full(3, 0.5)}

#: Twelve faces: six men, six women. Columns: Male, Hat, Smiling.
LABELS = np.array([[1, 1, 1]] * 2 + [[1, 0, 0]] * 4 + [[0, 1, 1]] * 3 + [[0, 0, 0]] * 3, np.int8)
#: Wrong on men: one hat of two, one of four without; on women one smile of three.
WRONG = {(0, 1), (2, 1), (6, 2)}
SAID = np.array([[abs(label - ((face, a) in WRONG)) for a, label in enumerate(row)] for face, row in enumerate(LABELS)])
PEOPLE = np.arange(12) // 2


@pytest.fixture(autouse=True)
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("SMALLEST", "LEAST", "LEAST_NAMED"):
        monkeypatch.setattr(groups, limit, 1)


def compared(*by: str, **changes: Any) -> dict[str, Any]:
    columns = [{name: LABELS[:, THREE.names.index(name)] for name in words.split("+")} for words in by]
    given = {"labels": LABELS, "probabilities": SAID.astype(float), "people": PEOPLE} | changes
    found = compare_groups(columns, attributes=THREE, thresholds=HALF, resamples=200, **given)
    return json.loads(json.dumps(found, allow_nan=False))


def test_the_numbers_by_hand() -> None:
    found = compared("Male")["Male"]
    men, women = found["groups"]["Male"], found["groups"]["not Male"]
    assert (men["images"], men["people"], women["images"]) == (6, 3, 6)
    # Hat and Smiling; Male itself is left out.
    assert found["attributes"] == found["balanced_attributes"] == 2
    assert men["mean_accuracy"] == pytest.approx(100 * (4 / 6 + 1) / 2, abs=1e-3)
    assert women["mean_accuracy"] == pytest.approx(100 * (1 + 5 / 6) / 2, abs=1e-3)
    assert men["mean_balanced_accuracy"] == pytest.approx(100 * ((1 / 2 + 3 / 4) / 2 + 1) / 2, abs=1e-3)
    assert women["mean_balanced_accuracy"] == pytest.approx(100 * (1 + (2 / 3 + 1) / 2) / 2, abs=1e-3)
    gap = found["gap"]
    assert gap["between"] == ["Male", "not Male"]
    for mean in ("mean_accuracy", "mean_balanced_accuracy"):
        assert gap[mean] == pytest.approx(men[mean] - women[mean], abs=1e-3)
        low, high = gap["intervals"][mean]
        assert low <= gap[mean] <= high and low < high
    first, second = found["widest"]
    assert (first["attribute"], second["attribute"]) == ("Hat", "Smiling")
    assert first["gap"] == pytest.approx(62.5 - 100) and first["Male"] == pytest.approx(62.5)
    assert second["gap"] == pytest.approx(100 - 100 * 5 / 6, abs=1e-3)


def test_a_pair_makes_four_groups_and_its_gap_is_best_minus_worst() -> None:
    found = compared("Male+Smiling")["Male+Smiling"]
    sizes = {name: group["images"] for name, group in found["groups"].items()}
    names = ["Male and Smiling", "Male and not Smiling", "not Male and Smiling", "not Male and not Smiling"]
    assert sizes == dict(zip(names, (2, 4, 3, 3), strict=True))
    assert found["attributes"] == 1
    # Among those who smile everyone has a hat: no attribute has both, so nothing is balanced.
    assert found["balanced_attributes"] == 0
    assert found["gap"]["mean_balanced_accuracy"] is None and found["widest"] == []
    assert found["groups"]["Male and Smiling"]["mean_accuracy"] == 50


def test_the_widest_gap_comes_first() -> None:
    # Anything, of every second face: its two groups differ less than men and women do.
    other = {"Other": np.tile([1, 0], 6).astype(np.int8)}
    male = {"Male": LABELS[:, 0]}
    found = compare_groups([other, male], LABELS, SAID.astype(float), THREE, HALF, PEOPLE, resamples=20)
    gaps = [abs(entry["gap"]["mean_balanced_accuracy"]) for entry in found.values()]
    assert gaps == sorted(gaps, reverse=True) and set(found) == {"Other", "Male"}
    assert found["Other"]["attributes"] == 3  # of the data, not of the model


def test_unknown_labels_are_in_no_group() -> None:
    labels = LABELS.copy()
    labels[0, 0] = -1
    found = compare_groups([{"Male": labels[:, 0]}], labels, SAID.astype(float), THREE, HALF, PEOPLE, resamples=20)
    assert [group["images"] for group in found["Male"]["groups"].values()] == [5, 6]


def test_too_small_groups_are_counted_and_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "SMALLEST", 7)
    found = compared("Male")["Male"]
    assert found["gap"] is None and found["widest"] == []
    assert found["groups"]["Male"]["images"] == 6 and found["groups"]["Male"]["mean_accuracy"] is None


def test_an_attribute_with_too_few_is_in_no_balanced_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "LEAST", 3)  # of the men two have a hat, of the women three
    found = compared("Male")["Male"]
    assert found["balanced_attributes"] == 0 and found["gap"]["mean_balanced_accuracy"] is None
    assert found["gap"]["mean_accuracy"] is not None


def test_the_interval_of_no_gap_holds_none() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (600, 3)).astype(np.int8)
    said = np.where(random.random((600, 3)) < 0.9, labels, 1 - labels).astype(float)
    gap = compare_groups([{"Male": labels[:, 0]}], labels, said, THREE, HALF, resamples=200)["Male"]["gap"]
    low, high = gap["intervals"]["mean_balanced_accuracy"]
    assert low < 0 < high and high - low < 10


def test_people_unknown_are_not_counted() -> None:
    assert compared("Male", people=None)["Male"]["groups"]["Male"]["people"] is None
