"""Read one table of one's own, CSV or Parquet: a column of picture files, and a column for each attribute.

    path,split,person,Smiling,Freckles@cheeks and ears
    photos/1.jpg,train,ann,1,0
    photos/2.jpg,test,ben,0,?

`path` (or file, image_id, filename, image) is relative to the table's folder. `split` (train, validation or val,
test) and `person` are optional. What the other columns mean is said in labels.py. A second file, `faces.regions.csv`
beside `faces.csv`, may say on which region an attribute shows: columns attribute and region.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from facelocus.data.readers.aligned import share_of_frames
from facelocus.data.readers.columns import TABLES, Column, Listing, read_header
from facelocus.data.readers.labels import Labels, read_labels
from facelocus.data.readers.splits import SPLIT_WORDS, complete, together
from facelocus.data.readers.tree import Reader, Tree, folder_of, join
from facelocus.data.table import FaceTable, file_path
from facelocus.errors import DataError

PATH = ("path", "file", "image_id", "filename", "image")
PERSON = ("person", "person_id", "identity", "subject")

_KEPT_VALUES = 1_024  # of a column that may be labels or categories
REGIONS = ".regions.csv"
_LONGEST_NAME, _LONGEST_PATH = 255, 4_096  # of files, in characters
_NAMED = 8  # columns left out that the description names


def has_pictures(tree: Tree, file: str) -> bool:
    """Whether a file is a table by its ending, with a column of picture files."""
    ours = file.lower().endswith(TABLES) and not file.lower().endswith(REGIONS)
    return ours and any(name.lower() in PATH for name in read_header(tree, file))


def read_own(tree: Tree) -> FaceTable:
    """Read the table that lies highest in a tree, or the one file that was named.

    Raises:
        DataError: a row is inconsistent, or there are two such tables; names the file and row.
        MissingExtraError: it is Parquet, and pyarrow is not installed.
    """
    files = _highest(tree) or [tree.folders[""][0]]
    if len(files) > 1:
        raise DataError(f"{tree.path} has two tables {tree.where(files[0])} and {tree.where(files[1])}; name one file")
    return read_tables(tree, files, f"table {files[0].rpartition('/')[2]}")


OWN = Reader("a CSV or Parquet file with a column path", lambda tree: bool(_highest(tree)), read_own)


def read_tables(
    tree: Tree,
    files: Sequence[str],
    called: str,
    split_of_file: Sequence[int] | None = None,
    aside: Collection[str] = (),
) -> FaceTable:
    """Read one table, or several with the same columns as one.

    Args:
        tree: where the tables are.
        files: the tables.
        called: how the description begins.
        split_of_file: the split of each file's rows, as an index into SPLITS; by default a column says it, or nothing.
        aside: columns that are not labels.

    Raises DataError and MissingExtraError as read_own.
    """
    header = read_header(tree, files[0])
    listing = Listing(tree, files, [name for name in header if name.lower() in PATH + PERSON], _KEPT_VALUES)
    path, split, person = (_column(listing, names) for names in (PATH, ("split",), PERSON))
    where = tree.where(files[0])
    if path is None:
        known = ", ".join(PATH[1:])
        raise DataError(f"{where} has no column path (nor {known}); name the column of picture files path")
    special = {special[0] for special in (path, split, person) if special}
    labels = _labels(tree, files[0], listing, {*special, *aside})
    pictures, distinct = _pictures(listing, *path)
    people, keys = _people(person[1], pictures, distinct) if person else (None, distinct)
    given = None
    if split_of_file is not None:
        given = np.repeat(np.array(split_of_file, np.int8), [count for _, count in listing.files])
    elif split:
        given = _splits(listing, split[1])
    codes = pictures if people is None else people.astype(np.int64)
    first, groups = np.unique(together(codes, pictures), return_inverse=True)
    splits, made = complete(
        given, groups, [keys[code] for code in codes[first]], "picture" if people is None else "person"
    )
    names = tuple(map(distinct.__getitem__, pictures.tolist()))
    images = tree.images((folder_of(tree, names) or "") if len(files) > 1 else files[0].rpartition("/")[0])
    aligned = share_of_frames(images, distinct) == 1
    rows = f"{len(listing):,} rows of " if len(listing) != len(distinct) else ""
    of = "attribute" if len(labels.attributes) == 1 else "attributes"
    pictures_are = "aligned images" if aligned else "photographs"
    unknown = "" if people is not None else ", people unknown: intervals by image"
    description = (
        f"{called}, {rows}{len(distinct):,} {pictures_are}, {len(labels.attributes)} {of} as {labels.conventions}, "
        f"{made}{unknown}{_without([*(name for name in listing.header if name in aside), *labels.left_out])}"
    )
    return FaceTable(
        labels.attributes,
        images,
        names,
        labels.values,
        splits,
        people,
        aligned,
        description,
        listed_in=where if len(files) == 1 else None,
        lines=listing.lines if len(files) == 1 else None,
        unit=listing.unit,
    )


def _highest(tree: Tree) -> list[str]:
    by_depth: dict[int, list[str]] = {}
    for folder, names in tree.folders.items():
        files = [join(folder, name) for name in names if name.lower().endswith(TABLES)]
        by_depth.setdefault(folder.count("/") + bool(folder), []).extend(files)
    tables = ([file for file in by_depth[depth] if has_pictures(tree, file)] for depth in sorted(by_depth))
    return next(filter(None, tables), [])


def _column(listing: Listing, wanted: Sequence[str]) -> tuple[str, Column] | None:
    for name in wanted:
        for header, column in zip(listing.header, listing.columns, strict=True):
            if header.lower() == name:
                return header, column
    return None


def _cleaned(column: Column, clean: Callable[[str], str]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the distinct cleaned values of a column, and for each row which it has."""
    position: dict[str, int] = {}
    new = [position.setdefault(clean(value), len(position)) for value in column.values]
    return np.array(new, np.int64)[column.codes], list(position)


