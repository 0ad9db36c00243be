"""Each thing that can be wrong with labelled faces is found, with all its names, and nothing else is reported."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facelocus.attributes import AttributeSet
from facelocus.data import problems
from facelocus.data.check import Report, SizeCount, SplitCount, check
from facelocus.data.table import FaceTable, ImageFolder, ImageZip, by_path
from faces import draw_face
from layouts import rows_of

OWN = AttributeSet.by_region({"mouth": ("open", "moustache"), "eyes": ("glasses",)})
COUNT, TRAIN, VALIDATION = 96, 48, 72  # rows; where train and validation end
#: 24 yes and 24 no of each attribute in train, 12 and 12 in the others.
LABELS = np.stack([np.arange(COUNT) // step % 2 for step in (1, 2, 4)], axis=1).astype(np.int8)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    for seed in range(COUNT):
        Image.fromarray(draw_face(seed)).save(folder / f"{seed}.jpg")
    return folder


@pytest.fixture
def clean(drawn: Path, tmp_path: Path) -> FaceTable:
    """A table without a problem, in a folder that the test may change."""
    folder = shutil.copytree(drawn, tmp_path / "faces")
    return FaceTable(
        attributes=OWN,
        images=ImageFolder(folder),
        names=tuple(f"{seed}.jpg" for seed in range(COUNT)),
        labels=LABELS.copy(),
        splits=np.repeat(np.array([0, 1, 2], np.int8), (TRAIN, VALIDATION - TRAIN, COUNT - VALIDATION)),
        people=(np.arange(COUNT) // 2).astype(np.int32),
        aligned=True,
        description="drawn faces",
        listed_in="faces.csv",
        lines=np.arange(COUNT, dtype=np.int64) + 2,
    )


def folder(table: FaceTable) -> Path:
    assert isinstance(table.images, ImageFolder)
    return table.images.folder


def found(report: Report) -> dict[str, tuple[str, list[tuple[str, ...]]]]:
    """Return kind -> severity and the names of every item."""
    return {problem.kind: (problem.severity, [item.names for item in problem.items]) for problem in report.problems}


def notes(report: Report) -> list[str]:
    return [item.note for problem in report.problems for item in problem.items]


def test_of_a_clean_set_everything_is_counted_and_nothing_reported(clean: FaceTable) -> None:
    report = check(clean, 1)
    assert report.problems == ()
    assert report.splits == {
        "train": SplitCount(48, 48, 24),
        "validation": SplitCount(24, 24, 12),
        "test": SplitCount(24, 24, 12),
    }
    assert report.sizes == (SizeCount(178, 218, 96),) and report.frames == 96
    (first, *_) = report.attributes
    assert (first.name, first.region) == ("open", "mouth")
    assert first.yes == first.no == {"train": 24, "validation": 12, "test": 12}
    assert first.unknown == {"train": 0, "validation": 0, "test": 0}


def test_several_processes_find_what_one_finds(clean: FaceTable) -> None:
    (folder(clean) / "7.jpg").unlink()
    (folder(clean) / "90.jpg").write_bytes(b"no picture")
    assert check(clean, 2) == check(clean, 1)


def test_all_missing_pictures_are_named_with_their_lines(clean: FaceTable) -> None:
    (folder(clean) / "3.jpg").unlink()
    (folder(clean) / "80.jpg").unlink()
    report = check(clean, 1)
    assert found(report) == {"missing": ("error", [("3.jpg",), ("80.jpg",)])}
    assert notes(report) == ["faces.csv line 5", "faces.csv line 82"]


def test_all_broken_pictures_are_named_with_what_is_wrong(clean: FaceTable) -> None:
    whole = (folder(clean) / "0.jpg").read_bytes()
    (folder(clean) / "0.jpg").write_bytes(whole[: len(whole) // 2])
    (folder(clean) / "1.jpg").write_bytes(b"")
    (folder(clean) / "95.jpg").write_bytes(b"<html>not found</html>")
    report = check(clean, 1)
    assert found(report) == {"broken": ("error", [("0.jpg",), ("1.jpg",), ("95.jpg",)])}
    assert [words in note for words, note in zip(("truncated", "empty", "not a picture"), notes(report), strict=True)]
    assert report.frames == 93


def test_a_member_of_a_zip_that_is_damaged_is_broken(clean: FaceTable, tmp_path: Path) -> None:
    archive = tmp_path / "faces.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for name in clean.names:
            out.write(folder(clean) / name, name)
    with zipfile.ZipFile(archive) as stored:
        members = stored.infolist()
    content = bytearray(archive.read_bytes())
    content[members[5].header_offset + 2000] ^= 1
    archive.write_bytes(content)
    report = check(replace(clean, images=ImageZip.below(archive, "", by_path(members))), 1)
    assert found(report) == {"broken": ("error", [("5.jpg",)])}


def test_a_size_is_wrong_where_faces_are_aligned_and_only_there(clean: FaceTable) -> None:
    Image.fromarray(draw_face(200)).resize((300, 400)).save(folder(clean) / "8.jpg")
    report = check(clean, 1)
    assert found(report) == {"size": ("error", [("8.jpg",)])}
    assert notes(report) == ["300 x 400"]
    photographs = check(replace(clean, aligned=False), 1)
    assert photographs.problems == ()
    assert photographs.sizes == (SizeCount(178, 218, 95), SizeCount(300, 400, 1)) and photographs.frames == 95


def _copy(table: FaceTable, source: int, target: int) -> None:
    """Put the pixels of one row into another's file, in another format under the same name."""
    with Image.open(folder(table) / f"{source}.jpg") as image:
        image.load()
        image.save(folder(table) / f"{target}.jpg", format="PNG")


