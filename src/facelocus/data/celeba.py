"""Read official CelebA from a folder or a zip archive, in whatever arrangement it was unpacked.

The three lists are the official text files; images are found by the folder img_align_celeba (or, below
a folder, the official img_align_celeba.zip as it was downloaded) and decoded later, by content.
"""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facelocus.attributes import CELEBA
from facelocus.data.table import SPLITS, FaceTable, ImageFolder, ImageStore, ImageZip
from facelocus.errors import DataError, InputError

ATTRIBUTE_FILE = "list_attr_celeba.txt"
PARTITION_FILE = "list_eval_partition.txt"
IDENTITY_FILE = "identity_CelebA.txt"
IMAGE_FOLDER = "img_align_celeba"

_LISTS = (ATTRIBUTE_FILE, PARTITION_FILE, IDENTITY_FILE)
_DEPTH = 4  # folders below the one named that are searched


@dataclass(frozen=True)
class _Text:
    """One list: how messages name it, and its bytes."""

    where: str
    content: bytes


def read_celeba(path: Path) -> FaceTable:
    """Read the lists of CelebA and check them against each other and against the images there are.

    Args:
        path: a folder or a zip archive, with the lists and images anywhere inside.

    Returns:
        A FaceTable in the order of the attribute list; people are None where the identity list is missing.

    Raises:
        InputError: there is nothing at `path`.
        DataError: not CelebA, or inconsistent; names the file and the line, counted from 1.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; name the folder or the zip of CelebA")
    try:
        texts, images = _search_folder(path) if path.is_dir() else _search_zip(path)
    except PermissionError as error:
        raise InputError(f"{error.filename} cannot be read (no permission)") from error
    names, labels, lines = _read_attributes(texts[ATTRIBUTE_FILE])
    partition, _ = _read_numbers(texts[PARTITION_FILE], names, "partition", range(len(SPLITS)))
    splits = partition.astype(np.int8)
    missing = np.flatnonzero(images.stamps(names) < 0)
    if missing.size:
        row = missing[0]
        raise DataError(
            f"{texts[ATTRIBUTE_FILE].where} line {lines[row]}: there is no image {images.where(names[row])} "
            f"({missing.size:,} missing); unpack the images completely"
        )
    people = None
    if IDENTITY_FILE in texts:
        identity, identity_lines = _read_numbers(texts[IDENTITY_FILE], names, "person", range(2**31))
        people = identity.astype(np.int32)
        _refuse_shared_people(texts[IDENTITY_FILE].where, people, splits, identity_lines)
    known = "split by person" if people is not None else "people unknown"
    description = f"official CelebA, {len(names):,} images, {known}"
    listed_in = texts[ATTRIBUTE_FILE].where
    return FaceTable(CELEBA, images, names, labels, splits, people, True, description, listed_in, lines)


def _search_folder(path: Path) -> tuple[dict[str, _Text], ImageStore]:
    found: dict[str, list[Path]] = {}
    images: dict[Path, int] = {}
    for folder, inner, files in os.walk(path):
        here = Path(folder)
        if len(here.relative_to(path).parts) >= _DEPTH:
            inner.clear()
        inner.sort()
        for name in {*_LISTS, f"{IMAGE_FOLDER}.zip"}.intersection(files):
            found.setdefault(name, []).append(here / name)
        if here.name == IMAGE_FOLDER and files:
            images[here] = len(files)
    lists = {name: [str(file) for file in found.get(name, [])] for name in _LISTS}
    texts = {name: _Text(where, Path(where).read_bytes()) for name, where in _one_each(path, lists).items()}
    if images:
        return texts, ImageFolder(max(images, key=lambda folder: images[folder]))
    if archives := found.get(f"{IMAGE_FOLDER}.zip"):
        return texts, _images_of(archives[0], _members(archives[0]))
    raise DataError(f"{path} has no folder {IMAGE_FOLDER} with images; put the aligned images there")


def _search_zip(path: Path) -> tuple[dict[str, _Text], ImageStore]:
    members = _members(path)
    lists: dict[str, list[str]] = {name: [] for name in _LISTS}
    for info in members:
        base = info.filename.rpartition("/")[2]
        if base in lists:
            lists[base].append(info.filename)
    chosen = _one_each(path, lists)
    with zipfile.ZipFile(path) as archive:
        try:
            texts = {name: _Text(f"{path}/{member}", archive.read(member)) for name, member in chosen.items()}
        except (OSError, RuntimeError, zipfile.BadZipFile, NotImplementedError) as error:
            raise DataError(f"{path} has a damaged or encrypted list; restore the archive") from error
    return texts, _images_of(path, members)


def _members(path: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{path} is neither a folder nor a complete zip; name the folder or zip of CelebA") from error


def _images_of(path: Path, members: list[zipfile.ZipInfo]) -> ImageZip:
    folders = Counter(info.filename.rpartition("/")[0] for info in members if not info.is_dir())
    images = {folder: count for folder, count in folders.items() if folder.rpartition("/")[2] == IMAGE_FOLDER}
    if not images:
        raise DataError(f"{path} has no folder {IMAGE_FOLDER} with images; zip the aligned images with it")
    return ImageZip.below(path, max(images, key=lambda folder: images[folder]) + "/", members)


def _one_each(path: Path, lists: dict[str, list[str]]) -> dict[str, str]:
    for name, places in lists.items():
        if not places and name != IDENTITY_FILE:
            raise DataError(f"{path} is not CelebA: it has no {name}; name the folder or zip that holds it")
        if len(places) > 1:
            raise DataError(f"{path} has two lists {places[0]} and {places[1]}; name the folder of one")
    return {name: places[0] for name, places in lists.items() if places}


def _read_attributes(text: _Text) -> tuple[tuple[str, ...], npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """Return names, labels as 1 and 0, and the line of each row."""
    content = text.content
    first, _, rest = content.partition(b"\n")
    second, _, _ = rest.partition(b"\n")
    if not first.strip().isdigit():
        raise DataError(f"{text.where} line 1: {_shown(first)} is not the count of images; use the official list")
    header = second.decode("utf-8", "replace").split()
    for number, (name, wanted) in enumerate(zip(header, CELEBA.names, strict=False), 1):
        if name != wanted:
            raise DataError(f"{text.where} line 2: attribute {number} is {name!r}, not {wanted}; use the official list")
    if len(header) != len(CELEBA):
        raise DataError(f"{text.where} line 2: {len(header)} attributes, not {len(CELEBA)}; use the official list")
    rows = _Rows.of(text, 2, 1 + len(CELEBA))
    count = int(first)
    if count != len(rows.lines):
        raise DataError(
            f"{text.where} line 1: says {count:,} images, {len(rows.lines):,} rows follow; use the complete list"
        )
    data = np.frombuffer(content, dtype=np.uint8)
    starts, ends = rows.starts[:, 1:], rows.ends[:, 1:]
    minus = data[starts] == ord("-")
    wrong = (data[ends - 1] != ord("1")) | (ends - starts != 1 + minus)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        value = _shown(content[starts[row, column] : ends[row, column]])
        raise DataError(
            f"{text.where} line {rows.lines[row]}: {CELEBA.names[column]} is {value}, not 1 or -1; correct the row"
        )
    names = rows.column(0)
    if len(set(names)) != len(names):
        repeated, times = Counter(names).most_common(1)[0]
        line = [number for number, name in zip(rows.lines, names, strict=True) if name == repeated][1]
        raise DataError(f"{text.where} line {line}: {repeated} is listed {times} times; keep one row")
    return names, np.where(minus, 0, 1).astype(np.int8), rows.lines


def _read_numbers(
    text: _Text, names: tuple[str, ...], what: str, allowed: range
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Read `name number` rows that must follow the order of `names`; return numbers and lines."""
    rows = _Rows.of(text, 0, 2)
    listed = rows.column(0)
    if listed != names:
        for line, name, wanted in zip(rows.lines, listed, names, strict=False):
            if name != wanted:
                raise DataError(
                    f"{text.where} line {line}: names {name}, {ATTRIBUTE_FILE} has {wanted} there; "
                    "use lists in the same order"
                )
        raise DataError(f"{text.where} has {len(listed):,} rows, {ATTRIBUTE_FILE} {len(names):,}; use complete lists")
    values = rows.column(1)
    for line, value in zip(rows.lines, values, strict=True):
        if not (value.isdecimal() and int(value) in allowed):
            expected = f"{allowed.start} to {allowed.stop - 1}"
            raise DataError(f"{text.where} line {line}: {what} is {value!r}, not {expected}; correct the row")
    return np.array([int(value) for value in values], dtype=np.int64), rows.lines


