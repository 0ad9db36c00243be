"""The one place that finds out how labelled faces are laid out, and reads them."""

from __future__ import annotations

from pathlib import Path

from facelocus.data.consistency import crossing_people, first_rows, missing
from facelocus.data.readers.celeba import CSV_EDITION, OFFICIAL
from facelocus.data.readers.class_folders import CLASS_FOLDERS
from facelocus.data.readers.columns import TABLES
from facelocus.data.readers.lfwa import LFWA
from facelocus.data.readers.own_table import OWN, REGIONS
from facelocus.data.readers.split_tables import SPLIT_TABLES
from facelocus.data.readers.tree import FolderTree, Tree, ZipTree
from facelocus.data.table import SPLITS, FaceTable
from facelocus.errors import DataError, InputError

#: Every layout that is read, in the order in which they are looked for.
READERS = (OFFICIAL, CSV_EDITION, LFWA, SPLIT_TABLES, OWN, CLASS_FOLDERS)


def read_table(path: Path, strict: bool = True) -> FaceTable:
    """Read labelled faces of any layout; which one it is is found by looking, and said by the description.

    Args:
        path: a folder, a zip archive, or one CSV or Parquet file.
        strict: refuse missing pictures and people in more than one split; without, consistency.py has their rows.

    Raises:
        InputError: there is nothing at `path`, or it may not be read.
        DataError: no layout is recognised, or what was read is inconsistent; names the file and row.
        MissingExtraError: the layout needs a package that is not installed.
    """
    tree = _look(path)
    reader = next((reader for reader in READERS if reader.recognises(tree)), None)
    if reader is None and path.is_file() and path.name.lower().endswith(TABLES):
        reader = OWN  # which says what the table lacks
    if reader is None:
        looked_for = "; ".join(reader.known_by for reader in READERS)
        raise DataError(
            f"{path} has no labelled faces (looked for: {looked_for}); name the folder, zip or table of some"
        )
    table = reader.read(tree)
    if strict:
        _refuse_missing(table)
        _refuse_crossing(table)
    return table


def _look(path: Path) -> Tree:
    if not path.exists():
        raise InputError(f"{path} does not exist; name a folder, a zip or a table of labelled faces")
    if path.is_dir():
        return FolderTree.walk(path)
    if path.name.lower().endswith(TABLES):
        return FolderTree.of_file(path, path.stem + REGIONS)
    return ZipTree.of(path)


def _refuse_missing(table: FaceTable) -> None:
    rows = missing(table)
    if rows.size:
        picture = table.images.where(table.names[rows[0]])
        listed = f"{table.place(int(rows[0]))}: " if table.listed_in else ""
        raise DataError(
            f"{listed}there is no image {picture} ({rows.size:,} missing); put it there, or leave its row out"
        )


def _refuse_crossing(table: FaceTable) -> None:
    rows = crossing_people(table)
    if table.people is not None and rows.size:
        row = int(rows[0])
        first = int(first_rows(table.people)[row])
        more = f" ({rows.size - 1:,} more such rows)" if rows.size > 1 else ""
        raise DataError(
            f"{table.place(row)}: its person is in {SPLITS[table.splits[row]]}, but in "
            f"{SPLITS[table.splits[first]]} at {table.place(first)}{more}; keep each person in one split"
        )