def test_equal_pixels_in_several_splits_are_an_error(clean: FaceTable) -> None:
    for target in (8, 56, 88):
        _copy(clean, 0, target)
    report = check(clean, 1)
    assert found(report) == {"duplicates across splits": ("error", [("0.jpg", "8.jpg", "56.jpg", "88.jpg")])}
    assert notes(report) == ["train line 2, train line 10, validation line 58, test line 90"]


def test_a_handful_of_equal_pixels_among_thousands_is_a_warning(
    clean: FaceTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in CelebA itself, whose published splits share a few pictures."""
    _copy(clean, 0, 88)
    monkeypatch.setattr(problems, "BEARABLE", 0.2)
    report = check(clean, 1)
    assert found(report) == {"duplicates across splits": ("warning", [("0.jpg", "88.jpg")])}


def test_equal_pixels_and_repeated_names_in_one_split_are_a_warning(clean: FaceTable) -> None:
    _copy(clean, 0, 8)
    names = list(clean.names)
    names[17] = "1.jpg"
    report = check(replace(clean, names=tuple(names)), 1)
    pairs = [("0.jpg", "8.jpg"), ("1.jpg", "1.jpg")]
    assert found(report) == {"duplicates in a split": ("warning", pairs)}
    assert report.errors == ()
    assert report.splits["train"] == SplitCount(48, 47, 24)


def test_labels_that_contradict_each_other_are_named(clean: FaceTable) -> None:
    _copy(clean, 0, 9)
    report = check(clean, 1)
    pair = ("warning", [("0.jpg", "9.jpg")])
    assert found(report) == {"duplicates in a split": pair, "contradicting labels": pair}
    assert notes(report)[1] == "open"
    labels = clean.labels.copy()
    labels[9, 0] = -1
    assert set(found(check(replace(clean, labels=labels), 1))) == {"duplicates in a split"}


def test_people_in_several_splits_are_an_error(clean: FaceTable) -> None:
    assert clean.people is not None
    people = clean.people.copy()
    people[[50, 90]] = people[10]
    report = check(replace(clean, people=people), 1)
    assert found(report) == {"people across splits": ("error", [("10.jpg", "50.jpg", "90.jpg")])}
    assert notes(report) == ["person 5: 2 in train, 1 in validation, 1 in test"]
    assert check(replace(clean, people=None), 1).problems == ()


def _relabelled(change: Callable[[np.ndarray], None]) -> Callable[[FaceTable], FaceTable]:
    def apply(table: FaceTable) -> FaceTable:
        labels = table.labels.copy()
        change(labels)
        return replace(table, labels=labels)

    return apply


def _only(*splits: int) -> Callable[[FaceTable], FaceTable]:
    """Keep the rows of some splits."""

    def apply(table: FaceTable) -> FaceTable:
        return rows_of(table, np.flatnonzero(np.isin(table.splits, splits)))

    return apply


def _always_yes(labels: np.ndarray) -> None:
    labels[:TRAIN, 0] = 1


def _always_unknown(labels: np.ndarray) -> None:
    labels[:TRAIN, 1] = -1


def _five_of_24_unknown_in_train(labels: np.ndarray) -> None:
    labels[np.flatnonzero(labels[:TRAIN, 2] == 1)[:5], 2] = -1


def _nine_no_in_validation(labels: np.ndarray) -> None:
    labels[TRAIN + np.flatnonzero(labels[TRAIN:VALIDATION, 1] == 0)[:3], 1] = 1


def _nine_yes_in_test(labels: np.ndarray) -> None:
    labels[VALIDATION + np.flatnonzero(labels[VALIDATION:, 0] == 1)[:3], 0] = 0


#: A change, then the one kind reported with severity and names, and its first note.
LABELLED: dict[str, tuple[Callable[[FaceTable], FaceTable], str, str, str, str]] = {
    "always yes": (_relabelled(_always_yes), "constant in train", "error", "open", "48 yes, 0 no, 0 unknown"),
    "always unknown": (
        _relabelled(_always_unknown),
        "constant in train",
        "error",
        "moustache",
        "0 yes, 0 no, 48 unknown",
    ),
    "few in train": (
        _relabelled(_five_of_24_unknown_in_train),
        "few labels in train",
        "warning",
        "glasses",
        "19 yes, 24 no, 5 unknown",
    ),
    "few in validation": (
        _relabelled(_nine_no_in_validation),
        "few labels in validation",
        "warning",
        "moustache",
        "15 yes, 9 no, 0 unknown",
    ),
    "few in test": (_relabelled(_nine_yes_in_test), "few labels in test", "warning", "open", "9 yes, 15 no, 0 unknown"),
    "no train": (_only(1, 2), "no train rows", "error", "train", "no rows"),
    "no validation": (_only(0, 2), "no validation rows", "error", "validation", "no rows"),
    "no test": (_only(0, 1), "no test rows", "warning", "test", "no rows"),
}


@pytest.mark.parametrize("case", LABELLED)
def test_labels_and_splits_that_do_not_suffice_are_named(case: str, clean: FaceTable) -> None:
    change, kind, severity, name, note = LABELLED[case]
    report = check(change(clean), 1)
    assert found(report) == {kind: (severity, [(name,)])}
    assert notes(report) == [note]
    assert bool(report.errors) == (severity == "error")


def test_fewer_training_rows_than_a_batch_are_a_warning(clean: FaceTable) -> None:
    small = rows_of(clean, np.r_[:31, TRAIN:COUNT])
    assert found(check(small, 1)) == {
        "few train rows": ("warning", [("train",)]),
        "few labels in train": ("warning", [(name,) for name in OWN.names]),
    }


def test_errors_come_first_and_everything_goes_into_json(clean: FaceTable) -> None:
    _copy(clean, 0, 8)
    (folder(clean) / "40.jpg").unlink()
    report = check(clean, 1)
    assert [problem.severity for problem in report.problems] == ["error", "warning"]
    told = json.loads(json.dumps(report.to_json()))
    assert told["problems"][0]["items"] == [{"names": ["40.jpg"], "note": "faces.csv line 42"}]
    assert told["splits"]["train"] == {"rows": 48, "pictures": 48, "people": 24}
    assert told["fingerprint"] == clean.fingerprint