def _refuse_shared_people(
    where: str,
    people: npt.NDArray[np.int32],
    splits: npt.NDArray[np.int8],
    lines: npt.NDArray[np.int64],
) -> None:
    _, first, of = np.unique(people, return_index=True, return_inverse=True)
    crossing = np.flatnonzero(splits != splits[first[of]])
    if crossing.size:
        row = crossing[0]
        origin = first[of[row]]
        raise DataError(
            f"{where} line {lines[row]}: person {people[row]} is in {SPLITS[splits[row]]}, "
            f"but in {SPLITS[splits[origin]]} at line {lines[origin]}; keep each person in one split"
        )


@dataclass(frozen=True)
class _Rows:
    """The words of a text as positions in its bytes, N rows x width; `lines` count from 1."""

    content: bytes
    lines: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, text: _Text, skip: int, width: int) -> _Rows:
        """Split what follows `skip` lines; empty lines are passed over, rows of another width refused."""
        data = np.frombuffer(text.content, dtype=np.uint8)
        breaks = np.flatnonzero(data == ord("\n"))
        begin = data.size if skip > breaks.size else int(breaks[skip - 1]) + 1 if skip else 0
        blank = np.ones(data.size - begin + 2, dtype=bool)
        blank[1:-1] = data[begin:] <= ord(" ")
        edges = np.flatnonzero(blank[1:] != blank[:-1]) + begin
        starts, ends = edges[0::2], edges[1::2]
        words = np.bincount(np.searchsorted(breaks, starts))
        lines = np.flatnonzero(words) + 1
        wrong = np.flatnonzero(words[lines - 1] != width)
        if wrong.size:
            line = lines[wrong[0]]
            raise DataError(f"{text.where} line {line}: {words[line - 1] - 1} values, not {width - 1}; correct the row")
        if lines.size == 0:
            raise DataError(f"{text.where} has no rows; use the complete list")
        return cls(text.content, lines, starts.reshape(-1, width), ends.reshape(-1, width))

    def column(self, index: int) -> tuple[str, ...]:
        """Return one column as text."""
        starts, ends = self.starts[:, index].tolist(), self.ends[:, index].tolist()
        return tuple(
            self.content[start:end].decode("utf-8", "replace") for start, end in zip(starts, ends, strict=True)
        )


def _shown(value: bytes) -> str:
    return repr(value[:40].decode("utf-8", "replace"))
