"""What docs/search.md says of how it was measured is how it was, with the counts where the records have them."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from documents.search import QUALITY, SPEED, VERIFICATION, quality, speed, verification
from verification import folded, tenths


def with_fields(record: Path, folder: Path, **fields: object) -> Path:
    """Write a record anew, some of its fields changed; those that are None left out."""
    file, found = folder / record.name, json.loads(record.read_text(encoding="utf-8")) | fields
    kept = {name: value for name, value in found.items() if value is not None}
    file.write_text(json.dumps(kept), encoding="utf-8")
    return file


def test_only_pairs_of_two_people_within_one_tenth_are_told_apart(tmp_path: Path) -> None:
    pairs = {"same": 40, "different": 3000}
    text = verification(with_fields(VERIFICATION, tmp_path, pairs=pairs))
    assert "of 40 pairs of photographs of one person, and of those among 3,000 pairs of two people that lie" in text
    text = verification(with_fields(VERIFICATION, tmp_path, pairs=pairs | {"different, of one tenth": 298}))
    assert "and of the 298 among 3,000 pairs of two people that lie within one tenth, likeness tells " in text


def test_pairs_of_two_tenths_do_not_count() -> None:
    people = np.repeat(np.arange(40), 2)
    part = tenths(people)
    assert np.array_equal(part[::2], part[1::2])
    same = np.arange(80).reshape(40, 2)
    different = np.array(list(combinations(range(0, 80, 2), 2)))
    within = part[different[:, 0]] == part[different[:, 1]]
    assert within.mean() < 0.1
    alike = np.where(within, 0.0, 9.0)  # all others look like one person
    assert folded(people, same, different, np.ones(40), alike)["accuracy"] == 100


def test_each_side_has_the_rounds_it_took(tmp_path: Path) -> None:
    counted = {"rounds of SQLite": 5, "rounds of the whole command": 10}
    text = speed(with_fields(SPEED, tmp_path, rounds=30, **dict.fromkeys(counted)))
    assert "medians of 30 rounds in turn, SQLite's of fewer:" in text
    text = speed(with_fields(SPEED, tmp_path, rounds=30, **counted))
    assert "medians of 30 rounds in turn, SQLite's of 5:" in text
    assert " s, the median of 10 rounds. A process" in text


def test_queries_that_hardly_any_face_answers_are_said_to_be_left_out(tmp_path: Path) -> None:
    text = quality(with_fields(QUALITY, tmp_path, **{"least faces either way": None}))
    assert "of those that a few faces answer and a few do not (" in text
    text = quality(with_fields(QUALITY, tmp_path, **{"least faces either way": 10}))
    assert "of those that at least 10 faces answer and at least 10 do not (" in text
