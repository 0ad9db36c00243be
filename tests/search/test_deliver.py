"""Pictures are gathered whole, under names that are free; nothing is written over."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facelocus.errors import StorageError
from facelocus.search.deliver import Delivered, copy_pictures, link_pictures


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    found = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        found.append(tmp_path / folder / "x.jpg")
        found[-1].write_bytes(folder.encode() * 1000)
    return found


def test_copies_have_names_of_their_own_and_are_made_once(photos: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "to" / "here"
    folder.mkdir(parents=True)
    (folder / "x.jpg").write_bytes(b"mine")
    assert copy_pictures(photos, folder).put == 2
    again = copy_pictures(photos, folder)
    assert (again.put, again.there) == (0, 2)
    assert {path.name: path.read_bytes()[:4] for path in folder.iterdir()} == {
        "x.jpg": b"mine",
        "x-2.jpg": b"aaaa",
        "x-3.jpg": b"bbbb",
    }


def test_links_lead_to_the_pictures(photos: list[Path], tmp_path: Path) -> None:
    assert link_pictures(photos, tmp_path / "to").put == 2
    assert link_pictures(photos, tmp_path / "to").there == 2
    assert [path.readlink() for path in sorted((tmp_path / "to").iterdir())] == [photos[1], photos[0]]


def test_what_is_gone_is_told_and_the_rest_goes_on(photos: list[Path], tmp_path: Path) -> None:
    photos[0].unlink()
    done = copy_pictures(photos, tmp_path / "to")
    assert done.put == 1
    assert len(done.failed) == 1 and str(photos[0]) in done.failed[0]


@pytest.mark.parametrize("deliver", [copy_pictures, link_pictures])
@pytest.mark.parametrize("asked", ["open", "is_file"])
def test_what_may_not_be_read_is_told_and_the_rest_goes_on(
    photos: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    deliver: Callable[[list[Path], Path], Delivered],
    asked: str,
) -> None:
    allowed = getattr(Path, asked)

    def denied(path: Path, *arguments: Any) -> Any:
        if path == photos[0]:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return allowed(path, *arguments)

    monkeypatch.setattr(Path, asked, denied)
    done = deliver(photos, tmp_path / "to")
    assert done.put == 1
    assert done.failed == [f"{photos[0]} cannot be read (Permission denied): change its permissions"]
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["x.jpg"]


def test_a_full_disk_leaves_no_part_of_a_file(
    photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: str) -> None:
        Path(target).write_bytes(b"part")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(StorageError, match="No space left"):
        copy_pictures(photos, tmp_path / "to")
    assert list((tmp_path / "to").iterdir()) == []


def test_where_there_are_no_hard_links_nothing_is_written_over_either(
    photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", none)
    assert copy_pictures(photos, tmp_path / "to").put == 2
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == ["x-2.jpg", "x.jpg"]
