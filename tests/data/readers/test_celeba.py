"""CelebA is read from any arrangement, and an inconsistent one is refused in one line with file and row."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facelocus.attributes import CELEBA
from facelocus.data import read_table
from facelocus.errors import DataError
from faces import DRAWN, drawn_attributes, write_celeba, zip_celeba
from layouts import write_csv_edition

ATTRIBUTES = "list_attr_celeba.txt"
PARTITION = "list_eval_partition.txt"
IDENTITY = "identity_CelebA.txt"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_celeba(tmp_path_factory.mktemp("pristine") / "celeba", 15)


@pytest.fixture
def celeba(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "celeba")


def edit_line(file: Path, number: int, change: Callable[[str], str]) -> None:
    lines = file.read_text().split("\n")
    lines[number - 1] = change(lines[number - 1])
    file.write_text("\n".join(lines))


def test_table_holds_what_the_lists_say(pristine: Path) -> None:
    table = read_table(pristine)
    assert table.names == tuple(f"{number:06d}.jpg" for number in range(1, 16))
    assert table.attributes == CELEBA
    assert set(np.unique(table.labels)) == {0, 1}
    for name in DRAWN:
        drawn = [name in drawn_attributes(seed) for seed in range(15)]
        assert table.labels[:, CELEBA.names.index(name)].tolist() == drawn
    assert table.splits.tolist() == [0] * 3 + [1] * 3 + [0] * 3 + [2] * 3 + [0] * 3
    assert table.people is not None
    assert table.people.tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]
    assert table.description == "official CelebA, 15 images, split by person"


def official(celeba: Path, to: Path) -> Path:
    for name, below in ((ATTRIBUTES, "Anno"), (IDENTITY, "Anno"), (PARTITION, "Eval")):
        (to / below).mkdir(parents=True, exist_ok=True)
        shutil.copy(celeba / name, to / below / name)
    shutil.copytree(celeba / "img_align_celeba", to / "Img" / "img_align_celeba")
    return to


def official_with_inner_zip(celeba: Path, to: Path) -> Path:
    official(celeba, to)
    shutil.make_archive(str(to / "Img" / "img_align_celeba"), "zip", to / "Img", "img_align_celeba")
    shutil.rmtree(to / "Img" / "img_align_celeba")
    return to


def nested_twice(celeba: Path, to: Path) -> Path:
    shutil.copytree(celeba, to)
    (to / "img_align_celeba").rename(to / "inner")
    (to / "img_align_celeba").mkdir()
    (to / "inner").rename(to / "img_align_celeba" / "img_align_celeba")
    return to


def zipped(celeba: Path, to: Path) -> Path:
    return zip_celeba(celeba, to.with_suffix(".zip"))


def windows_line_ends(celeba: Path, to: Path) -> Path:
    shutil.copytree(celeba, to)
    for name in (ATTRIBUTES, PARTITION, IDENTITY):
        (to / name).write_bytes((to / name).read_bytes().replace(b"\n", b"\r\n"))
    return to


@pytest.mark.parametrize("arrange", [official, official_with_inner_zip, nested_twice, zipped, windows_line_ends])
def test_every_arrangement_gives_the_same_faces(
    pristine: Path, tmp_path: Path, arrange: Callable[[Path, Path], Path]
) -> None:
    flat = read_table(pristine)
    other = read_table(arrange(pristine, tmp_path / "other"))
    assert other.names == flat.names
    np.testing.assert_array_equal(other.labels, flat.labels)
    np.testing.assert_array_equal(other.splits, flat.splits)
    assert [other.images.read(name) for name in other.names] == [flat.images.read(n) for n in flat.names]


def test_identity_list_is_optional(celeba: Path) -> None:
    (celeba / IDENTITY).unlink()
    table = read_table(celeba)
    assert table.people is None
    assert table.description == "official CelebA, 15 images, people unknown: intervals by image"


def test_empty_lines_are_passed_over_and_counted(celeba: Path) -> None:
    edit_line(celeba / IDENTITY, 2, lambda line: "\n" + line)
    assert read_table(celeba).people is not None
    edit_line(celeba / IDENTITY, 6, lambda line: "000005.jpg Ann")
    with pytest.raises(DataError, match=r"identity_CelebA.txt line 6: person is 'Ann'"):
        read_table(celeba)


def swap_names(line: str) -> str:
    words = line.split()
    words[3], words[4] = words[4], words[3]
    return " ".join(words)


REFUSALS = [
    (ATTRIBUTES, 1, lambda line: "16", r"line 1: says 16 images, 15 rows follow"),
    (ATTRIBUTES, 1, lambda line: "image_id,Bald", r"line 1: 'image_id,Bald' is not the count"),
    (ATTRIBUTES, 2, swap_names, r"line 2: attribute 4 is 'Bald', not Bags_Under_Eyes"),
    (
        ATTRIBUTES,
        2,
        lambda line: line.replace("Bangs", "Fringe"),
        r"line 2: attribute 6 is 'Fringe', not Bangs",
    ),
    (ATTRIBUTES, 2, lambda line: line.replace(" Young", ""), r"line 2: 39 attributes, not 40"),
    (ATTRIBUTES, 2, lambda line: line + "Old", r"line 2: 41 attributes, not 40"),
    (ATTRIBUTES, 9, lambda line: line.rsplit(None, 1)[0], r"line 9: 39 values, not 40"),
    (ATTRIBUTES, 9, lambda line: line + "  1", r"line 9: 41 values, not 40"),
    (ATTRIBUTES, 9, lambda line: line[:-2] + " 0", r"line 9: Young is '0', not 1 or -1"),
    (ATTRIBUTES, 9, lambda line: line[:-2] + "11", r"line 9: Young is '11', not 1 or -1"),
    (ATTRIBUTES, 9, lambda line: line[:-2] + " -", r"line 9: Young is '-', not 1 or -1"),
    (ATTRIBUTES, 9, lambda line: "000006.jpg" + line[10:], r"line 9: 000006.jpg is listed 2 times"),
    (PARTITION, 4, lambda line: "000004.jpg 3", r"line 4: partition is '3', not 0 to 2"),
    (PARTITION, 4, lambda line: "000004.jpg -1", r"line 4: partition is '-1', not 0 to 2"),
    (PARTITION, 4, lambda line: "000005.jpg 1", r"line 4: names 000005.jpg, .* has 000004.jpg there"),
    (PARTITION, 4, lambda line: "000004.jpg", r"line 4: 0 values, not 1"),
    (PARTITION, 15, lambda line: "", r"has 14 rows, the attribute list 15"),
    (IDENTITY, 7, lambda line: "000009.jpg 3", r"line 7: names 000009.jpg, .* has 000007.jpg there"),
    (IDENTITY, 7, lambda line: "000007.jpg Ann", r"line 7: person is 'Ann'"),
]


@pytest.mark.parametrize(("file", "line", "change", "message"), REFUSALS, ids=[case[3] for case in REFUSALS])
def test_inconsistent_lists_are_refused_with_file_and_line(
    celeba: Path, file: str, line: int, change: Callable[[str], str], message: str
) -> None:
    edit_line(celeba / file, line, change)
    with pytest.raises(DataError, match=re.escape(str(celeba / file)) + " " + message) as refused:
        read_table(celeba)
    assert "\n" not in str(refused.value)
    assert "; " in str(refused.value)


def test_a_person_in_two_splits_is_refused_with_both_rows(celeba: Path) -> None:
    edit_line(celeba / IDENTITY, 7, lambda line: "000007.jpg 2")
    with pytest.raises(
        DataError, match=r"list_attr_celeba.txt line 9: its person is in train, but in validation at .*6;"
    ):
        read_table(celeba)


def test_a_short_and_a_long_row_do_not_cancel_out(celeba: Path) -> None:
    edit_line(celeba / ATTRIBUTES, 9, lambda line: line.rsplit(None, 1)[0])
    edit_line(celeba / ATTRIBUTES, 12, lambda line: line + " -1")
    with pytest.raises(DataError, match="line 9: 39 values"):
        read_table(celeba)


@pytest.mark.parametrize("content", ["", "15", "15\n", "15\n5_o_Clock_Shadow", "0\n" + " ".join(CELEBA.names)])
def test_a_list_cut_short_in_its_head_is_refused(celeba: Path, content: str) -> None:
    (celeba / ATTRIBUTES).write_text(content)
    with pytest.raises(DataError, match=ATTRIBUTES):
        read_table(celeba)


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_missing_image_is_refused_with_its_row(celeba: Path, tmp_path: Path, form: str) -> None:
    (celeba / "img_align_celeba" / "000012.jpg").unlink()
    path = celeba if form == "folder" else zip_celeba(celeba, tmp_path / "celeba.zip")
    with pytest.raises(DataError, match=r"list_attr_celeba.txt line 14: there is no image .*/000012.jpg \(1 "):
        read_table(path)


def test_an_incomplete_celeba_is_refused(tmp_path: Path, celeba: Path) -> None:
    (celeba / PARTITION).rename(celeba / "partition.txt")
    with pytest.raises(DataError, match=r"celeba is not CelebA: it has no list_eval_partition.txt"):
        read_table(celeba)
    (celeba / "partition.txt").rename(celeba / PARTITION)
    with pytest.raises(DataError, match=r"000001.jpg is neither a folder nor a complete zip"):
        read_table(celeba / "img_align_celeba" / "000001.jpg")
    shutil.rmtree(celeba / "img_align_celeba")
    with pytest.raises(DataError, match="has no folder img_align_celeba with images"):
        read_table(celeba)
    with pytest.raises(DataError, match="has no folder img_align_celeba with images"):
        read_table(zip_celeba(celeba, tmp_path / "bare.zip"))


def test_a_zip_cut_short_is_refused(celeba: Path, tmp_path: Path) -> None:
    archive = zip_celeba(celeba, tmp_path / "celeba.zip")
    archive.write_bytes(archive.read_bytes()[:-5000])
    with pytest.raises(DataError, match=r"celeba.zip is neither a folder nor a complete zip"):
        read_table(archive)


def test_two_data_sets_below_one_folder_are_refused(celeba: Path) -> None:
    shutil.copytree(celeba, celeba.parent / "again")
    with pytest.raises(DataError, match=r"has two lists .*again.* and .*celeba"):
        read_table(celeba.parent)


CSV_REFUSALS = [
    ("list_attr_celeba.csv", 1, lambda line: line.replace("Bangs", "Fringe"), r"line 1: attribute 6 is 'Fringe'"),
    ("list_attr_celeba.csv", 1, lambda line: line + ",Old", r"line 1: 41 attributes, not 40"),
    ("list_attr_celeba.csv", 9, lambda line: line.rpartition(",")[0] + ",0", r"line 9: Young is '0', not 1 or -1"),
    ("list_attr_celeba.csv", 9, lambda line: line.rpartition(",")[0] + ",", r"line 9: 39 values, not 40"),
    ("list_eval_partition.csv", 4, lambda line: "000003.jpg,3", r"line 4: partition is '3', not 0 to 2"),
    ("list_eval_partition.csv", 4, lambda line: "000004.jpg,0", r"line 4: names 000004.jpg, .* has 000003.jpg there"),
]


@pytest.mark.parametrize(("file", "line", "change", "message"), CSV_REFUSALS, ids=[case[3] for case in CSV_REFUSALS])
def test_an_inconsistent_csv_edition_is_refused_with_file_and_line(
    tmp_path: Path, file: str, line: int, change: Callable[[str], str], message: str
) -> None:
    folder = write_csv_edition(tmp_path / "celeba")
    edit_line(folder / file, line, lambda text: change(text.rstrip("\r")))
    with pytest.raises(DataError, match=re.escape(str(folder / file)) + " " + message):
        read_table(folder)


def test_both_editions_hold_the_same(pristine: Path, tmp_path: Path) -> None:
    official, other = read_table(pristine), read_table(write_csv_edition(tmp_path / "celeba"))
    assert other.names == official.names
    np.testing.assert_array_equal(other.labels, official.labels)
    np.testing.assert_array_equal(other.splits, official.splits)
    assert other.people is None


def test_the_csv_edition_takes_semicolons_quotes_and_an_identity_list(pristine: Path, tmp_path: Path) -> None:
    folder = write_csv_edition(tmp_path / "celeba")
    list_file = folder / "list_attr_celeba.csv"
    quoted = [f'"{line}"'.replace(",", '";"') for line in list_file.read_text().split()]
    list_file.write_text("\ufeff" + "\n".join(quoted), encoding="utf-8")
    shutil.copy(pristine / IDENTITY, folder)
    table = read_table(folder)
    np.testing.assert_array_equal(table.labels, read_table(pristine).labels)
    assert table.description == "CelebA (CSV edition), 15 images, split by person"


def test_the_photographs_before_alignment_are_told_from_the_frames(celeba: Path) -> None:
    """As published they lie in img_celeba; the lists are the same."""
    aligned = celeba / "img_align_celeba"
    for file in aligned.iterdir():
        with Image.open(file) as image:
            image.resize((240, 240)).save(file)
    for folder in ("img_align_celeba", "img_celeba"):
        aligned = aligned.rename(celeba / folder)
        table = read_table(celeba)
        assert not table.aligned and table.images.where("000001.jpg") == str(aligned / "000001.jpg")
        assert table.description == "official CelebA, 15 photographs, split by person"
