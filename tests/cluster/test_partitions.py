"""Partitions without Ray: how photographs are listed, what an actor makes of them, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import fsspec
import numpy as np
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from facelocus.cli import app
from facelocus.cluster.partitions import Partitions, names_of, part, photographs
from facelocus.cluster.place import Place
from facelocus.cluster.worker import LIBRARIES, Analyst, told
from facelocus.errors import FacelocusError, InputError, MissingExtraError, StorageError, UsageError, WorkerError
from facelocus.photos.listing import Arguments
from facelocus.photos.request import Request, Summary
from facelocus.provenance import versions
from folder_runs import first_in_workers


@pytest.fixture
def analyst(request_of_crops: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Analyst:
    """An actor of this process, at tmp_path / "out"."""
    monkeypatch.setitem(vars(sys.modules["__main__"]), "__file__", "what is not Ray's program")
    return Analyst(str(tmp_path / "out"), request_of_crops, versions(*LIBRARIES))


def listed(place: str, *given: str, size: int = 40) -> Partitions:
    return Partitions.listed(Place(place), Arguments(given), {"arguments": list(given)}, size)


def made(analyst: Analyst, *numbers: int) -> list[Summary]:
    return list(map(told, analyst({"partition": np.array(numbers)})["told"]))


def test_a_listing_is_made_once_and_names_each_photograph_once_in_order(photos: Path, tmp_path: Path) -> None:
    first = listed(str(tmp_path / "out"), str(photos))
    (photos / "2" / "late.png").write_bytes(b"comes later")
    try:
        again = listed(str(tmp_path / "out"), str(photos))
    finally:
        (photos / "2" / "late.png").unlink()
    assert (
        (len(first), first.photographs, first.count(7))
        == (len(again), again.photographs, again.count(7))
        == (8, 300, 20)
    )
    names = [name for number in range(len(first)) for name in names_of(first.place, number)]
    assert names == [str(path) for path in Arguments([str(photos)]).photographs()]


def test_an_address_is_listed_like_a_folder(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (photos / ".hidden").mkdir(exist_ok=True)
    (photos / ".hidden" / "x.png").touch()
    (photos / "2" / "notes.txt").touch()
    names = [str(path) for path in Arguments([str(photos)]).photographs()]
    assert list(photographs(Arguments([f"file://{photos}/"]))) == [f"file://{name}" for name in names]
    monkeypatch.chdir(photos)
    assert list(photographs(Arguments(["1", "0"]))) == names[100:200] + names[:100]


def test_a_store_that_is_no_folder_is_written_to_alike(photos: Path) -> None:
    store = fsspec.filesystem("memory")
    for path in sorted((photos / "0").iterdir())[:12]:
        store.pipe_file(f"/album/{path.name}", path.read_bytes())
    far = listed("memory://faces", "memory://album", size=5)
    assert names_of(far.place, 2) == [f"memory:///album/{name}.png" for name in ("030", "033")]
    assert far.left() == [0, 1, 2]
    far.place.write(part(1), b"rows")
    assert far.left() == [0, 2]
    assert far.place.read(part(1)) == b"rows" and far.place.read(part(0)) is None
    store.pipe_file("/faces/.part-0000000.parquet.0123", b"cut sh")
    far.clear()
    assert far.place.names() == ["_facelocus", part(1)]


def test_an_actor_makes_the_rows_of_the_local_form_and_a_whole_partition_only_once(
    photos: Path, tmp_path: Path, analyst: Analyst, local_rows: pyarrow.Table
) -> None:
    partitions = listed(str(tmp_path / "out"), str(photos))
    first, _ = made(analyst, 0, 2)
    assert (first.photographs, first.faces, first.failed) == (40, 39, 1)
    assert first.reasons == [f"{photos}/0/033.png is empty: copy or export it again"]
    assert partitions.left() == [1, 3, 4, 5, 6, 7]
    for number in (0, 2):
        rows = pyarrow.parquet.read_table(tmp_path / "out" / part(number))
        assert rows.equals(local_rows.slice(40 * number, 40))
    before = (tmp_path / "out" / part(0)).stat().st_mtime_ns
    assert made(analyst, 0) == [first]
    assert (tmp_path / "out" / part(0)).stat().st_mtime_ns == before


def test_a_photograph_that_kills_its_process_is_a_row_and_the_others_are_as_ever(
    photos: Path, tmp_path: Path, analyst: Analyst, local_rows: pyarrow.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a new interpreter runs first: in it one of the photographs is deadly.
    first_in_workers(
        "import os, signal\n"
        "from facelocus.photos import folder\n"
        "analyze = folder.analyze\n"
        "def deadly(photo, **options):\n"
        "    if photo.name == '006.png':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return analyze(photo, **options)\n"
        "folder.analyze = deadly\n",
        tmp_path / "first",
        monkeypatch,
    )
    listed(str(tmp_path / "out"), str(photos), size=10)
    (summary,) = made(analyst, 0)
    assert (summary.photographs, summary.failed) == (10, 1)
    rows = pyarrow.parquet.read_table(tmp_path / "out" / part(0))
    assert rows["error_type"].to_pylist() == [None, None, "WorkerError", *[None] * 7]
    assert "crashes what reads it" in rows["error"][2].as_py()
    assert rows.slice(3).equals(local_rows.slice(3, 7))


def test_no_photograph_is_blamed_where_the_process_beside_an_actor_cannot_work(
    photos: Path, tmp_path: Path, analyst: Analyst, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_in_workers(
        "import os, signal\n"
        "from facelocus.photos import folder\n"
        "folder.tools = lambda request: os.kill(os.getpid(), signal.SIGKILL)\n",
        tmp_path / "first",
        monkeypatch,
    )
    listed(str(tmp_path / "out"), str(photos), size=10)
    with pytest.raises(WorkerError, match="a worker process was killed before it had work"):
        made(analyst, 0)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["_facelocus"]


def test_a_partition_that_cannot_be_written_leaves_nothing(
    photos: Path, tmp_path: Path, analyst: Analyst, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(str(tmp_path / "out"), str(photos / "0"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(StorageError, match=r"part-0000000\.parquet: cannot be written \(No space left"):
            made(analyst, 0)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["_facelocus"]


def test_machines_that_differ_are_refused(analyst: Analyst, monkeypatch: pytest.MonkeyPatch) -> None:
    here = versions(*LIBRARIES)
    monkeypatch.setattr("facelocus.cluster.worker.versions", lambda *_: here | {"numpy": "0.1"})
    with pytest.raises(UsageError, match=r"a machine has numpy 0\.1, not .*: install the same"):
        made(analyst, 0)


def test_another_run_and_other_files_are_left_alone(photos: Path, tmp_path: Path) -> None:
    listed(str(tmp_path / "out"), str(photos))
    with pytest.raises(UsageError, match="was begun with other partition"):
        listed(str(tmp_path / "out"), str(photos), size=41)
    with pytest.raises(UsageError, match="was begun with other arguments"):
        listed(str(tmp_path / "out"), str(photos / "1"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.parquet").touch()
    with pytest.raises(UsageError, match=r"holds a\.parquet, which is of no run"):
        listed(str(tmp_path / "mine"), str(photos))


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        (["file:///no/such/place"], InputError, "does not exist: check the address"),
        (["nosuch://album"], UsageError, "is no address"),
        (["file:///a", "b"], UsageError, "cannot be named together"),
        (["file:///a", "file:///a/b"], UsageError, "file:///a/b: is named twice, or lies within another"),
        (["zip://x::file:///a.zip"], UsageError, "an address within another"),
        (["memory://nothing-here"], InputError, "does not exist"),
    ],
)
def test_what_cannot_be_listed_is_refused_in_one_line(
    tmp_path: Path, given: list[str], kind: type[FacelocusError], told: str
) -> None:
    with pytest.raises(kind, match=told) as refused:
        listed(str(tmp_path / "out"), *given)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out" / "_facelocus" / "run.json").exists()


def test_a_store_without_its_driver_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingExtraError, match=r"s3://bucket/faces: its driver is not installed .*s3fs"):
        Place("s3://bucket/faces")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--ray"], "--ray writes a folder of tables: name it with --out"),
        (["--ray", "--out", "x", "--json"], "--json and --ray: choose one"),
        (["--ray", "--out", "x", "--write-xmp"], "--write-xmp and --ray"),
        (["--ray", "--out", "x", "--draw", "y"], "--draw and --ray"),
        (["--ray", "--out", "x", "--dry-run"], "--dry-run and --ray"),
        (["--ray", "--out", __file__], "is a file, and --ray writes a folder"),
        (["--out", "x.csv", "--partition", "5"], "--partition is of --ray"),
    ],
)
def test_options_that_make_no_sense_together_are_refused(photos: Path, options: list[str], told: str) -> None:
    done = CliRunner().invoke(app, ["analyze", str(photos), *options])
    assert isinstance(done.exception, UsageError)
    assert told in str(done.exception)
