"""Every layout is found by looking, said in one line, and read alike from a folder and from a zip."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from facelocus.data import FaceTable, read_table
from facelocus.data.consistency import crossing_people, missing
from facelocus.data.readers import READERS
from facelocus.data.readers.celeba import CSV_EDITION, OFFICIAL
from facelocus.data.readers.class_folders import CLASS_FOLDERS
from facelocus.data.readers.lfwa import LFWA
from facelocus.data.readers.own_table import OWN
from facelocus.data.readers.split_tables import SPLIT_TABLES
from facelocus.data.readers.tree import FolderTree, Reader
from facelocus.errors import DataError, InputError
from layouts import (
    write_class_folders,
    write_csv,
    write_csv_edition,
    write_face,
    write_fairface,
    write_lfwa,
    write_official,
    write_own,
    zip_folder,
)

WRITERS: list[tuple[Reader, Callable[[Path], Path], str]] = [
    (OFFICIAL, write_official, "official CelebA, 15 images, split by person"),
    (CSV_EDITION, write_csv_edition, "CelebA (CSV edition), 15 images, people unknown: intervals by image"),
    (
        LFWA,
        write_lfwa,
        "LFWA, 12 photographs, train and test as published, validation split from train by person, 15 %, seed 0",
    ),
    (
        SPLIT_TABLES,
        write_fairface,
        "FairFace with its val as test, 24 photographs, 7 attributes as words, validation split from train by picture, "
        "15 %, seed 0, people unknown: intervals by image; without service_test",
    ),
    (
        OWN,
        write_own,
        "table faces.csv, 12 aligned images, 2 attributes as 1/0 with ? unknown, split by picture, 70/15/15, "
        "seed 0, people unknown: intervals by image; without caption",
    ),
    (
        CLASS_FOLDERS,
        write_class_folders,
        "2 folders of classes, 10 aligned images, split by picture, 70/15/15, seed 0, people unknown: intervals by "
        "image",
    ),
]
LAYOUTS = pytest.mark.parametrize(
    ("reader", "write", "description"), WRITERS, ids=[write.__name__ for _, write, _ in WRITERS]
)
#: How other programs write the path of a member into a zip.
WAYS: tuple[Callable[[str], str], ...] = (
    lambda path: f"./{path}",
    lambda path: path.replace("/", "\\"),
    lambda path: path.replace("/", "//"),
)


def test_every_reader_has_a_layout_here() -> None:
    assert [reader for reader, _, _ in WRITERS] == list(READERS)


@LAYOUTS
def test_a_layout_is_found_and_stated_in_one_line(
    tmp_path: Path, reader: Reader, write: Callable[[Path], Path], description: str
) -> None:
    folder = write(tmp_path / "data")
    assert next(reader for reader in READERS if reader.recognises(FolderTree.walk(folder))) is reader
    assert read_table(folder).description == description


@LAYOUTS
def test_every_split_has_rows_and_every_picture_can_be_read(
    tmp_path: Path, reader: Reader, write: Callable[[Path], Path], description: str
) -> None:
    table = read_table(write(tmp_path / "data"))
    assert set(table.splits.tolist()) == {0, 1, 2}
    assert all(table.images.read(name) for name in table.names)
    assert missing(table).size == crossing_people(table).size == 0


def zip_oddly(folder: Path, archive: Path) -> Path:
    """Zip a folder as zip_folder does, with a folder's entry, and one path written in another way than the next."""
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(f"{folder.name}\\", b"")
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        for file, write in zip(files, cycle(WAYS), strict=False):
            out.writestr(write(f"{folder.name}/{file.relative_to(folder).as_posix()}"), file.read_bytes())
    return archive


@pytest.mark.parametrize("zipped_by", [zip_folder, zip_oddly])
@LAYOUTS
def test_a_zip_gives_what_its_folder_gives(
    tmp_path: Path,
    reader: Reader,
    write: Callable[[Path], Path],
    description: str,
    zipped_by: Callable[[Path, Path], Path],
) -> None:
    folder = write(tmp_path / "data")
    plain, zipped = read_table(folder), read_table(zipped_by(folder, tmp_path / "data.zip"))
    assert zipped.description == plain.description
    assert zipped.names == plain.names
    assert zipped.attributes == plain.attributes
    np.testing.assert_array_equal(zipped.labels, plain.labels)
    np.testing.assert_array_equal(zipped.splits, plain.splits)
    assert [zipped.images.read(name) for name in zipped.names] == [plain.images.read(name) for name in plain.names]
    zipped.images.close()