def _labels(tree: Tree, table: str, listing: Listing, aside: Collection[str]) -> Labels:
    regions = _read_regions(tree, table)
    labels = read_labels(listing, aside, {name: region for name, (region, _) in regions.items()})
    for name, (_, place) in regions.items():
        if not any(attribute == name or attribute.startswith(f"{name}=") for attribute in labels.attributes.names):
            raise DataError(f"{place}: {tree.where(table)} has no attribute {name!r}; write it as there")
    return labels


def _pictures(listing: Listing, header: str, column: Column) -> tuple[npt.NDArray[np.int64], list[str]]:
    pictures, distinct = _cleaned(column, lambda text: file_path(text.strip()))
    if "" in distinct:
        row = int(np.flatnonzero(pictures == distinct.index(""))[0])
        raise DataError(f"{listing.place(row)}: {header} is blank; name the picture, or leave the row out")
    longest = max(distinct, key=len)
    if max(map(len, longest.split("/"))) > _LONGEST_NAME or len(longest) > _LONGEST_PATH:
        row = int(np.flatnonzero(pictures == distinct.index(longest))[0])
        raise DataError(
            f"{listing.place(row)}: {header} is a text of {len(longest):,} characters, which names no file; call the "
            "column of picture files path"
        )
    return pictures, distinct


def _people(
    column: Column, pictures: npt.NDArray[np.int64], files: Sequence[str]
) -> tuple[npt.NDArray[np.int32] | None, list[str]]:
    """Return who is on each row and what each person is called; where that is blank, each picture is a person."""
    people, names = _cleaned(column, str.strip)
    if "" in names:
        if names == [""]:
            return None, list(files)
        nobody = people == names.index("")
        people[nobody] = len(names) + pictures[nobody]
        names += files
    return people.astype(np.int32), names


def _splits(listing: Listing, column: Column) -> npt.NDArray[np.int8] | None:
    texts = [value.strip().lower() for value in column.values]
    if not any(texts):
        return None
    splits: npt.NDArray[np.int8] = np.array([*(SPLIT_WORDS.get(text, -1) for text in texts), -1], np.int8)[column.codes]
    wrong = np.flatnonzero(splits < 0)
    if wrong.size:
        code = column.codes[wrong[0]]
        more = f" ({wrong.size - 1:,} more such rows)" if wrong.size > 1 else ""
        raise DataError(
            f"{listing.place(int(wrong[0]))}: split is {column.values[code]!r}, not train, validation or test{more}; "
            "correct the row"
        )
    return splits


def _read_regions(tree: Tree, table: str) -> Mapping[str, tuple[str, str]]:
    """Return attribute -> its region and the place that says so, from the file of regions beside a table."""
    folder, _, name = table.rpartition("/")
    file = join(folder, name.rpartition(".")[0] + REGIONS)
    if file.rpartition("/")[2] not in tree.folders[folder]:
        return {}
    listing = Listing(tree, [file], (), _KEPT_VALUES)
    attribute, region = _column(listing, ["attribute"]), _column(listing, ["region"])
    if attribute is None or region is None:
        raise DataError(f"{tree.where(file)} needs the columns attribute and region; write them in its first line")
    regions: dict[str, tuple[str, str]] = {}
    for row, (one, other) in enumerate(zip(attribute[1].codes, region[1].codes, strict=True)):
        name, its = attribute[1].values[one].strip(), region[1].values[other].strip()
        if not its or name in regions:
            raise DataError(f"{listing.place(row)}: {name!r} has {'two regions' if its else 'no region'}; give it one")
        regions[name] = its, listing.place(row)
    return regions


def _without(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - _NAMED} more columns" if len(columns) > _NAMED else ""
    return f"; without {', '.join(columns[:_NAMED])}{more}" if columns else ""
