"""A folder per class is found where folders hold pictures and nothing but; each class is an attribute."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from facelocus.data import Pack, read_table
from facelocus.data.readers import tree as tree_module
from facelocus.data.readers.class_folders import read_class_folders
from facelocus.data.readers.tree import FolderTree
from facelocus.data.table import ImageFolder
from facelocus.errors import DataError, InputError
from layouts import write_class_folders, write_face, zip_folder
from orientations import stored


def test_each_class_is_an_attribute(tmp_path: Path) -> None:
    table = read_table(write_class_folders(tmp_path))
    assert table.attributes.names == ("happy", "sad")
    assert table.attributes.regions == ("whole face",)
    assert table.labels.tolist() == [[1, 0]] * 6 + [[0, 1]] * 4
    assert table.names[0] == "happy/happy0.png"
    assert table.people is None


def test_splits_may_be_folders(tmp_path: Path) -> None:
    for split, count in (("train", 4), ("val", 2), ("test", 1)):
        for label in ("calm", "angry", "sad")[: 3 if split == "train" else 2]:
            for seed in range(count):
                write_face(tmp_path / "faces" / split / label / f"{seed}.jpg", seed)
    table = read_table(tmp_path)
    assert table.attributes.names == ("angry", "calm", "sad")
    assert np.bincount(table.splits).tolist() == [12, 4, 2]
    assert table.names[0].startswith("test/") or table.names[0].startswith("train/")
    assert table.description == (
        "3 folders of classes, 18 aligned images, split as listed, people unknown: intervals by image"
    )


def test_a_missing_split_is_taken_from_train(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for label in ("calm", "angry"):
            for seed in range(5):
                write_face(tmp_path / split / label / f"{seed}.jpg", seed)
    table = read_table(tmp_path)
    assert "validation split from train by picture, 15 %, seed 0" in table.description
    assert np.bincount(table.splits).tolist() == [8, 2, 10]


@pytest.mark.parametrize("odd", ["happy/notes.txt", "happy/deeper/a.jpg", "other/notes.txt"])
def test_folders_with_anything_else_are_no_classes(tmp_path: Path, odd: str) -> None:
    write_class_folders(tmp_path)
    (tmp_path / odd).parent.mkdir(exist_ok=True)
    (tmp_path / odd).write_text("x")
    with pytest.raises(DataError, match="has no labelled faces"):
        read_table(tmp_path)


def test_hidden_files_do_not_count(tmp_path: Path) -> None:
    """Nor do those that Windows leaves in folders of pictures."""
    folder = write_class_folders(tmp_path / "data")
    (folder / ".cache").mkdir()
    for name in ("happy/.DS_Store", "happy/Thumbs.db", "sad/desktop.ini"):
        (folder / name).write_text("x")
    assert len(read_table(folder)) == 10
    assert len(read_table(zip_folder(folder, tmp_path / "data.zip"))) == 10


@pytest.mark.parametrize("folders", [["happy"], ["train", "test"]])
def test_one_class_or_splits_without_classes_are_refused(tmp_path: Path, folders: list[str]) -> None:
    for folder in folders:
        write_face(tmp_path / folder / "a.jpg", 0)
    with pytest.raises(DataError, match="has no labelled faces"):
        read_table(tmp_path)


def test_frames_stored_on_their_side_are_aligned_images(tmp_path: Path) -> None:
    write_class_folders(tmp_path)
    for file in tmp_path.rglob("*.png"):
        with Image.open(file) as upright:
            picture, exif = stored(upright, 6)
        picture.save(file, exif=exif)
    assert read_table(tmp_path).aligned


@pytest.mark.skipif(os.name == "nt", reason="names are text on Windows")
def test_a_name_that_is_not_text_is_packed_like_any_other(tmp_path: Path) -> None:
    odd = os.fsdecode(b"happy/caf\xe9.png")
    write_class_folders(tmp_path / "data")
    try:
        write_face(tmp_path / "data" / odd, 9)
    except OSError:
        pytest.skip("this file system takes no such names")
    table = read_table(tmp_path / "data")
    assert odd in table.names
    assert Pack.build(table, tmp_path / "pack", workers=1).names == table.names


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_class_may_be_a_link_and_one_that_goes_round_is_passed_over(tmp_path: Path) -> None:
    plain = read_table(write_class_folders(tmp_path / "plain"))
    (tmp_path / "linked").mkdir()
    for label in ("happy", "sad"):
        (tmp_path / "linked" / label).symlink_to(tmp_path / "plain" / label, target_is_directory=True)
    assert read_table(tmp_path / "linked").names == plain.names
    for number, target in enumerate([tmp_path / "plain", tmp_path, Path("/"), tmp_path / "gone"]):
        (tmp_path / "plain" / f"link{number}").symlink_to(target, target_is_directory=True)
    assert set(FolderTree.walk(tmp_path / "plain").folders) == {"", "happy", "sad"}


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_class_folders(tmp_path)
    scandir = os.scandir

    def scan(folder: Path) -> object:
        if Path(folder).name == "sad":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(tree_module, "os", SimpleNamespace(scandir=scan))
    with pytest.raises(InputError, match=r"sad cannot be read \(Permission denied\); change its permissions"):
        read_table(tmp_path)


def test_thousands_of_classes_take_a_byte_a_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tree:
        path = tmp_path
        folders: Mapping[str, Sequence[str]] = {
            "": [], **{f"person {number:04}": ["1.jpg", "2.jpg"] for number in range(2000)}
        }  # fmt: skip

        def images(self, folder: str) -> ImageFolder:
            return ImageFolder(tmp_path)

    tracemalloc.start()
    table = read_class_folders(Tree())  # type: ignore[arg-type]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2 * table.labels.nbytes, "in bytes; a list has 8 for each"
    assert (table.labels.sum(axis=1) == 1).all()
    assert table.labels[3].nonzero()[0].tolist() == [1]