def test_a_path_in_a_table_may_be_written_in_any_way(tmp_path: Path) -> None:
    """The table lies in a folder, most pictures in the one beside it; those with one path are one picture."""
    data = tmp_path / "data"
    for seed, name in enumerate(["pics/0.jpg", "pics/1.jpg", "pics/2.jpg", "pics/3.jpg", "lists/4.jpg"]):
        write_face(data / name, seed)
    written = ["../pics/0.jpg", "..//pics/./1.jpg", "../lists/../pics/2.jpg", "..\\pics\\3.jpg", "4.jpg", "./4.jpg"]
    rows = [[path, number % 2] for number, path in enumerate([*written, "../lists/4.jpg"])]
    write_csv(data / "lists" / "faces.csv", [["path", "Bald"], *rows])
    plain, zipped = read_table(data), read_table(zip_folder(data, tmp_path / "data.zip"))
    assert plain.names[:6] == ("../pics/0.jpg", "../pics/1.jpg", "../pics/2.jpg", "../pics/3.jpg", "4.jpg", "4.jpg")
    assert zipped.names == plain.names
    images = zipped.images.only(zipped.names)
    assert [images.read(name) for name in zipped.names] == [plain.images.read(name) for name in plain.names]
    images.close()


def test_what_leads_out_of_a_zip_is_not_there(tmp_path: Path) -> None:
    write_face(tmp_path / "a.jpg", 0)
    face = (tmp_path / "a.jpg").read_bytes()
    rows = ["path,Bald", "pics/a.jpg,1", "../a.jpg,0", "pics/../../a.jpg,1", f"{tmp_path / 'a.jpg'},0"]
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as out:
        out.writestr("faces.csv", "\n".join(rows))
        out.writestr("pics/a.jpg", face)
        out.writestr("../a.jpg", face)
    table = read_table(tmp_path / "data.zip", strict=False)
    assert missing(table).tolist() == [1, 2, 3]


@LAYOUTS
def test_a_layout_is_read_the_same_every_time(
    tmp_path: Path, reader: Reader, write: Callable[[Path], Path], description: str
) -> None:
    folder = write(tmp_path / "data")
    assert read_table(folder).fingerprint == read_table(folder).fingerprint


def without_two_pictures(folder: Path) -> FaceTable:
    table = read_table(folder)
    for row in (3, 5):
        Path(table.images.where(table.names[row])).unlink()
    return table


@pytest.mark.parametrize("write", [write for _, write, _ in WRITERS if write is not write_class_folders])
def test_missing_pictures_are_refused_unless_asked_for(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    folder = write(tmp_path / "data")
    table = without_two_pictures(folder)
    with pytest.raises(DataError, match=r"there is no image .* \(2 missing\); put it there") as refused:
        read_table(folder)
    assert table.images.where(table.names[3]) in str(refused.value)
    if table.listed_in is not None:
        assert str(refused.value).startswith(table.place(3))
    assert missing(read_table(folder, strict=False)).tolist() == [3, 5]


def test_people_in_two_splits_are_refused_unless_asked_for(tmp_path: Path) -> None:
    rows = [["path", "split", "person", "Smiling"]]
    for seed, (split, person) in enumerate([("train", "ann"), ("test", "ben"), ("val", "ann"), ("val", "ben")]):
        write_face(tmp_path / f"{seed}.jpg", seed)
        rows.append([f"{seed}.jpg", split, person, "1"])
    table = write_csv(tmp_path / "faces.csv", rows)
    with pytest.raises(
        DataError,
        match=r"faces.csv line 4: its person is in validation, but in train at .*faces.csv line 2 \(1 more such rows\)",
    ):
        read_table(table)
    assert crossing_people(read_table(table, strict=False)).tolist() == [2, 3]


def test_what_is_no_layout_is_refused_with_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere does not exist; name a folder"):
        read_table(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty has no labelled faces") as refused:
        read_table(tmp_path / "empty")
    assert all(reader.known_by in str(refused.value) for reader in READERS)
    assert "\n" not in str(refused.value)
    (tmp_path / "faces.csv").mkdir()
    with pytest.raises(DataError, match=r"faces.csv has no labelled faces"):
        read_table(tmp_path / "faces.csv")
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(DataError, match=r"notes.txt is neither a folder nor a complete zip"):
        read_table(tmp_path / "notes.txt")
