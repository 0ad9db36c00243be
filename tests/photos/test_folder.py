"""Many photographs to one table: the same rows on any number of cores, whatever some are, and however it ends."""

from __future__ import annotations

import csv
import errno
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from PIL import Image

from facelocus.errors import FacelocusError, ImageError, ModelFileError, StoppedError, StorageError, UsageError
from facelocus.model import Model
from facelocus.photos import folder as folder_module
from facelocus.photos import journal as journal_module
from facelocus.photos import request as request_module
from facelocus.photos.analyze import analyze, analyze_many
from facelocus.photos.folder import analyze_folder, progress_of
from facelocus.photos.journal import partial
from facelocus.photos.listing import Arguments
from facelocus.photos.request import Request, Summary
from facelocus.photos.sidecar import sidecar_of
from faces import draw_face
from small_model import SMALL, write_model

COUNT = 30


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.load(write_model(tmp_path_factory.mktemp("model") / "small.onnx"), threads=1)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """30 crops of which two cannot be read, in tasks of four."""
    folder = tmp_path / "photos"
    for number in range(COUNT):
        place = folder / f"{number // 10}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_face(number)).save(place / f"{number:02}.png")
    (folder / "0" / "03.png").write_bytes(b"")
    (folder / "1" / "11.png").write_bytes(b"noise")
    monkeypatch.setattr(folder_module, "_CHUNK_OF_CROPS", 4)
    return folder


def crops(model: Model, **options: Any) -> Request:
    return Request.of(model, aligned=True, **options)


def run(photos: Path, out: Path, request: Request, workers: int = 1) -> Summary:
    return analyze_folder(Arguments([str(photos)]), out, request, workers)


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_row_is_what_analyze_says_and_a_bad_picture_is_a_row_with_its_reason(
    photos: Path, tmp_path: Path, model: Model
) -> None:
    summary = run(photos, tmp_path / "t.jsonl", crops(model))
    rows = lines(tmp_path / "t.jsonl")
    expected = dict(analyze_many(sorted(photos.rglob("*.png")), model=model, aligned=True))
    assert [row["path"] for row in rows] == [str(path) for path in expected]
    for row, result in zip(rows, expected.values(), strict=True):
        if isinstance(result, FacelocusError):
            assert (row["face"], row["error_type"], row["error"]) == (0, "ImageError", str(result))
        else:
            assert (row["face"], row["faces"], row["error"]) == (1, 1, None)
            assert {name: row[name] for name in SMALL.names} == result[0].to_json()["attributes"]
    assert (summary.photographs, summary.faces, summary.faceless, summary.failed) == (COUNT, COUNT - 2, 0, 2)
    assert summary.reasons == [row["error"] for row in rows if row["error"]]
    assert listed(tmp_path) == ["photos", "t.jsonl"]


def test_photographs_give_a_row_a_face_and_one_where_there_is_none(
    portrait_file: Path, tmp_path: Path, model: Model
) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    copyfile(portrait_file, folder / "b.jpg")
    Image.new("RGB", (80, 80)).save(folder / "a.png")
    with Image.open(portrait_file) as one:
        two = Image.new("RGB", (2 * one.width, one.height))
        two.paste(one, (0, 0))
        two.paste(one, (one.width, 0))
        two.save(folder / "c.png")
    summary = run(folder, tmp_path / "t.jsonl", Request.of(model))
    rows = lines(tmp_path / "t.jsonl")
    assert [(Path(row["path"]).name, row["face"], row["faces"]) for row in rows] == [
        ("a.png", 0, 0),
        ("b.jpg", 1, 1),
        ("c.png", 1, 2),
        ("c.png", 2, 2),
    ]
    assert (summary.faces, summary.faceless, summary.failed) == (3, 1, 0)
    (face,) = analyze(folder / "b.jpg", model=model)
    assert face.landmarks is not None
    assert [rows[1]["nose_x"], rows[1]["nose_y"]] == pytest.approx(face.landmarks[2], abs=0.01)
    assert 0.9 < rows[1]["score"] <= 1


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_the_bytes_do_not_depend_on_the_number_of_workers(
    photos: Path, tmp_path: Path, model: Model, ending: str
) -> None:
    for workers in (1, 2) if ending == ".csv" else (1, 1):
        (tmp_path / f"t{ending}").unlink(missing_ok=True)
        before = locals().get("content")
        run(photos, tmp_path / f"t{ending}", crops(model), workers)
        content = (tmp_path / f"t{ending}").read_bytes()
        assert before in (None, content)


class Stopping:
    """analyze, but the call of this number raises; counts the calls."""

    def __init__(self, call: int | None, error: BaseException | None = None) -> None:
        self.call, self.error, self.calls = call, error, 0

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        if self.calls == self.call and self.error is not None:
            raise self.error
        return analyze(*arguments, **options)


