"""A run over a folder that is stopped goes on; what is of another run, or of the user, is refused and kept."""

from __future__ import annotations

import csv
import errno
import multiprocessing.context
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from facelocus.errors import ModelFileError, StorageError, UsageError, WorkerError
from facelocus.model import Model
from facelocus.photos import folder as folder_module
from facelocus.photos import journal as journal_module
from facelocus.photos import request as request_module
from facelocus.photos.analyze import analyze
from facelocus.photos.folder import analyze_folder, progress_of
from facelocus.photos.journal import partial
from facelocus.photos.listing import Arguments
from folder_runs import COUNT, Stopping, crops, first_in_workers, lines, listed, run, stop
from small_model import write_model


def test_ctrl_c_keeps_what_is_done_and_the_same_call_goes_on(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(photos, tmp_path / "whole.csv", crops(model))
    stop(photos, tmp_path / "t.csv", crops(model), monkeypatch)
    assert progress_of(Arguments([str(photos)]), tmp_path / "t.csv", crops(model)) == (12, COUNT)
    monkeypatch.setattr(folder_module, "analyze", again := Stopping(None))
    assert run(photos, tmp_path / "t.csv", crops(model)) == whole, "the summary is of all photographs"
    assert again.calls == COUNT - 12
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert listed(tmp_path) == ["photos", "t.csv", "whole.csv"]


def test_what_comes_into_the_folder_meanwhile_is_not_looked_for(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(photos, tmp_path / "t.jsonl", crops(model), monkeypatch)
    copyfile(photos / "0" / "00.png", photos / "0" / "00a.png")
    (photos / "2" / "29.png").unlink()
    run(photos, tmp_path / "t.jsonl", crops(model))
    rows = lines(tmp_path / "t.jsonl")
    assert len(rows) == COUNT
    assert "29.png does not exist" in rows[-1]["error"]


def test_a_line_that_was_cut_short_or_is_noise_is_made_again(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(photos, tmp_path / "whole.csv", crops(model))
    for number, tail in enumerate([b'{"faces": [[', b"\0" * 40 + b"\n", b"7\n", b"\xff\xfe\n{}\n"]):
        out = tmp_path / f"t{number}.csv"
        stop(photos, out, crops(model), monkeypatch)
        with (partial(out) / "rows.jsonl").open("ab") as rows:
            rows.write(tail)
        run(photos, out, crops(model))
        assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.parametrize(
    ("change", "what"),
    [("options", "options"), ("arguments", "arguments"), ("model", "model"), ("versions", "versions")],
)
def test_a_journal_of_another_run_is_refused_and_kept(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch, change: str, what: str
) -> None:
    out, request, arguments = tmp_path / "t.csv", crops(model), Arguments([str(photos)])
    stop(photos, out, request, monkeypatch)
    before = {path.name: path.read_bytes() for path in partial(out).iterdir()}
    if change == "options":
        request = crops(model, flip=True)
    elif change == "arguments":
        arguments = Arguments([str(photos / "0")])
    elif change == "model":
        other = write_model(tmp_path / "other.onnx", masks=False)
        request = crops(Model.load(other, threads=1))
    else:
        monkeypatch.setattr(request_module, "versions", lambda *_: {"python": "4.0"})
    for call in (analyze_folder, progress_of):
        with pytest.raises(UsageError, match=f"was begun with other {what}: repeat that command") as refused:
            call(arguments, out, request, *([1] if call is analyze_folder else []))
        assert str(partial(out)) in str(refused.value)
    assert {path.name: path.read_bytes() for path in partial(out).iterdir()} == before
    assert not out.exists()


def test_a_table_that_is_there_is_refused_and_kept(photos: Path, tmp_path: Path, model: Model) -> None:
    (tmp_path / "t.csv").write_text("mine")
    for call in (analyze_folder, progress_of):
        with pytest.raises(UsageError, match="is there already"):
            call(Arguments([str(photos)]), tmp_path / "t.csv", crops(model), *([1] if call is analyze_folder else []))
    assert (tmp_path / "t.csv").read_text() == "mine"
    assert listed(tmp_path) == ["photos", "t.csv"]


def test_a_table_that_comes_meanwhile_is_not_written_over(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "t.csv"
    stop(photos, out, crops(model), monkeypatch)
    out.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        run(photos, out, crops(model))
    assert out.read_text() == "mine"
    out.unlink()
    assert run(photos, out, crops(model)).photographs == COUNT


@pytest.mark.parametrize("cleared", [(), ("listing.jsonl",), ("listing.jsonl", "rows.jsonl")])
def test_killed_while_it_clears_up_the_table_stands(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch, cleared: tuple[str, ...]
) -> None:
    out = tmp_path / "t.csv"
    with monkeypatch.context() as patched:
        patched.setattr(journal_module.Journal, "clear", Stopping(1, StorageError("killed")))
        with pytest.raises(StorageError, match="killed"):
            run(photos, out, crops(model))
    content = out.read_bytes()
    for name in cleared:
        (partial(out) / name).unlink()
    if cleared:
        with pytest.raises(UsageError, match="is there already"):
            run(photos, out, crops(model))
    else:
        assert run(photos, out, crops(model)).photographs == COUNT
    assert out.read_bytes() == content
    assert listed(tmp_path) == ["photos", "t.csv"]


def test_a_second_process_is_refused(photos: Path, tmp_path: Path, model: Model, monkeypatch: Any) -> None:
    out, begun, go_on = tmp_path / "t.csv", threading.Event(), threading.Event()

    def slow(*arguments: Any, **options: Any) -> Any:
        begun.set()
        go_on.wait()
        return analyze(*arguments, **options)

    monkeypatch.setattr(folder_module, "analyze", slow)
    first = threading.Thread(target=run, args=(photos, out, crops(model)))
    first.start()
    begun.wait()
    with pytest.raises(UsageError, match="another process is making it"):
        run(photos, out, crops(model))
    go_on.set()
    first.join()
    with out.open(newline="", encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == COUNT + 1
    assert listed(tmp_path) == ["photos", "t.csv"]


@contextmanager
def full(monkeypatch: pytest.MonkeyPatch, name: str, after: int) -> Iterator[None]:
    """The disk is full at that call of a function of the journal's that writes."""
    original, calls = getattr(journal_module, name), []

    def failing(*arguments: Any) -> Any:
        calls.append(name)
        if len(calls) > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(journal_module, name, failing)
        yield


def test_a_full_disk_is_refused_with_nothing_half_written_and_goes_on(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(photos, tmp_path / "whole.csv", crops(model))
    out = tmp_path / "t.csv"
    with full(monkeypatch, "json_line", 3), pytest.raises(StorageError, match="No space left"):
        run(photos, out, crops(model))
    assert listed(tmp_path) == ["photos", "whole.csv"], "of a listing that is not whole nothing is left"

    with monkeypatch.context() as patched:
        patched.setattr(folder_module, "analyze", Stopping(15, StorageError("x.xmp: cannot be written")))
        with pytest.raises(StorageError):
            run(photos, out, crops(model))
    with monkeypatch.context() as patched:

        def failing(*_: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patched.setattr(folder_module, "write_table", failing)
        with pytest.raises(StorageError, match=r"t\.csv: cannot be written \(No space left"):
            run(photos, out, crops(model))
    assert not out.exists()
    assert listed(partial(out)) == ["listing.jsonl", "lock", "rows.jsonl"]
    run(photos, out, crops(model))
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="has no limit to set")
def test_a_full_disk_while_rows_are_added(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    run(photos, tmp_path / "whole.csv", crops(model))
    out = tmp_path / "t.csv"
    stop(photos, out, crops(model), monkeypatch)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((partial(out) / "rows.jsonl").stat().st_size + 500, hard))
    try:
        with pytest.raises(StorageError, match=r"t\.csv: cannot be written \(File too large\): .* it goes on"):
            run(photos, out, crops(model))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not out.exists()
    run(photos, out, crops(model))
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_model_file_that_changes_meanwhile_is_refused(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_model(tmp_path / "m.onnx")
    request = crops(Model.load(file, threads=1))
    write_model(file, masks=False)
    with pytest.raises(ModelFileError, match="another file than when the run began"):
        run(photos, tmp_path / "t.csv", request)


def test_a_run_that_goes_on_gives_drawings_the_same_names(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first photo of a name cannot be read, so that no drawing keeps its name."""
    for path in photos.rglob("*.png"):
        if path.name[1] != "3":
            path.rename(path.with_name(f"{path.name[1]}.png"))
    monkeypatch.setattr(folder_module, "write_drawing", lambda target, photo, *_: target.write_bytes(bytes(photo)))
    run(photos, tmp_path / "whole.csv", crops(model, drawings=tmp_path / "whole"))
    stop(photos, tmp_path / "t.csv", crops(model, drawings=tmp_path / "drawn"), monkeypatch)
    (tmp_path / "whole").rename(tmp_path / "compared")
    monkeypatch.setattr("facelocus.photos.drawings._photo_of", lambda _: None)
    for path in (tmp_path / "drawn").iterdir():
        path.unlink()
    run(photos, tmp_path / "t.csv", crops(model, drawings=tmp_path / "drawn"))
    compared = {path.name: path.read_bytes() for path in (tmp_path / "compared").iterdir()}
    for path in (tmp_path / "drawn").iterdir():
        assert compared[path.name] == path.read_bytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork")
def test_a_photograph_that_kills_the_one_process_is_a_row_when_the_same_call_goes_on(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = os.fork()
    if not pid:
        try:
            exec(DEADLY)
            run(photos, tmp_path / "t.jsonl", crops(model))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    first_in_workers(DEADLY, tmp_path / "first", monkeypatch)
    assert run(photos, tmp_path / "t.jsonl", crops(model)).failed == 3
    rows = lines(tmp_path / "t.jsonl")
    assert [Path(row["path"]).name for row in rows if row["error_type"] == "WorkerError"] == ["15.png"]
    assert len(rows) == COUNT
    assert not partial(tmp_path / "t.jsonl").exists()


DEADLY = """
import os, signal
from facelocus.photos import folder
analyze = folder.analyze
def deadly(photo, analyze=analyze, name="15.png", kill=os.kill, pid=os.getpid, how=signal.SIGKILL, **options):
    if photo.name == name:
        kill(pid(), how)
    return analyze(photo, **options)
folder.analyze = deadly
"""


def test_a_listing_that_a_power_cut_has_emptied_is_made_anew(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(photos, tmp_path / "whole.csv", crops(model))
    stop(photos, tmp_path / "t.csv", crops(model), monkeypatch)
    (partial(tmp_path / "t.csv") / "listing.jsonl").write_bytes(b"")
    assert progress_of(Arguments([str(photos)]), tmp_path / "t.csv", crops(model)) is None
    assert run(photos, tmp_path / "t.csv", crops(model)) == whole
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_listing_is_on_the_disk_before_it_has_its_name(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, fsync, replace, renamed = set(), os.fsync, Path.replace, []

    def note(handle: int) -> None:
        fsync(handle)
        synced.add((os.fstat(handle).st_ino, os.fstat(handle).st_size))

    def rename(path: Path, target: Path) -> Path:
        renamed.append((path.name, (path.stat().st_ino, path.stat().st_size) in synced))
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(Path, "replace", rename)
    run(photos, tmp_path / "t.csv", crops(model))
    assert renamed == [("listing.new", True), ("table", True)]


@pytest.mark.skipif(not hasattr(os, "kill"), reason="kills processes")
@pytest.mark.parametrize("how", ["killed", "refused"])
def test_no_photograph_is_blamed_where_workers_cannot_work_and_the_same_call_goes_on(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    whole = run(photos, tmp_path / "whole.csv", crops(model))
    with monkeypatch.context() as patched:
        if how == "killed":
            told = "a worker process was killed before it had work"
            first_in_workers(
                "import os, signal\n"
                "from facelocus.photos import folder\n"
                "folder.tools = lambda request: os.kill(os.getpid(), signal.SIGKILL)\n",
                tmp_path / "first",
                patched,
            )
        else:
            told = r"a worker process cannot be started \(Cannot allocate memory\)"
            patched.setattr(multiprocessing.context.SpawnProcess, "_Popen", staticmethod(no_memory))
        with pytest.raises(WorkerError, match=told) as refused:
            run(photos, tmp_path / "t.csv", crops(model), workers=2)
    assert "\n" not in str(refused.value)
    assert progress_of(Arguments([str(photos)]), tmp_path / "t.csv", crops(model)) == (0, COUNT)
    assert run(photos, tmp_path / "t.csv", crops(model)) == whole
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def no_memory(*_: Any) -> Any:
    raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
