"""FaceTable checks itself once, and its fingerprint follows everything a Pack is made from."""

from __future__ import annotations

import dataclasses
import os
import pickle
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facelocus.attributes import AttributeSet
from facelocus.data import FaceTable, read_table
from facelocus.data import table as table_module
from facelocus.data.table import ImageFolder, ImageZip, by_path
from facelocus.errors import DataError
from faces import write_celeba, zip_celeba


@pytest.fixture
def table(tmp_path: Path) -> FaceTable:
    return read_table(write_celeba(tmp_path / "celeba", 6))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.zeros((6, 39), np.int8)}, r"labels must be int8 \(6, 40\), not int8 \(6, 39\)"),
        ({"labels": np.zeros((6, 40), np.int64)}, "labels must be int8"),
        ({"labels": np.full((6, 40), 2, np.int8)}, "labels must be 1, 0 or -1"),
        ({"splits": np.full(6, 3, np.int8)}, "splits must be 0 to 2"),
        ({"people": np.zeros(5, np.int32)}, r"people must be int32 \(6,\)"),
        ({"lines": np.zeros(6, np.int32)}, "lines must be int64"),
    ],
)
def test_wrong_shapes_and_values_are_refused(table: FaceTable, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(table, **change)


def test_fingerprint_follows_every_part(table: FaceTable) -> None:
    def changed(array: np.ndarray) -> np.ndarray:
        other = array.copy()
        other.flat[-1] = 1 - other.flat[-1] if other.flat[-1] in (0, 1) else 0
        return other

    assert table.people is not None
    renamed = AttributeSet.by_region({"face": tuple(f"a{number}" for number in range(40))})
    others = [
        dataclasses.replace(table, attributes=renamed),
        dataclasses.replace(table, names=table.names[::-1]),
        dataclasses.replace(table, labels=changed(table.labels)),
        dataclasses.replace(table, splits=changed(table.splits)),
        dataclasses.replace(table, people=changed(table.people)),
        dataclasses.replace(table, people=None),
    ]
    assert len({other.fingerprint for other in [table, *others]}) == len(others) + 1
    assert dataclasses.replace(table, description="the same").fingerprint == table.fingerprint


def test_fingerprint_follows_the_image_files(table: FaceTable, tmp_path: Path) -> None:
    folder = tmp_path / "celeba"
    zipped = read_table(zip_celeba(folder, tmp_path / "before.zip"))
    image = folder / "img_align_celeba" / "000003.jpg"
    before = table.fingerprint
    image.write_bytes(image.read_bytes() + b" ")
    assert read_table(folder).fingerprint != before
    assert read_table(zip_celeba(folder, tmp_path / "after.zip")).fingerprint != zipped.fingerprint


def test_a_row_is_named_by_the_file_that_lists_it_or_by_its_picture(table: FaceTable, tmp_path: Path) -> None:
    file = tmp_path / "celeba" / "list_attr_celeba.txt"
    assert table.place(2) == f"{file} line 5"
    assert dataclasses.replace(table, unit="row").place(2) == f"{file} row 5"
    picture = tmp_path / "celeba" / "img_align_celeba" / "000003.jpg"
    assert dataclasses.replace(table, listed_in=None).place(2) == str(picture)


def test_a_zip_store_survives_pickling_and_narrowing(table: FaceTable, tmp_path: Path) -> None:
    whole = read_table(zip_celeba(tmp_path / "celeba", tmp_path / "celeba.zip")).images
    whole.read("000001.jpg")
    narrow = pickle.loads(pickle.dumps(whole.only(["000002.jpg"])))
    assert narrow.read("000002.jpg") == table.images.read("000002.jpg")
    assert narrow.stamps(["000001.jpg", "000002.jpg"])[0] == -1
    assert len(pickle.dumps(narrow)) < 500
    narrow.close()
    whole.close()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_as_zipfile_reads_them(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as out:
        out.writestr("in/one", b"1" * 5000)
        out.writestr("in/two", bytes(range(256)))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        images = ImageZip.below(tmp_path / "a.zip", "in/", by_path(archive.infolist()))
    assert images.read("two") == bytes(range(256))
    assert images.read("one") == b"1" * 5000
    images.close()


def test_an_unusual_or_damaged_member_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("in/bzip", b"1" * 50, zipfile.ZIP_BZIP2)
        out.writestr("in/damaged", b"2" * 50)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"2" * 50, b"3" * 50))
    with zipfile.ZipFile(path) as archive:
        images = ImageZip.below(path, "in/", by_path(archive.infolist()))
    with pytest.raises(DataError, match=r"a.zip/in/bzip is compressed in an unusual way"):
        images.read("bzip")
    with pytest.raises(DataError, match=r"a.zip/in/damaged is damaged"):
        images.read("damaged")
    images.close()


def test_a_name_that_no_file_can_have_is_missing(tmp_path: Path) -> None:
    assert ImageFolder(tmp_path).stamps(["\u4e2d" * 100, "a\0b", "gone"]).tolist() == [-1, -1, -1]


def test_a_picture_that_cannot_be_looked_at_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(table_module, "os", SimpleNamespace(stat=denied, path=os.path))
    with pytest.raises(DataError, match=r"a\.jpg cannot be looked at \(Permission denied\); change its permissions"):
        ImageFolder(tmp_path).stamps(["a.jpg"])
