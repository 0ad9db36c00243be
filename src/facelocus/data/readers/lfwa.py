"""Read LFWA: labelled faces in the wild with the 40 attributes of CelebA, as published beside it.

    lfw_att_40.mat           AttrName (40 names, with spaces), name (N times Person\\Person_0001.jpg), label (N x 40)
    indices_train_test.mat   indices_img_train, indices_img_test: positions in them, counted from 1
    lfw/                     Person/Person_0001.jpg, also as lfw-deepfunneled or lfw_funneled

Both files are of MATLAB 7.3, which is HDF5: arrays lie transposed, and a cell of text is a reference to its letters.
They are read by h5py (extra `mat`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.attributes import CELEBA
from facelocus.data.readers.splits import complete
from facelocus.data.readers.tree import Reader, Tree, folder_of, named, only_file
from facelocus.data.table import FaceTable
from facelocus.errors import DataError, MissingExtraError

LABEL_FILE = "lfw_att_40.mat"
INDEX_FILE = "indices_train_test.mat"


def read_lfwa(tree: Tree) -> FaceTable:
    """Read LFWA; people are the folders' names, test is as published, validation is taken from train by person.

    Raises:
        DataError: a list is missing, of another form or inconsistent; names the file and row.
        MissingExtraError: h5py is not installed.
    """
    file = only_file(tree, LABEL_FILE, "LFWA")
    where = tree.where(file)
    with _open(tree, file) as content:
        attributes = [name.replace(" ", "_") for name in _texts(content, "AttrName", where)]
        names = tuple(name.replace("\\", "/") for name in _texts(content, "name", where))
        labels = _array(content, "label", where)
    if sorted(attributes) != sorted(CELEBA.names):
        other = sorted(set(attributes) ^ set(CELEBA.names)) or attributes
        raise DataError(f"{where} has other attributes than CelebA ({other[0]}); use the original file")
    if labels.shape != (len(attributes), len(names)):
        raise DataError(
            f"{where}: label is {labels.shape[::-1]}, not {(len(names), len(attributes))}; use the original file"
        )
    labels = labels.T[:, [attributes.index(name) for name in CELEBA.names]]
    wrong = np.argwhere((labels != 0) & (labels != 1))
    if wrong.size:
        row, column = wrong[0]
        value = f"{CELEBA.names[column]} is {labels[row, column]:g}, not 1 or 0"
        raise DataError(f"{where} row {row + 1}: {value}; use the original file")
    given = _read_splits(tree, len(names))
    people_names, people = np.unique([name.rpartition("/")[0] for name in names], return_inverse=True)
    splits, made = complete(given, people.astype(np.int64), people_names.tolist(), "person")
    folder = folder_of(tree, names)
    if folder is None:
        raise DataError(f"{tree.path} has no {names[0]} in any folder; put the images of LFW there (folder lfw)")
    return FaceTable(
        attributes=CELEBA,
        images=tree.images(folder),
        names=names,
        labels=labels.astype(np.int8),
        splits=splits,
        people=people.astype(np.int32),
        aligned=False,
        description=f"LFWA, {len(names):,} photographs, train and test as published, {made}",
        listed_in=where,
        lines=np.arange(1, len(names) + 1, dtype=np.int64),
        unit="row",
    )


LFWA = Reader(f"{LABEL_FILE} (LFWA)", lambda tree: bool(named(tree, LABEL_FILE)), read_lfwa)


def _read_splits(tree: Tree, count: int) -> npt.NDArray[np.int8]:
    file = only_file(tree, INDEX_FILE, "LFWA")
    where = tree.where(file)
    splits = np.full(count, -1, np.int8)
    with _open(tree, file) as content:
        for name, split in (("indices_img_train", 0), ("indices_img_test", 2)):
            rows = _array(content, name, where).ravel().astype(np.int64) - 1
            if rows.size == 0 or rows.min() < 0 or rows.max() >= count:
                raise DataError(f"{where}: {name} has rows outside 1 to {count:,}; use the file of the same edition")
            if (splits[rows] >= 0).any():
                row = rows[splits[rows] >= 0][0]
                raise DataError(f"{where}: row {row + 1} is in train and in test; use the original file")
            splits[rows] = split
    if (splits < 0).any():
        raise DataError(
            f"{where}: row {np.flatnonzero(splits < 0)[0] + 1} is neither in train nor in test; use the original file"
        )
    return splits


def _open(tree: Tree, file: str) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(f"{tree.where(file)} needs h5py: pip install 'facelocus[mat]'") from error
    try:
        return h5py.File(tree.open(file), "r")
    except OSError as error:
        raise DataError(
            f"{tree.where(file)} is no complete MATLAB 7.3 file; restore it, or save it with -v7.3"
        ) from error


def _array(content: Any, name: str, where: str) -> npt.NDArray[Any]:
    if name not in content:
        raise DataError(f"{where} has no array {name}; use the original file")
    array: npt.NDArray[Any] = content[name][()]
    return array


def _texts(content: Any, name: str, where: str) -> list[str]:
    return ["".join(map(chr, content[cell][()].ravel())) for cell in _array(content, name, where).ravel()]
