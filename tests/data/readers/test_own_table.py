"""A table of one's own is read as it is written, and what it could mean twice is refused with its row."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from facelocus.attributes import ATTRIBUTES, REGIONS
from facelocus.data import read_table
from facelocus.data.table import FaceTable
from facelocus.errors import DataError, MissingExtraError
from layouts import write_csv, write_own, write_parquet, write_photograph, zip_folder


def read(file: Path) -> FaceTable:
    """Read a table that has no pictures."""
    return read_table(file, strict=False)


def column(folder: Path, values: Sequence[object], header: str = "Freckles") -> FaceTable:
    """Read a table of one column."""
    return read(write_csv(folder / "faces.csv", [["path", header], *([f"{n}.jpg", v] for n, v in enumerate(values))]))


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["1", "0", "1", "0"], [1, 0, 1, 0]),
        (["1", "-1", "", "?"], [1, 0, -1, -1]),
        (["1.0", "-1.0", "NaN", "nan"], [1, 0, -1, -1]),
        (["True", "false", "TRUE", " "], [1, 0, 1, -1]),
        (["yes", "No", " yes ", "?"], [1, 0, 1, -1]),
    ],
)
def test_every_way_to_write_a_label(tmp_path: Path, values: list[str], labels: list[int]) -> None:
    assert column(tmp_path, values).labels[:, 0].tolist() == labels


def test_rows_are_as_written(tmp_path: Path) -> None:
    table = read_table(write_own(tmp_path))
    assert table.names == tuple(f"photos/{seed}.jpg" for seed in range(12))
    assert table.attributes.names == ("Smiling", "Freckles")
    assert table.labels[:, 1].tolist() == [0, 1, -1] * 4
    assert table.aligned
    assert table.place(3) == f"{tmp_path / 'faces.csv'} line 5"
    assert table.images.read("photos/3.jpg") == (tmp_path / "photos" / "3.jpg").read_bytes()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", ["path", "file", "image_id", "Filename", "image"])
def test_delimiters_and_names_of_the_column_of_pictures(tmp_path: Path, delimiter: str, header: str) -> None:
    rows = [[header, "Freckles"], ["a,b.jpg", "1"], ["c;d.jpg", "0"]]
    file = write_csv(tmp_path / "faces.csv", rows, delimiter)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert read(file).names == ("a,b.jpg", "c;d.jpg")


def test_pictures_may_lie_anywhere_and_rows_may_share_one(tmp_path: Path) -> None:
    write_photograph(tmp_path / "elsewhere" / "a.jpg", 1)
    write_photograph(tmp_path / "here" / "sub" / "b.jpg", 2)
    rows = [["path", "Freckles"], [tmp_path / "elsewhere" / "a.jpg", 1], ["sub\\b.jpg", 0], ["sub/b.jpg", 1]]
    table = read_table(write_csv(tmp_path / "here" / "faces.csv", rows))
    assert table.names[1] is table.names[2]
    assert not table.aligned
    assert "3 rows of 2 photographs, 1 attribute as 1/0," in table.description
    assert table.images.read(table.names[0]) == (tmp_path / "elsewhere" / "a.jpg").read_bytes()


def test_pictures_are_taken_as_aligned_only_where_all_looked_at_are(tmp_path: Path) -> None:
    folder = write_own(tmp_path)
    write_photograph(folder / "photos" / "7.jpg", 7)
    assert not read_table(folder).aligned
    for seed in range(12):
        (folder / "photos" / f"{seed}.jpg").write_bytes(b"broken")
    assert not read_table(folder).aligned


def test_regions_are_those_of_header_then_file_then_celeba(tmp_path: Path) -> None:
    rows = [["path", "Freckles@cheeks and ears", "Smiling", "Mask", "Bald", "Tilted"], ["a.jpg", 1, 1, 1, 1, 1]]
    write_csv(tmp_path / "faces.csv", rows)
    write_csv(tmp_path / "faces.regions.csv", [["attribute", "region"], ["Mask", "lower half"], ["Smiling", "mouth"]])
    for path in (tmp_path / "faces.csv", tmp_path, zip_folder(tmp_path, tmp_path.with_suffix(".zip"))):
        attributes = read(path).attributes
        assert attributes.names == ("Freckles", "Smiling", "Mask", "Bald", "Tilted")
        assert attributes.region_of == ("cheeks and ears", "mouth", "lower half", "hair", "whole face")
        assert attributes.regions == (*[r for r in REGIONS if r in attributes.region_of], "lower half")


def test_text_of_few_values_is_an_attribute_a_value(tmp_path: Path) -> None:
    table = column(tmp_path, ["round", "oval", "", "oval", "no"] * 2, "shape@cheeks and ears")
    assert table.attributes.names == ("shape=no", "shape=oval", "shape=round")
    assert table.attributes.region_of == ("cheeks and ears",) * 3
    assert table.labels[:5].tolist() == [[0, 0, 1], [0, 1, 0], [-1, -1, -1], [0, 1, 0], [1, 0, 0]]


def test_other_columns_are_left_out_by_name(tmp_path: Path) -> None:
    header = ["path", "Smiling", "age", "id", "caption", "same", "empty", ""]
    rows = [[f"{n}.jpg", n % 2, n % 5, f"id{n}", f"a face, number {n}", "x", "", "z"] for n in range(40)]
    table = read(write_csv(tmp_path / "faces.csv", [header, *rows]))
    assert table.attributes.names == ("Smiling",)
    assert table.description.endswith("; without age, id, caption, same, empty, a column without a name")


def test_splits_and_people_come_from_their_columns(tmp_path: Path) -> None:
    words = ["train", "Val", "valid", "validation", "test", "train"]
    people = ["ann", "ben", "cat", "", "", "ann"]
    rows = [[f"{n}.jpg", words[n], people[n], 1] for n in range(6)]
    table = read_table(write_csv(tmp_path / "faces.csv", [["path", "split", "subject", "Bald"], *rows]), strict=False)
    assert table.splits.tolist() == [0, 1, 1, 1, 2, 0]
    assert table.people is not None
    assert table.people[0] == table.people[5]
    assert len(set(table.people.tolist())) == 5
    assert table.description == "table faces.csv, 6 photographs, 1 attribute as 1, split as listed"


def test_splits_made_here_keep_people_and_pictures_whole(tmp_path: Path) -> None:
    rows = [[f"{n % 200}.jpg", f"person {n % 40}", n % 2] for n in range(400)]
    table = read_table(write_csv(tmp_path / "faces.csv", [["path", "person", "Bald"], *rows]), strict=False)
    assert "split by person, 70/15/15, seed 0" in table.description
    assert np.bincount(table.splits).tolist() == [280, 60, 60]
    assert table.people is not None
    for groups in (table.people.tolist(), table.names):
        assert len(set(zip(groups, table.splits.tolist(), strict=True))) == len(set(groups))


def test_parquet_holds_what_csv_holds(tmp_path: Path) -> None:
    columns = {
        "path": [f"{n}.jpg" for n in range(6)],
        "Bald": [1, 0, None, 1, 0, 1],
        "Smiling": [True, False, None, True, True, False],
        "Blurry": [1.0, float("nan"), 0.0, 0.0, 1.0, 1.0],
        "gender": ["f", "m", None, "m", "f", "m"],
        "vector": [[1.0, 2.0]] * 6,
    }
    table = read(write_parquet(tmp_path / "faces.parquet", columns))
    assert table.attributes.names == ("Bald", "Smiling", "Blurry", "gender=f", "gender=m")
    assert table.labels.T.tolist() == [
        [1, 0, -1, 1, 0, 1],
        [1, 0, -1, 1, 1, 0],
        [1, -1, 0, 0, 1, 1],
        [1, 0, -1, 0, 1, 0],
        [0, 1, -1, 1, 0, 1],
    ]
    assert table.description.endswith("; without vector")
    assert table.place(2) == f"{tmp_path / 'faces.parquet'} row 3"


def test_parquet_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_parquet(tmp_path / "faces.parquet", {"path": ["a.jpg"], "Bald": [1]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"faces.parquet needs pyarrow: pip install 'facelocus\[parquet\]'"):
        read_table(file)


REFUSALS = [
    (
        "path,Bald\na.jpg,1\nb.jpg,maybe\nc.jpg,0\nd.jpg,2\n",
        r"line 3: Bald is 'maybe', not 1/0.*\(1 more such values\)",
    ),
    ("path,Bald\na.jpg,1\n\nb.jpg,maybe\nc.jpg,0\n", r"line 4: Bald is 'maybe'.*; correct it, or write \? for unknown"),
    ("path,Bald,Young\na.jpg,1,0\nb.jpg,-1,1\n", r"line 3: Bald is -1, but Young is 0 at line 2; write \? for unknown"),
    ("path,Bald\na.jpg,1\nb.jpg,-1\nc.jpg,0\n", r"line 3: Bald is -1, but Bald is 0 at line 4"),
    ("path,Bald\na.jpg,1\nb.jpg\n", r"line 3: 1 values, not 2; correct the row"),
    ("path,Bald\na.jpg,1\nb.jpg,1,1\n", r"line 3: 3 values, not 2"),
    ("path,Bald\na.jpg,1\n ,1\n", r"line 3: path is blank; name the picture"),
    (f"image,Bald\na.jpg,1\n{'iVBORw0K' * 99},1\n", r"line 3: image is a text of 792 characters, which names no file"),
    (f"image,Bald\n{'a b/c ' * 999},1\n", r"line 2: image is a text of 5,993 characters, which names no file"),
    ("path,Bald,split\na.jpg,1,train\nb.jpg,1,dev\nc.jpg,1,\n", r"line 3: split is 'dev', not .*\(1 more such rows\)"),
    ("path,Bald,Bald\na.jpg,1,1\n", r" has two columns 'Bald'; rename one"),
    ("path,Bald,Bald@hair\na.jpg,1,1\n", r" has two columns for Bald; rename one"),
    ("path,caption\na.jpg,hello\n", r" has no column of labels \(1/0, .*; add one for each attribute"),
    ("path,Bald\n", r" has no rows; use the complete table"),
    ("picture,Bald\na.jpg,1\n", r" has no column path \(nor file, image_id, filename, image\); name the column"),
    ("", r" has no rows; use the complete table"),
]


@pytest.mark.parametrize(("content", "message"), REFUSALS, ids=[message for _, message in REFUSALS])
def test_what_is_wrong_is_refused_with_file_line_and_mend(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "faces.csv"
    file.write_text(content)
    with pytest.raises(DataError, match=f"faces.csv:?{message}|faces.csv {message}") as refused:
        read(file)
    assert str(refused.value).startswith(str(file))
    assert "\n" not in str(refused.value)
    assert "; " in str(refused.value)


@pytest.mark.parametrize("name", ["faces.csv", "faces.parquet"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"path,Bald\n\xff\xfe\x00,1\n" * 3)
    with pytest.raises(DataError, match=rf"{name} is not .*; (save|restore)"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        (
            [["attribute", "region"], ["Bold", "hair"]],
            r"line 2: .*faces.csv has no attribute 'Bold'; write it as there",
        ),
        ([["attribute", "region"], ["Bald", ""]], r"line 2: 'Bald' has no region; give it one"),
        ([["attribute", "region"], ["Bald", "a"], ["Bald", "b"]], r"line 3: 'Bald' has two regions; give it one"),
        ([["name", "region"], ["Bald", "hair"]], r" needs the columns attribute and region"),
    ],
)
def test_a_wrong_file_of_regions_is_refused(tmp_path: Path, regions: list[list[str]], message: str) -> None:
    write_csv(tmp_path / "faces.csv", [["path", "Bald"], ["a.jpg", "1"]])
    write_csv(tmp_path / "faces.regions.csv", regions)
    with pytest.raises(DataError, match=rf"faces.regions.csv ?{message}"):
        read(tmp_path / "faces.csv")


def test_two_tables_in_one_folder_are_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        write_csv(tmp_path / name, [["path", "Bald"], ["a.jpg", "1"]])
    write_csv(tmp_path / "deeper" / "c.csv", [["path", "Bald"], ["a.jpg", "1"]])
    with pytest.raises(DataError, match=r"has two tables .*a.csv and .*b.csv; name one file"):
        read(tmp_path)


def test_one_list_of_a_layout_alone_is_refused_by_what_it_lacks(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "list_attr_celeba.csv", [["image_id", *ATTRIBUTES], ["a.jpg", *["1"] * 40]])
    with pytest.raises(DataError, match=r"is not CelebA: it has no list_eval_partition.csv; name the folder"):
        read(file)


def test_a_picture_cut_short_is_the_concern_of_packing(tmp_path: Path) -> None:
    folder = write_own(tmp_path)
    file = folder / "photos" / "0.jpg"
    file.write_bytes(file.read_bytes()[:200])
    assert len(read_table(folder)) == 12
