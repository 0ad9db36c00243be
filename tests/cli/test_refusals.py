"""Every refusal on the command line: one line on stderr, the right exit code, nothing half-written, no traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from facelocus import analyze
from facelocus.cli import main
from facelocus.data import packing
from facelocus.errors import ModelFileError
from faces import draw_face, write_celeba
from small_model import write_model

Command = Callable[[Path], list[str]]


def _small(folder: Path) -> list[str]:
    return ["--model", str(write_model(folder / "small.onnx"))]


def _swapped_labels(folder: Path) -> Path:
    celeba = write_celeba(folder / "celeba", 15)
    partition = next(celeba.rglob("list_eval_partition.txt"))
    first, second, *rest = partition.read_text().splitlines()
    partition.write_text("\n".join([second, first, *rest]) + "\n")
    return celeba


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


#: No system has such a name; to look it up fails, as it does in a folder that may not be looked into.
LONG = 300 * "x"

#: What is typed, the exit code, and words of the line that answers it.
CASES: dict[str, tuple[Command, int, str]] = {
    "photo missing": (lambda d: ["analyze", str(d / "no.jpg"), *_small(d)], 1, "no.jpg"),
    "photo is a folder": (lambda d: ["analyze", str(d), *_small(d)], 1, "folder"),
    "out is a device": (
        lambda d: ["evaluate", str(write_celeba(d / "c", 15)), "--json", os.devnull, *_small(d)],
        2,
        "is a device or a pipe: name a file",
    ),
    "photo is empty": (lambda d: ["analyze", str(_file(d / "e.jpg", b"")), *_small(d)], 1, "e.jpg"),
    "photo is noise": (lambda d: ["analyze", str(_file(d / "n.jpg", bytes(range(256)))), *_small(d)], 1, "n.jpg"),
    "model missing": (lambda d: ["evaluate", str(d), "--model", str(d / "no.onnx")], 1, "no.onnx"),
    "model unknown": (lambda d: ["analyze", "x.jpg", "--model", "defalt"], 1, "defalt"),
    "data missing": (lambda d: ["evaluate", str(d / "no"), *_small(d)], 1, "no"),
    "data not CelebA": (lambda d: ["data", "pack", str(d), str(d / "pack")], 1, "list_attr_celeba.txt"),
    "labels in another order": (
        lambda d: ["data", "pack", str(_swapped_labels(d)), str(d / "pack")],
        1,
        "list_eval_partition.txt",
    ),
    "split unknown": (
        lambda d: ["evaluate", str(write_celeba(d / "c", 15)), "--split", "tset", *_small(d)],
        2,
        "train, validation, test",
    ),
    "recipe unknown": (lambda d: ["train", "defalt", "--data", str(d), "--to", str(d / "run")], 2, "'default'"),
    "recipe key unknown": (
        lambda d: ["train", "default", "--data", str(d), "--to", str(d / "run"), "--set", "optimizer.rat=1"],
        2,
        "'optimizer.rate'",
    ),
    "recipe value of another type": (
        lambda d: ["train", "default", "--data", str(d), "--to", str(d / "run"), "--set", "batch_size=many"],
        2,
        "batch_size",
    ),
    "table's name too long": (lambda d: ["analyze", "a.jpg", "--out", str(d / f"{LONG}.csv")], 2, "too long"),
    "model's name too long": (lambda d: ["analyze", "a.jpg", "--model", LONG], 1, "xxx"),
    "model's path too long": (lambda d: ["analyze", "a.jpg", "--model", str(d / f"{LONG}.onnx")], 1, "too long"),
    "data's name too long": (lambda d: ["evaluate", str(d / LONG), *_small(d)], 1, "xxx"),
    "library's name too long": (lambda d: ["search", str(d / LONG), "smiling"], 1, "xxx"),
    "Pack's name too long": (lambda d: ["data", "pack", str(write_celeba(d / "c", 15)), str(d / LONG)], 1, "too long"),
    "run unfinished": (lambda d: ["export", str(d), str(d / "m.onnx")], 1, "not a run"),
    "model in no folder": (lambda d: ["export", str(d), str(d / "no" / "m.onnx")], 2, "OUT"),
}


def _refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int | str | None, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    error = capsys.readouterr().err
    assert "Traceback" not in error
    lines = error.splitlines()
    assert len(lines) == 1, error
    return ended.value.code, lines[0]


@pytest.mark.parametrize("case", CASES)
def test_refusal_is_one_line(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command, code, words = CASES[case]
    arguments = command(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    ended, line = _refused(arguments, capsys)
    assert ended == code
    assert words in line and "internal error" not in line
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_where_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "default", "--data", str(tmp_path), "--to", str(tmp_path / "run"), "--device", "cuda"]
    ended, line = _refused(arguments, capsys)
    assert ended == 2
    assert "use --device cpu" in line


def test_disk_full_while_packing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    celeba = write_celeba(tmp_path / "celeba", 15)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packing, "create_frames", full)
    ended, line = _refused(["data", "pack", str(celeba), str(tmp_path / "pack")], capsys)
    assert ended == 1
    assert "pack" in line and "free" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["celeba"]


def test_two_billion_pixels_are_refused_from_the_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # A valid BMP header alone: 50,000 x 40,000.
    Image.fromarray(np.zeros((1, 1, 3), np.uint8)).save(tmp_path / "huge.bmp")
    content = bytearray((tmp_path / "huge.bmp").read_bytes())
    content[18:22], content[22:26] = (50_000).to_bytes(4, "little"), (40_000).to_bytes(4, "little")
    (tmp_path / "huge.bmp").write_bytes(content)
    ended, line = _refused(["analyze", str(tmp_path / "huge.bmp"), *_small(tmp_path)], capsys)
    assert ended == 1
    assert "huge.bmp" in line and "pixels" in line


def test_a_name_of_two_lines_makes_no_two_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended, line = _refused(["analyze", str(tmp_path / "no\nsuch\x1b.png"), *_small(tmp_path)], capsys)
    assert ended == 1
    assert "no\\nsuch\\x1b.png does not exist" in line


def test_no_model_has_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no model is named 'xxx"):
        analyze(draw_face(1), model=LONG)


def test_debug_shows_where(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError):
        main(["evaluate", str(tmp_path), "--debug", "--model", str(tmp_path / "no.onnx")])


def test_a_bug_is_one_line_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug\nin two lines")

    monkeypatch.setattr(packing, "create_frames", broken)
    celeba = write_celeba(tmp_path / "celeba", 15)
    ended, line = _refused(["data", "pack", str(celeba), str(tmp_path / "pack")], capsys)
    assert ended == 1
    assert "internal error, ZeroDivisionError a bug" in line and "--debug" in line


@pytest.mark.parametrize("arguments", [["--version"], ["data", "--help"]])
def test_where_whoever_reads_has_gone_it_ends_quietly_with_a_code_of_its_own(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "facelocus", *arguments]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_ctrl_c_is_told_by_the_exit_code_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(packing, "create_frames", stopped)
    with pytest.raises(SystemExit) as ended:
        main(["data", "pack", str(write_celeba(tmp_path / "celeba", 15)), str(tmp_path / "pack")])
    assert (ended.value.code, capsys.readouterr().err) == (130, "")
