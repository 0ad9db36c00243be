"""Read a table for each split: FairFace, and tables named like its own, `labels_train.csv` with `labels_val.csv`.

FairFace publishes two of its splits. Its val is what is reported, so it is test here, and validation is taken
from train.
"""

from __future__ import annotations

from facelocus.data.readers.own_table import has_pictures, read_tables
from facelocus.data.readers.splits import SPLIT_WORDS
from facelocus.data.readers.tree import Reader, Tree, join
from facelocus.data.table import FaceTable

_FAIRFACE = "fairface_label_"


def read_split_tables(tree: Tree) -> FaceTable:
    """Read the first set of such tables; raises DataError and MissingExtraError as read_own."""
    stem, tables = next(iter(_sets(tree).items()))
    files = [tables[split] for split in sorted(tables)]
    if stem.rpartition("/")[2].lower().startswith(_FAIRFACE):
        # service_test marks rows for the authors' own measurement; it says nothing about a face.
        called = "FairFace with its val as test"
        return read_tables(
            tree, files, called, [2 if split == 1 else split for split in sorted(tables)], ["service_test"]
        )
    called = f"tables {', '.join(file.rpartition('/')[2] for file in files)}"
    return read_tables(tree, files, called, sorted(tables))


SPLIT_TABLES = Reader(
    f"{_FAIRFACE}train.csv with {_FAIRFACE}val.csv (FairFace), or tables named like them",
    lambda tree: bool(_sets(tree)),
    read_split_tables,
)


def _sets(tree: Tree) -> dict[str, dict[int, str]]:
    """Return the tables that differ only in a split at the end of their names: stem and ending -> split -> file."""
    found: dict[str, dict[int, str]] = {}
    for folder, names in tree.folders.items():
        for name in names:
            base, _, ending = name.rpartition(".")
            for word, split in SPLIT_WORDS.items():
                if base.lower().endswith(("_" + word, "-" + word)) and has_pictures(tree, join(folder, name)):
                    key = f"{join(folder, base[: -len(word)])}.{ending}"
                    found.setdefault(key, {})[split] = join(folder, name)
    return {stem: tables for stem, tables in found.items() if 0 in tables and len(tables) > 1}
