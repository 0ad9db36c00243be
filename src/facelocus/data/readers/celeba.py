"""Read CelebA from a folder or a zip archive, in whatever arrangement it was unpacked.

Two editions: the official text files, and the widespread one of comma-separated files, which has no identities.
Images are found by the folder img_align_celeba (or, below a folder, the official img_align_celeba.zip as it was
downloaded), else the photographs before alignment by the folder img_celeba, and decoded later, by content.
"""

from __future__ import annotations

import numpy as np

from facelocus.attributes import CELEBA
from facelocus.data.readers.aligned import share_of_frames
from facelocus.data.readers.lists import Text, read_labels, read_numbers, refuse_other_attributes, shown
from facelocus.data.readers.tree import FolderTree, Reader, Tree, ZipTree, named, only_file
from facelocus.data.table import SPLITS, FaceTable, ImageStore
from facelocus.errors import DataError

ATTRIBUTE_FILE = "list_attr_celeba"
PARTITION_FILE = "list_eval_partition"
IDENTITY_FILE = "identity_CelebA.txt"
IMAGE_FOLDER = "img_align_celeba"
PHOTO_FOLDER = "img_celeba"

_COMMAS = bytes.maketrans(b',;"', b"   ")


def read_official(tree: Tree) -> FaceTable:
    """Read the official lists and check them against each other.

    Returns:
        A FaceTable in the order of the attribute list; people are None where the identity list is missing.

    Raises:
        DataError: a list is missing, there twice or inconsistent; names the file and the line, counted from 1.
    """
    attributes = _text(tree, f"{ATTRIBUTE_FILE}.txt", heading=2)
    first, _, rest = attributes.content.partition(b"\n")
    if not first.strip().isdigit():
        raise DataError(f"{attributes.where} line 1: {shown(first)} is not the count of images; use the original list")
    refuse_other_attributes(attributes, 2, rest.partition(b"\n")[0].decode("utf-8", "replace").split())
    return _read(tree, attributes, _text(tree, f"{PARTITION_FILE}.txt"), "official CelebA", count=int(first))


def read_csv_edition(tree: Tree) -> FaceTable:
    """Read list_attr_celeba.csv and list_eval_partition.csv, each with a header, like the official lists.

    Raises DataError as there.
    """
    attributes = _without_commas(_text(tree, f"{ATTRIBUTE_FILE}.csv", heading=1))
    header = attributes.content.partition(b"\n")[0].decode("utf-8-sig", "replace").split()
    refuse_other_attributes(attributes, 1, header[1:])
    partition = _without_commas(_text(tree, f"{PARTITION_FILE}.csv", heading=1))
    return _read(tree, attributes, partition, "CelebA (CSV edition)")


OFFICIAL = Reader(
    f"{ATTRIBUTE_FILE}.txt (official CelebA)", lambda tree: bool(named(tree, f"{ATTRIBUTE_FILE}.txt")), read_official
)
CSV_EDITION = Reader(
    f"{ATTRIBUTE_FILE}.csv (CelebA's CSV edition)",
    lambda tree: bool(named(tree, f"{ATTRIBUTE_FILE}.csv")),
    read_csv_edition,
)


def _text(tree: Tree, name: str, heading: int = 0) -> Text:
    file = only_file(tree, name, "CelebA")
    return Text(tree.where(file), tree.read(file), heading)


def _without_commas(text: Text) -> Text:
    return Text(text.where, text.content.translate(_COMMAS), text.heading)


def _read(tree: Tree, attributes: Text, partition: Text, edition: str, count: int | None = None) -> FaceTable:
    names, labels, lines = read_labels(attributes)
    if count is not None and count != len(names):
        raise DataError(
            f"{attributes.where} line 1: says {count:,} images, {len(names):,} rows follow; use the complete list"
        )
    splits = read_numbers(partition, names, "partition", range(len(SPLITS))).astype(np.int8)
    people = None
    if named(tree, IDENTITY_FILE):
        people = read_numbers(_text(tree, IDENTITY_FILE), names, "person", range(2**31)).astype(np.int32)
    known = "split by person" if people is not None else "people unknown: intervals by image"
    images = _images(tree)
    # The same lists describe the photographs that the aligned faces were cut from.
    aligned = share_of_frames(images, names) != 0
    description = f"{edition}, {len(names):,} {'images' if aligned else 'photographs'}, {known}"
    return FaceTable(CELEBA, images, names, labels, splits, people, aligned, description, attributes.where, lines)


def _images(tree: Tree) -> ImageStore:
    for wanted in (IMAGE_FOLDER, PHOTO_FOLDER):
        sizes = {
            folder: len(files)
            for folder, files in tree.folders.items()
            if files and folder.rpartition("/")[2] == wanted
        }
        if sizes:
            return tree.images(max(sizes, key=sizes.__getitem__))
        archives = named(tree, f"{wanted}.zip")
        if archives and isinstance(tree, FolderTree):
            return _images(ZipTree.of(tree.path / archives[0]))
    raise DataError(f"{tree.path} has no folder {IMAGE_FOLDER} with images; put the aligned images there")
