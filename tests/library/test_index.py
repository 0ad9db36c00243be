"""A library follows its folders: pictures go in, are recognised where they were moved to, and drop out."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import copyfile, rmtree
from typing import Any

import numpy as np
import pytest

from facelocus.errors import FacelocusError, InputError, StoppedError, StorageError, UsageError
from facelocus.library import changes as changes_module
from facelocus.library import index as index_module
from facelocus.library.changes import digest_of
from facelocus.library.reader import Library
from facelocus.library.scores import decode
from facelocus.library.store import open_store
from facelocus.model import Model
from facelocus.photos import folder as folder_module
from facelocus.photos.analyze import analyze
from facelocus.search.find import profile_in
from folder_runs import Stopping
from libraries import described, draw, index
from small_model import SMALL, write_model


@pytest.fixture
def library(photos: Path, tmp_path: Path, model: Model) -> Path:
    index(photos, tmp_path / "library", model)
    return tmp_path / "library"


def names(library: Path) -> list[str]:
    return [Path(path).name for path in described(library)]


def test_a_library_holds_what_analyze_says(photos: Path, library: Path, model: Model) -> None:
    opened = Library(library)
    with opened.state() as scores:
        assert scores.logits.shape == (len(SMALL), 10)
        for row, (picture, face) in enumerate(zip(scores.pictures, scores.faces, strict=True)):
            path = opened.path(int(picture))
            (expected,) = analyze(path, model=model, aligned=True)
            found = 1 / (1 + np.exp(-decode(scores.logits[:, row])))
            assert found == pytest.approx(list(expected.attributes.values()), abs=2e-4)
            (kept,) = opened.faces([int(face)])
            assert (kept.number, kept.box) == (1, expected.box)
            assert kept.trust == pytest.approx(expected.quality.trust, abs=1e-3)
    opened.close()


def test_what_is_known_is_not_analyzed_again(
    photos: Path, library: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "analyze", counting := Stopping(None))
    done = index(photos, library, model)
    assert (done.new, done.moved, done.removed, done.photographs, done.faces) == (0, 0, 0, 10, 10)
    assert counting.calls == 0
    draw(photos / "new.png", 77)
    draw(photos / "0" / "1.png", 78)
    done = index(photos, library, model)
    assert (done.new, counting.calls, done.photographs) == (2, 2, 11)
    assert len({codes for _, _, codes in described(library).values()}) == 11


def test_moved_copied_and_swapped_pictures_are_recognised_by_their_content(
    photos: Path, library: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {Path(path).name: found for path, found in described(library).items()}
    monkeypatch.setattr(folder_module, "analyze", counting := Stopping(None))
    (photos / "0" / "0.png").rename(photos / "moved.png")
    copyfile(photos / "0" / "1.png", photos / "copy.png")
    (photos / "0" / "2.png").rename(photos / "swap")
    (photos / "0" / "3.png").rename(photos / "0" / "2.png")
    (photos / "swap").rename(photos / "0" / "3.png")
    (photos / "0" / "4.png").rename(photos / "1" / "5.png")  # over another one
    done = index(photos, library, model)
    after = {Path(path).name: found for path, found in described(library).items()}
    assert (done.new, done.removed, counting.calls) == (0, 0, 0)
    expected = before | {"moved.png": before["0.png"], "copy.png": before["1.png"], "5.png": before["4.png"]}
    expected |= {"2.png": before["3.png"], "3.png": before["2.png"]}
    del expected["0.png"], expected["4.png"]
    assert after == expected


def test_what_is_gone_drops_out_and_other_folders_stay(
    photos: Path, tmp_path: Path, library: Path, model: Model
) -> None:
    draw(tmp_path / "others" / "a.png", 50)
    index(tmp_path / "others", library, model)
    (photos / "1" / "9.png").unlink()
    rmtree(photos / "0")
    done = index(photos, library, model)
    assert (done.removed, names(library)) == (6, ["a.png", "5.png", "6.png", "7.png", "8.png"])


def test_a_copy_in_another_folder_leaves_the_picture_where_it_lies(
    photos: Path, tmp_path: Path, library: Path, model: Model
) -> None:
    before = described(library)
    (tmp_path / "others").mkdir()
    copyfile(photos / "0" / "0.png", tmp_path / "others" / "copy.png")
    done = index(tmp_path / "others", library, model)
    assert (done.new, done.moved, done.photographs) == (0, 1, 11)
    copied = {str(tmp_path / "others" / "copy.png"): before[str(photos / "0" / "0.png")]}
    assert described(library) == before | copied


def test_a_picture_moved_here_from_another_folder_is_taken_from_there(
    photos: Path, tmp_path: Path, library: Path, model: Model
) -> None:
    (tmp_path / "others").mkdir()
    (photos / "0" / "0.png").rename(tmp_path / "others" / "moved.png")
    done = index(tmp_path / "others", library, model)
    assert (done.new, done.moved, done.photographs) == (0, 1, 10)
    assert names(library)[0] == "moved.png" and "0.png" not in names(library)


def test_a_disk_that_is_not_there_does_not_empty_a_library(
    photos: Path, tmp_path: Path, library: Path, model: Model
) -> None:
    before = described(library)
    photos.rename(tmp_path / "away")
    with pytest.raises(InputError, match="does not exist"):
        index(photos, library, model)
    photos.mkdir()
    with pytest.raises(InputError, match="no picture"):
        index(photos, library, model)
    assert described(library) == before
    with pytest.raises(InputError, match="no picture"):
        index(photos, tmp_path / "new", model)
    assert not (tmp_path / "new").exists()


def test_a_disk_that_is_not_there_takes_nothing_out_beside_one_that_is(
    photos: Path, tmp_path: Path, library: Path, model: Model
) -> None:
    before = described(library)
    (photos / "0").rename(tmp_path / "away")
    (photos / "0").mkdir()
    with pytest.raises(InputError, match="no picture") as refused:
        index_module.index_folders([photos / "1", photos / "0"], library, model, aligned=True, workers=1)
    assert str(photos / "0") in str(refused.value) and str(photos / "1") not in str(refused.value)
    assert described(library) == before


def test_a_picture_that_has_gone_has_no_profile(photos: Path, library: Path, model: Model) -> None:
    with closing(Library(library)) as reader:
        with reader.state() as scores:
            before = scores.pictures.tolist()
        assert all(profile_in(reader, picture) is not None for picture in before)
        next(photos.rglob("3.png")).unlink()
        index(photos, library, model)
        with reader.state() as scores:
            (gone,) = set(before) - set(scores.pictures.tolist())
        assert profile_in(reader, gone) is None and profile_in(reader, before[-1] + 1) is None


def test_a_pattern_is_no_folder(photos: Path, tmp_path: Path, library: Path, model: Model) -> None:
    """A library could not tell what of it is gone."""
    with pytest.raises(InputError, match=r"\[01\] does not exist"):
        index(photos / "[01]", library, model)
    with pytest.raises(InputError, match=r"\* does not exist"):
        index(photos / "*", tmp_path / "new", model)
    assert not (tmp_path / "new").exists()


def test_what_could_not_be_opened_stays_while_another_folder_is_indexed(
    photos: Path, tmp_path: Path, library: Path, model: Model
) -> None:
    (photos / "lost.png").symlink_to(photos / "nowhere.png")
    assert index(photos, library, model).failed == 1
    draw(tmp_path / "other" / "new.png", 62)
    assert index(tmp_path / "other", library, model).failed == 1
    assert "lost.png" in names(library)


def test_what_cannot_be_read_is_told_once_and_tried_again_when_it_changes(
    photos: Path, library: Path, model: Model
) -> None:
    (photos / "bad.png").write_bytes(b"noise")
    (photos / "lost.png").symlink_to(photos / "nowhere.png")
    done = index(photos, library, model)
    assert (done.new, done.failed, len(done.reasons)) == (2, 2, 2)
    done = index(photos, library, model)
    assert (done.new, done.failed) == (1, 2), "what could not be opened is tried again, what is no picture is not"
    draw(photos / "bad.png", 60)
    draw(photos / "nowhere.png", 61)
    assert index(photos, library, model).failed == 0


def test_what_could_not_be_opened_for_its_digest_is_without_faces_until_it_can(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: bytes) -> bytes:
        return b"" if path.endswith((b"3.png", b"7.png")) else digest_of(path)

    with monkeypatch.context() as patched:
        patched.setattr(changes_module, "digest_of", failing)
        done = index(photos, tmp_path / "library", model)
    assert (done.photographs, done.faces, done.failed) == (10, 8, 2)
    assert "3.png could not be opened" in done.reasons[0]
    failed = [path for path, (_, error, _) in described(tmp_path / "library").items() if error]
    assert [Path(path).name for path in failed] == ["3.png", "7.png"]
    assert index(photos, tmp_path / "library", model).new == 2
    index(photos, tmp_path / "whole", model)
    assert described(tmp_path / "library") == described(tmp_path / "whole")


def test_a_picture_that_went_in_without_a_digest_goes_out_with_its_scores(
    library: Path, photos: Path, model: Model
) -> None:
    before = described(library)
    with closing(open_store(library)) as store:
        store.execute("UPDATE pictures SET digest = x'' WHERE CAST(path AS TEXT) LIKE '%3.png'")
    assert index(photos, library, model).new == 1
    assert described(library) == before


def test_a_name_that_is_no_text_comes_back(photos: Path, library: Path, model: Model) -> None:
    odd = os.fsdecode(os.fsencode(photos) + b"/\xff\n-.png")
    try:
        draw(photos / "plain.png", 40)
        (photos / "plain.png").rename(odd)
    except OSError:
        pytest.skip("this file system knows text only")
    assert index(photos, library, model).new == 1
    opened = Library(library)
    with opened.state() as scores:
        assert Path(odd) in [opened.path(int(picture)) for picture in scores.pictures]
    opened.close()


def test_ctrl_c_keeps_what_is_done_and_the_same_call_goes_on(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_BATCH", 4)
    monkeypatch.setattr(folder_module, "_CHUNK_OF_CROPS", 1)
    with monkeypatch.context() as patched:
        patched.setattr(folder_module, "analyze", Stopping(7, KeyboardInterrupt()))
        with pytest.raises(StoppedError, match="goes on"):
            index(photos, tmp_path / "library", model)
    assert len(described(tmp_path / "library")) == 4, "the first batch is there, of the second nothing is"
    monkeypatch.setattr(folder_module, "analyze", counting := Stopping(None))
    assert index(photos, tmp_path / "library", model).photographs == 10
    assert counting.calls == 4, "of the second batch two were in the journal"
    left = {path.name for path in (tmp_path / "library").iterdir()}
    assert left <= {"library.sqlite", "library.sqlite-wal", "library.sqlite-shm", "lock", "scores"}


def test_a_batch_begun_with_other_versions_is_begun_anew(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "_CHUNK_OF_CROPS", 1)
    with monkeypatch.context() as patched:
        patched.setattr(folder_module, "analyze", Stopping(7, KeyboardInterrupt()))
        with pytest.raises(StoppedError):
            index(photos, tmp_path / "library", model)
    monkeypatch.setattr("facelocus.photos.request.versions", lambda *_: {"python": "4.0"})
    assert index(photos, tmp_path / "library", model).photographs == 10


def test_processes_give_the_same_library(photos: Path, tmp_path: Path, library: Path, model: Model) -> None:
    index(photos, tmp_path / "other", model, workers=2)
    assert described(tmp_path / "other") == described(library)


@pytest.mark.parametrize("change", ["model", "aligned", "file", "folder"])
def test_what_does_not_fit_the_library_is_refused_and_changes_nothing(
    photos: Path, tmp_path: Path, library: Path, model: Model, change: str
) -> None:
    before = described(library)
    asked: dict[str, Any] = {"folders": [photos], "library": library, "model": model, "aligned": True, "workers": 1}
    if change == "model":
        asked["model"] = Model.load(write_model(tmp_path / "other.onnx", masks=False), threads=1)
    elif change == "aligned":
        asked["aligned"] = False
    elif change == "file":
        asked["folders"] = [photos / "0" / "0.png"]
    else:
        asked["library"] = photos
    with pytest.raises(FacelocusError):
        index_module.index_folders(**asked)
    assert described(library) == before
    assert sorted(path.name for path in photos.iterdir()) == ["0", "1"]


def test_a_second_writer_is_refused(photos: Path, library: Path, model: Model) -> None:
    with index_module._held(library), pytest.raises(UsageError, match="another process"):
        index(photos, library, model)


def test_a_library_that_may_only_be_read_is_refused_in_one_line(
    photos: Path, library: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(index_module.FileLock, "acquire", denied)
    with pytest.raises(StorageError, match=r"library: cannot be written \(Permission denied\)"):
        index(photos, library, model)


def test_a_full_disk_of_temporary_files_is_told_of_in_one_line_and_changes_nothing(
    photos: Path, library: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(folder: Path, *, to_write: bool = False) -> sqlite3.Connection:
        store = open_store(folder, to_write=to_write)
        store.execute("CREATE TEMP TABLE full (x)")
        store.execute("PRAGMA temp.max_page_count = 2")
        return store

    before = described(library)
    with monkeypatch.context() as patched:
        patched.setattr(index_module, "open_store", opened)
        with pytest.raises(StorageError, match=r"full.*TMPDIR"):
            index(photos, library, model)
    assert described(library) == before
