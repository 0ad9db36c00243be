"""Tables named by their split are read as one table; FairFace's val is its test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facelocus.data import read_table
from facelocus.errors import DataError
from layouts import write_csv, write_fairface


def test_fairface_gives_an_attribute_a_value(tmp_path: Path) -> None:
    table = read_table(write_fairface(tmp_path))
    assert table.attributes.names == (
        *("age=0-2", "age=20-29", "age=more than 70"),
        *("gender=Female", "gender=Male"),
        *("race=East Asian", "race=White"),
    )
    assert (table.labels.sum(axis=1) == 3).all()
    assert np.bincount(table.splits).tolist() == [17, 3, 4]
    assert table.splits[20:].tolist() == [2] * 4
    assert table.names[20] == "val/1.jpg"
    assert not table.aligned


def test_tables_named_alike_keep_their_splits(tmp_path: Path) -> None:
    for split, count in (("train", 8), ("valid", 2), ("test", 3)):
        rows = [[f"{split}{number}.jpg", number % 2] for number in range(count)]
        write_csv(tmp_path / f"faces-{split}.csv", [["path", "Bald"], *rows])
    table = read_table(tmp_path, strict=False)
    assert np.bincount(table.splits).tolist() == [8, 2, 3]
    assert table.description == (
        "tables faces-train.csv, faces-valid.csv, faces-test.csv, 13 photographs, 1 attribute as 1/0, split as listed, "
        "people unknown: intervals by image"
    )


def test_a_wrong_row_is_named_in_its_own_file(tmp_path: Path) -> None:
    for split, bad in (("train", "1"), ("test", "maybe")):
        write_csv(tmp_path / f"faces_{split}.csv", [["path", "Bald"], ["a.jpg", 1], ["b.jpg", 0], ["c.jpg", bad]])
    with pytest.raises(DataError, match=r"faces_test.csv line 4: Bald is 'maybe'"):
        read_table(tmp_path)


def test_tables_of_other_columns_are_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "faces_train.csv", [["path", "Bald"], ["a.jpg", 1]])
    write_csv(tmp_path / "faces_test.csv", [["path", "Young"], ["a.jpg", 1]])
    with pytest.raises(DataError, match=r"faces_test.csv has other columns than .*faces_train.csv; give both the same"):
        read_table(tmp_path)
