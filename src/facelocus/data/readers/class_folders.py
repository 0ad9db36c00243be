"""Read a folder per class: FOLDER/class/*.jpg, or FOLDER/train/class/*.jpg with val and test beside it.

Each class is an attribute on the whole face, two classes as well as ten.
"""

from __future__ import annotations

import numpy as np

from facelocus.attributes import AttributeSet
from facelocus.data.readers.aligned import share_of_frames
from facelocus.data.readers.splits import SPLIT_WORDS, complete
from facelocus.data.readers.tree import PICTURES, Reader, Tree, join
from facelocus.data.table import FaceTable


def read_class_folders(tree: Tree) -> FaceTable:
    """Read the pictures of every class; a class may be missing in a split."""
    base, classes = _find(tree)
    rows = [
        (f"{below}/{name}", label, split) for below, (label, split) in classes.items()
        for name in tree.folders[join(base, below)]
    ]  # fmt: skip
    names = tuple(name for name, _, _ in rows)
    attributes = tuple(sorted({label for label, _ in classes.values()}))
    column = {attribute: number for number, attribute in enumerate(attributes)}
    labels = np.zeros((len(rows), len(attributes)), np.int8)
    labels[np.arange(len(rows)), [column[label] for _, label, _ in rows]] = 1
    given = None if rows[0][2] is None else np.array([split for _, _, split in rows], np.int8)
    splits, made = complete(given, np.arange(len(rows)), names, "picture")
    images = tree.images(base)
    aligned = share_of_frames(images, names) == 1
    description = (
        f"{len(attributes)} folders of classes, {len(names):,} {'aligned images' if aligned else 'photographs'}, "
        f"{made}, people unknown: intervals by image"
    )
    attribute_set = AttributeSet.by_region({"whole face": attributes})
    return FaceTable(attribute_set, images, names, labels, splits, None, aligned, description)


CLASS_FOLDERS = Reader("a folder of pictures for each class", lambda tree: bool(_find(tree)[1]), read_class_folders)


def _find(tree: Tree) -> tuple[str, dict[str, tuple[str, int | None]]]:
    """Return the folder that holds the classes, and each folder of pictures below it with its class and split."""
    base = ""
    while not tree.folders.get(base) and len(inner := _inner(tree, base)) == 1:
        base = join(base, inner[0])
    inner = _inner(tree, base)
    splits = {name: SPLIT_WORDS[name.lower()] for name in inner if name.lower() in SPLIT_WORDS}
    found: dict[str, tuple[str, int | None]] = {}
    if splits and len(splits) == len(inner):
        for name, split in splits.items():
            found |= {f"{name}/{label}": (label, split) for label in _inner(tree, join(base, name))}
    else:
        found = {label: (label, None) for label in inner}
    pure = all(_holds_pictures_only(tree, join(base, below)) for below in found)
    return base, found if pure and len({label for label, _ in found.values()}) >= 2 else {}


def _inner(tree: Tree, folder: str) -> list[str]:
    start = f"{folder}/" if folder else ""
    return sorted(
        {name[len(start) :].partition("/")[0] for name in tree.folders if name.startswith(start) and name != folder}
    )


def _holds_pictures_only(tree: Tree, folder: str) -> bool:
    files = tree.folders.get(folder, ())
    return bool(files) and not _inner(tree, folder) and all(name.lower().endswith(PICTURES) for name in files)
