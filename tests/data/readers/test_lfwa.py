"""LFWA is read from files of MATLAB 7.3 with its own names and order, and an inconsistent one is refused."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from facelocus.attributes import CELEBA
from facelocus.data import read_table
from facelocus.errors import DataError, MissingExtraError
from faces import DRAWN, drawn_attributes
from layouts import write_lfwa


@pytest.fixture
def lfwa(tmp_path: Path) -> Path:
    return write_lfwa(tmp_path / "lfwa")


def test_table_holds_what_the_files_say(lfwa: Path) -> None:
    table = read_table(lfwa)
    assert table.attributes == CELEBA
    for name in DRAWN:
        drawn = [name in drawn_attributes(seed) for seed in range(12)]
        assert table.labels[:, CELEBA.names.index(name)].tolist() == drawn
    assert table.names[4] == "Person_1/Person_1_0002.jpg"
    assert table.people is not None
    assert table.people.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert table.splits[3:9].tolist() == [2] * 6
    assert sorted([table.splits[0], table.splits[11]]) == [0, 1]
    assert not table.aligned
    assert table.place(4) == f"{lfwa / 'lfw_att_40.mat'} row 5"


@pytest.mark.parametrize("folder", ["lfw-deepfunneled", "lfw/lfw_funneled"])
def test_images_are_found_in_folders_of_other_names(tmp_path: Path, folder: str) -> None:
    table = read_table(write_lfwa(tmp_path, folder))
    assert table.images.where(table.names[0]).startswith(str(tmp_path / folder))


def change_label(file: Any) -> None:
    file["label"][2, 6] = 2


def one_row_less(file: Any) -> None:
    labels = file["label"][()]
    del file["label"]
    file["label"] = labels[:, 1:]


def rename_attribute(file: Any) -> None:
    first = file[file["AttrName"][0, 0]]
    first[0] = ord("X")


def drop_names(file: Any) -> None:
    del file["name"]


def row_too_far(file: Any) -> None:
    file["indices_img_test"][0, 0] = 13


def row_in_both(file: Any) -> None:
    file["indices_img_test"][0, 0] = 3


REFUSALS = [
    ("lfw_att_40.mat", change_label, r" row 7: .* is 2, not 1 or 0; use the original file"),
    ("lfw_att_40.mat", one_row_less, r": label is \(11, 40\), not \(12, 40\); use the original file"),
    ("lfw_att_40.mat", rename_attribute, r" has other attributes than CelebA \("),
    ("lfw_att_40.mat", drop_names, r" has no array name; use the original file"),
    ("indices_train_test.mat", row_too_far, r": indices_img_test has rows outside 1 to 12"),
    ("indices_train_test.mat", row_in_both, r": row 3 is in train and in test"),
]


@pytest.mark.parametrize(("name", "change", "message"), REFUSALS, ids=[case[2] for case in REFUSALS])
def test_inconsistent_files_are_refused_by_name(
    lfwa: Path, name: str, change: Callable[[Any], None], message: str
) -> None:
    with h5py.File(lfwa / name, "r+") as file:
        change(file)
    with pytest.raises(DataError, match=name + message) as refused:
        read_table(lfwa)
    assert "\n" not in str(refused.value)


def test_rows_in_no_split_are_refused(lfwa: Path) -> None:
    with h5py.File(lfwa / "indices_train_test.mat", "r+") as file:
        del file["indices_img_train"]
        file["indices_img_train"] = np.array([[1.0, 2, 3]])
    with pytest.raises(DataError, match="row 10 is neither in train nor in test"):
        read_table(lfwa)


def test_an_incomplete_lfwa_is_refused(lfwa: Path) -> None:
    (lfwa / "lfw_att_40.mat").rename(lfwa / "kept")
    (lfwa / "lfw_att_40.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(500))
    with pytest.raises(DataError, match=r"lfw_att_40.mat is no complete MATLAB 7.3 file"):
        read_table(lfwa)
    (lfwa / "kept").replace(lfwa / "lfw_att_40.mat")
    shutil.rmtree(lfwa / "lfw")
    with pytest.raises(
        DataError, match=r"has no Person_0/Person_0_0001.jpg in any folder; put the images of LFW there"
    ):
        read_table(lfwa)
    (lfwa / "indices_train_test.mat").unlink()
    with pytest.raises(DataError, match=r"is not LFWA: it has no indices_train_test.mat"):
        read_table(lfwa)


def test_it_says_what_to_install(lfwa: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"lfw_att_40.mat needs h5py: pip install 'facelocus\[mat\]'"):
        read_table(lfwa)
