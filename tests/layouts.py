"""Writes the layouts in which people have labelled faces, with drawn faces in them."""

from __future__ import annotations

import csv
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelocus.attributes import CELEBA
from facelocus.data import FaceTable
from faces import draw_face, drawn_attributes, write_celeba

_LISTS = {"list_attr_celeba.txt": "Anno", "identity_CelebA.txt": "Anno", "list_eval_partition.txt": "Eval"}


def rows_of(table: FaceTable, rows: npt.NDArray[np.int64]) -> FaceTable:
    """Return some rows of a table, in this order, as often as they are named; without people and places."""
    return replace(
        table,
        names=tuple(table.names[row] for row in rows),
        labels=table.labels[rows],
        splits=table.splits[rows],
        people=None,
        lines=None,
    )


def write_official(folder: Path) -> Path:
    """Write official CelebA as published, 15 faces: Img, Anno, Eval."""
    flat = write_celeba(folder / "Img", 15)
    for name, below in _LISTS.items():
        (folder / below).mkdir(exist_ok=True)
        (flat / name).rename(folder / below / name)
    return folder


def write_csv_edition(folder: Path) -> Path:
    """Write CelebA's CSV edition, 15 faces: images nested twice, no identities."""
    flat = write_celeba(folder / "flat", 15)
    for name in ("list_attr_celeba", "list_eval_partition"):
        lines = [line.split() for line in (flat / f"{name}.txt").read_text().splitlines()]
        rows = [["image_id", *CELEBA.names], *lines[2:]] if "attr" in name else [["image_id", "partition"], *lines]
        write_csv(folder / f"{name}.csv", rows)
    (folder / "img_align_celeba").mkdir()
    shutil.move(flat / "img_align_celeba", folder / "img_align_celeba" / "img_align_celeba")
    shutil.rmtree(flat)
    return folder


def write_lfwa(folder: Path, images: str = "lfw") -> Path:
    """Write LFWA, 12 photographs of 4 people, two of them in test, in the form of MATLAB 7.3."""
    import h5py

    names = [f"Person_{person}/Person_{person}_{number:04d}.jpg" for person in range(4) for number in range(1, 4)]
    for seed, name in enumerate(names):
        write_photograph(folder / images / name, seed)
    shuffled = [*CELEBA.names[5:], *CELEBA.names[:5]]
    labels = np.array([[name in drawn_attributes(seed) for name in shuffled] for seed in range(12)], float)
    with h5py.File(folder / "lfw_att_40.mat", "w", userblock_size=512) as file:
        file["label"] = labels.T
        _write_cells(file, "AttrName", [name.replace("_", " ") for name in shuffled])
        _write_cells(file, "name", [name.replace("/", "\\") for name in names])
    with h5py.File(folder / "indices_train_test.mat", "w", userblock_size=512) as file:
        file["indices_img_train"] = np.array([[1.0, 2, 3, 10, 11, 12]])
        file["indices_img_test"] = np.array([[4.0, 5, 6, 7, 8, 9]])
    return folder


def write_fairface(folder: Path) -> Path:
    """Write FairFace, 20 photographs of train and 4 of val."""
    ages, races = ("0-2", "20-29", "more than 70"), ("White", "East Asian")
    for split, count in (("train", 20), ("val", 4)):
        rows = [["file", "age", "gender", "race", "service_test"]]
        for seed in range(count):
            name = f"{split}/{seed + 1}.jpg"
            write_photograph(folder / "fairface-img-margin025-trainval" / name, seed)
            service = str(seed % 3 == 0)
            rows.append([name, ages[seed % 3], ("Female", "Male")[seed % 2], races[seed // 2 % 2], service])
        write_csv(folder / f"fairface_label_{split}.csv", rows)
    return folder


def write_own(folder: Path, count: int = 12) -> Path:
    """Write faces.csv with aligned faces in `photos`, labels Smiling and Freckles, and a caption."""
    rows = [["path", "Smiling", "Freckles", "caption"]]
    for seed in range(count):
        write_face(folder / "photos" / f"{seed}.jpg", seed)
        smiles = "Smiling" in drawn_attributes(seed)
        rows.append([f"photos/{seed}.jpg", str(int(smiles)), ("0", "1", "?")[seed % 3], f"number {seed}"])
    write_csv(folder / "faces.csv", rows)
    return folder


def write_class_folders(folder: Path) -> Path:
    """Write a folder a class, 6 aligned faces of `happy` and 4 of `sad`."""
    for label, count in (("happy", 6), ("sad", 4)):
        for seed in range(count):
            write_face(folder / label / f"{label}{seed}.png", seed)
    return folder


def write_face(file: Path, seed: int) -> None:
    """Write one aligned face."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_face(seed)).save(file)


def write_photograph(file: Path, seed: int) -> None:
    """Write one picture that is not an aligned face by its size, 250 x 250."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_face(seed)).resize((250, 250)).save(file)


def write_csv(file: Path, rows: Sequence[Sequence[object]], delimiter: str = ",") -> Path:
    """Write rows, the header first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out, delimiter=delimiter).writerows(rows)
    return file


def write_parquet(file: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    """Write columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), file)
    return file


def zip_folder(folder: Path, archive: Path) -> Path:
    """Zip a folder's content below a folder of its name, and return the archive."""
    with zipfile.ZipFile(archive, "w") as out:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                out.write(file, f"{folder.name}/{file.relative_to(folder).as_posix()}")
    return archive


def _write_cells(file: Any, name: str, texts: Sequence[str]) -> None:
    import h5py

    cells = []
    for number, text in enumerate(texts):
        letters = np.array([[ord(letter)] for letter in text], np.uint16)
        cells.append(file.create_dataset(f"#refs#/{name}{number}", data=letters).ref)
    file[name] = np.array([cells], dtype=h5py.ref_dtype)
