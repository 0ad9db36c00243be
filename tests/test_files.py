"""Records are written whole, into folders that need not be there."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from facelocus.errors import StorageError
from facelocus.files import write_atomically, write_record


def test_a_record_makes_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "results" / "bench" / "step.json"
    write_record(file, {"images_per_second": [1, 2.5]})
    assert json.loads(file.read_text()) == {"images_per_second": [1, 2.5]}
    assert [file] == list(file.parent.iterdir())


def test_a_record_that_is_none_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "step.json"
    write_record(file, {"seed": 0})
    with pytest.raises(TypeError):
        write_record(file, {"seed": object()})
    assert json.loads(file.read_text()) == {"seed": 0}


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(StorageError, match=r"results: cannot be made \(File exists\)"):
        write_record(tmp_path / "results" / "step.json", {})


@pytest.mark.parametrize("repeated", [False, True])
def test_a_file_may_be_read_by_whom_the_user_lets(tmp_path: Path, repeated: bool) -> None:
    file = tmp_path / "face.xmp"
    before = os.umask(0o077)
    try:
        write_atomically(file, "new", repeated=repeated)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        os.umask(0o022)
        write_atomically(file, "old", repeated=repeated)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, "its mode stays"
        write_atomically(tmp_path / "other.xmp", "new", repeated=repeated)
        assert stat.S_IMODE((tmp_path / "other.xmp").stat().st_mode) == 0o644
    finally:
        os.umask(before)


@pytest.mark.parametrize("repeated", [False, True])
def test_a_link_stays_one(tmp_path: Path, repeated: bool) -> None:
    (tmp_path / "records").mkdir()
    link, target = tmp_path / "latest.json", tmp_path / "records" / "1.json"
    link.symlink_to(target)
    for content in ("new", "newer"):
        write_atomically(link, content, repeated=repeated)
        assert link.is_symlink() and target.read_text() == content
    assert [path.name for path in tmp_path.rglob("*.json")] == ["latest.json", "1.json"]


@pytest.mark.parametrize("repeated", [False, True])
def test_stopped_by_the_user_it_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repeated: bool
) -> None:
    def stopped(_: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "face.xmp").write_text("old")
    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "face.xmp", "new", repeated=repeated)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]