def stop(photos: Path, out: Path, request: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(folder_module, "analyze", Stopping(15, KeyboardInterrupt()))
        with pytest.raises(StoppedError, match=r"stopped after 12 of 30 photographs: the same command goes on"):
            run(photos, out, request)
    assert not out.exists()


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


def test_nothing_is_left_where_there_is_nothing_to_analyze(photos: Path, tmp_path: Path, model: Model) -> None:
    with pytest.raises(FacelocusError, match="does not exist"):
        run(tmp_path / "gone", tmp_path / "t.csv", crops(model))
    assert listed(tmp_path) == ["photos"]


def test_a_second_process_is_refused(photos: Path, tmp_path: Path, model: Model, monkeypatch: Any) -> None:
    out, begun, go_on = tmp_path / "t.csv", threading.Event(), threading.Event()

    def slow(*arguments: Any, **options: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return analyze(*arguments, **options)

    monkeypatch.setattr(folder_module, "analyze", slow)
    first = threading.Thread(target=run, args=(photos, out, crops(model)))
    first.start()
    assert begun.wait(20)
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


def test_a_bug_met_by_one_photograph_is_a_row_too(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "analyze", Stopping(5, ZeroDivisionError("a bug\nin two lines")))
    summary = run(photos, tmp_path / "t.jsonl", crops(model))
    assert (summary.photographs, summary.failed) == (COUNT, 3)
    (row,) = [row for row in lines(tmp_path / "t.jsonl") if row["error_type"] == "ZeroDivisionError"]
    assert row["error"].startswith(row["path"]) and "\n" not in row["error"]


def test_a_model_file_that_changes_meanwhile_is_refused(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_model(tmp_path / "m.onnx")
    request = crops(Model.load(file, threads=1))
    write_model(file, masks=False)
    with pytest.raises(ModelFileError, match="another file than when the run began"):
        run(photos, tmp_path / "t.csv", request)


def test_sidecars_and_drawings_are_made_on_the_way(photos: Path, tmp_path: Path, model: Model) -> None:
    for path in sorted(photos.glob("?/*[4-9].png")) + sorted(photos.glob("[12]/*")):
        path.unlink(missing_ok=True)
    copyfile(photos / "0" / "00.png", photos / "2" / "01.png")
    kept = sidecar_of(photos / "0" / "02.png")
    kept.write_text("mine")
    before = {path: path.read_bytes() for path in photos.rglob("*.png")}
    summary = run(photos, tmp_path / "t.csv", crops(model, sidecars=True, drawings=tmp_path / "drawn"))
    assert summary.sidecars_left == 1
    assert kept.read_text() == "mine"
    assert len(list(photos.rglob("*.xmp"))) == 4
    assert not sidecar_of(photos / "0" / "03.png").exists(), "it could not be read"
    assert {path: path.read_bytes() for path in photos.rglob("*.png")} == before
    names = [f"{number:02}.facelocus.png" for number in range(3)]
    assert listed(tmp_path / "drawn") == sorted([*names, "01-2.facelocus.png"])


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


def test_errors_come_back_from_worker_processes(photos: Path, tmp_path: Path, model: Model) -> None:
    summary = run(photos, tmp_path / "t.jsonl", crops(model), workers=2)
    assert summary.failed == 2
    assert {row["error_type"] for row in lines(tmp_path / "t.jsonl")} == {None, ImageError.__name__}


def test_a_photograph_that_kills_its_process_is_a_row_and_the_others_are_as_ever(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(photos, tmp_path / "whole.jsonl", crops(model), workers=2)
    # What a new interpreter runs first: in it two of the photographs are deadly.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal\n"
        "from facelocus.photos import folder\n"
        "analyze = folder.analyze\n"
        "def deadly(photo, **options):\n"
        "    if photo.name in ('05.png', '22.png'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return analyze(photo, **options)\n"
        "folder.analyze = deadly\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    summary = run(photos, tmp_path / "killed.jsonl", crops(model), workers=2)
    assert (summary.photographs, summary.failed) == (COUNT, 4)
    for one, other in zip(lines(tmp_path / "whole.jsonl"), lines(tmp_path / "killed.jsonl"), strict=True):
        if Path(one["path"]).name in ("05.png", "22.png"):
            assert (other["face"], other["error_type"]) == (0, "WorkerError")
            assert "crashes what reads it" in other["error"]
        else:
            assert other == one


def test_faces_of_little_trust_are_left_out(photos: Path, tmp_path: Path, model: Model) -> None:
    trust = [row["quality_trust"] for row in lines_of(photos, tmp_path / "all.jsonl", crops(model)) if row["face"]]
    limit = sorted(trust)[len(trust) // 2]
    kept = [
        row["quality_trust"]
        for row in lines_of(photos, tmp_path / "kept.jsonl", crops(model, min_quality=limit))
        if row["face"]
    ]
    assert kept == [value for value in trust if value >= limit]
    assert 0 < len(kept) < len(trust)


def lines_of(photos: Path, out: Path, request: Request) -> list[dict[str, Any]]:
    run(photos, out, request)
    return lines(out)
