"""Many photographs to one table: the same rows on any number of cores, whatever some are, and however it ends."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import pytest
from PIL import Image

from facelocus.errors import FacelocusError, ImageError
from facelocus.model import Model
from facelocus.photos import folder as folder_module
from facelocus.photos.analyze import analyze, analyze_many
from facelocus.photos.request import Options, Request
from facelocus.photos.sidecar import sidecar_of
from folder_runs import COUNT, Stopping, crops, first_in_workers, lines, lines_of, listed, run
from small_model import SMALL


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
    summary = run(folder, tmp_path / "t.jsonl", Request.of(model, Options()))
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


def test_nothing_is_left_where_there_is_nothing_to_analyze(photos: Path, tmp_path: Path, model: Model) -> None:
    with pytest.raises(FacelocusError, match="does not exist"):
        run(tmp_path / "gone", tmp_path / "t.csv", crops(model))
    assert listed(tmp_path) == ["photos"]


def test_a_bug_met_by_one_photograph_is_a_row_too(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "analyze", Stopping(5, ZeroDivisionError("a bug\nin two lines")))
    summary = run(photos, tmp_path / "t.jsonl", crops(model))
    assert (summary.photographs, summary.failed) == (COUNT, 3)
    (row,) = [row for row in lines(tmp_path / "t.jsonl") if row["error_type"] == "ZeroDivisionError"]
    assert row["error"].startswith(row["path"]) and "\n" not in row["error"]


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


def test_errors_come_back_from_worker_processes(photos: Path, tmp_path: Path, model: Model) -> None:
    summary = run(photos, tmp_path / "t.jsonl", crops(model), workers=2)
    assert summary.failed == 2
    assert {row["error_type"] for row in lines(tmp_path / "t.jsonl")} == {None, ImageError.__name__}


def test_a_photograph_that_kills_its_process_is_a_row_and_the_others_are_as_ever(
    photos: Path, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(photos, tmp_path / "whole.jsonl", crops(model), workers=2)
    first_in_workers(
        "import os, signal\n"
        "from facelocus.photos import folder\n"
        "analyze = folder.analyze\n"
        "def deadly(photo, **options):\n"
        "    if photo.name in ('05.png', '22.png'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return analyze(photo, **options)\n"
        "folder.analyze = deadly\n",
        tmp_path / "first",
        monkeypatch,
    )
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
    # Between two that differ, as rows hold rounded values.
    *_, below, above = sorted(set(trust))[: len(set(trust)) // 2 + 1]
    limit = (below + above) / 2
    kept = [
        row["quality_trust"]
        for row in lines_of(photos, tmp_path / "kept.jsonl", crops(model, min_quality=limit))
        if row["face"]
    ]
    assert kept == [value for value in trust if value >= limit]
    assert [row["faces"] for row in lines(tmp_path / "kept.jsonl") if not row["error"]] == [
        int(value >= limit) for value in trust
    ], "`faces` counts rows"
    assert 0 < len(kept) < len(trust)
