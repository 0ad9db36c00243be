"""`facelocus data check` as it is typed: what it prints, writes and ends with."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from facelocus.cli import main
from layouts import write_class_folders, write_csv, write_face

ROWS = 84  # 42 of train, 22 of validation, 20 of test


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A table without a problem beside its pictures."""
    rows = [["path", "smiling", "glasses@eyes", "split"]]
    for seed in range(ROWS):
        write_face(tmp_path / f"{seed}.jpg", seed)
        split = ("train", "validation", "train", "test")[seed // 2 % 4]
        rows.append([f"{seed}.jpg", str(seed % 2), str(seed // 8 % 2), split])
    return write_csv(tmp_path / "faces.csv", rows)


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr without its progress bar."""
    with pytest.raises(SystemExit) as ended:
        main(["data", "check", *map(str, words), "--workers", "1"])
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.out, said.err


def test_a_clean_set_ends_with_0_and_says_what_it_is(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, faces)
    assert code == 0
    first, *lines = out.splitlines()
    assert first.startswith("table faces.csv, 84 aligned images, 2 attributes as 1/0, split as listed")
    assert ["train", "42", "42", "unknown"] in [line.split() for line in lines]
    assert "178 x 218 (84); 84 are aligned frames" in out
    assert ["glasses", "47.6", "45.5", "50.0", "0.0"] in [line.split() for line in lines]
    assert lines[-1] == "no problems"


def test_an_error_ends_with_1_and_ten_names_are_shown(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(12):
        (faces.parent / f"{seed}.jpg").unlink()
    everything = faces.parent / "check.json"
    code, out, _ = run(capsys, faces, "--json", everything)
    assert code == 1
    assert "error: missing (12): " in out
    assert f"  9.jpg: {faces} line 11\n  and 2 more (all of them in --json FILE)" in out
    assert out.splitlines()[-1] == "1 kind of error, no kinds of warning"
    (problem,) = json.loads(everything.read_text())["problems"]
    assert [item["names"] for item in problem["items"]] == [[f"{seed}.jpg"] for seed in range(12)]


def test_a_warning_alone_ends_with_0(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (faces.parent / "8.jpg").write_bytes((faces.parent / "0.jpg").read_bytes())
    code, out, _ = run(capsys, faces)
    assert code == 0
    assert "warning: duplicates in a split (1): " in out
    assert "  0.jpg = 8.jpg: train line 2, train line 10" in out


def test_a_label_called_like_a_column_of_results_is_told_before_training(
    faces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces.write_text(faces.read_text().replace("smiling", "score"))
    code, out, _ = run(capsys, faces)
    assert code == 0
    assert "warning: names taken (1): " in out and "  score: the detector's, 0 to 1\n" in out


def test_two_pictures_are_drawn(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, faces, "--draw", faces.parent / "new" / "drawn")
    assert code == 0
    for name in ("frequencies.png", "co_occurrence.png"):
        assert name in out
        with Image.open(faces.parent / "new" / "drawn" / name) as picture:
            assert min(picture.size) > 200


def test_what_cannot_be_done_is_refused_before_the_pictures_are_read(
    faces: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, error = run(capsys, faces, "--json", faces.parent / "no" / "check.json")
    assert (code, out) == (2, "") and error.startswith("facelocus: --json") and error.count("\n") == 1
    code, out, error = run(capsys, faces, "--draw", faces)
    assert (code, out) == (1, "") and "cannot be made" in error and error.count("\n") == 1
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, error = run(capsys, faces, "--draw", faces.parent / "drawn")
    assert (code, out) == (1, "") and "facelocus[demo]" in error and error.count("\n") == 1
    assert not (faces.parent / "drawn").exists()


@pytest.mark.skipif(os.name == "nt", reason="names are text on Windows")
def test_a_name_that_is_not_text_is_told_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = os.fsdecode(b"caf\xe9.png")
    data = write_class_folders(tmp_path / os.fsdecode(b"\xff"))
    try:
        (data / "happy" / odd).write_bytes(b"broken")
    except OSError:
        pytest.skip("this file system takes no such names")
    code, out, _ = run(capsys, data, "--json", tmp_path / "found.json")
    assert code == 1 and "  happy/caf\\udce9.png: is not a picture" in out
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert ["happy/" + odd] in [item["names"] for problem in found["problems"] for item in problem["items"]]
    (data / "happy" / odd).unlink()
    with pytest.raises(SystemExit) as ended:
        main(["data", "pack", str(data), str(tmp_path / os.fsdecode(b"\xfe")), "--workers", "1"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(str(tmp_path / "\\udcfe: 2 folders of classes"))
