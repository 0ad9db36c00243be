"""`facelocus doctor`: one line a check, exit code 1 if any fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from facelocus.cli.doctor import doctor
from facelocus.detection import golden
from facelocus.detection.detect import Detection, Detector
from facelocus.errors import ModelFileError
from facelocus.model import Model
from small_model import crops, write_golden, write_model


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(doctor)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def model(tmp_path: Path) -> Model:
    model = Model.load(write_model(tmp_path / "small.onnx"))
    right = model.predict(crops(2))
    assert right.masks is not None
    write_golden(model.path, crops(2), right.probabilities, right.masks)
    return model


def test_a_sound_installation_passes_with_versions_model_and_detector(model: Model) -> None:
    result = run("--model", model.path)
    lines = result.output.splitlines()
    assert result.exit_code == 0, result.output
    assert all(line.startswith("ok ") for line in lines)
    for words in (
        "python 3.",
        "facelocus 0.",
        f"numpy {np.__version__}",
        model.sha256,
        "agree within",
        "detector",
    ):
        assert words in result.output


def test_another_result_than_the_golden_one_fails(model: Model) -> None:
    right = model.predict(crops(2))
    assert right.masks is not None
    write_golden(model.path, crops(2), right.probabilities + np.float32(0.01), right.masks)
    result = run("--model", model.path)
    assert result.exit_code == 1
    assert "failed  golden outputs: differ by 0.01" in result.output
    assert f"ok      model small, 0.0 MB, sha256 {model.sha256}" in result.output


def test_every_check_is_made_when_one_fails(tmp_path: Path) -> None:
    result = run("--model", tmp_path / "none.onnx")
    assert result.exit_code == 1
    assert "none.onnx: no such file" in result.output
    assert result.output.splitlines()[-1].startswith("ok      detector")


def broken(threads: int) -> None:
    raise ModelFileError("pnet.onnx: is cut short: reinstall facelocus")


def test_a_detector_that_does_not_load_fails_in_one_line(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "Detector", broken)
    result = run("--model", model.path)
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "failed  detector: pnet.onnx: is cut short: reinstall facelocus"


@pytest.mark.parametrize(
    ("moved", "words"), [(1.0, "finds a face 1 pixels off, more than 0.5"), (None, "0 faces found")]
)
def test_a_detector_that_finds_something_else_fails(
    model: Model, monkeypatch: pytest.MonkeyPatch, moved: float | None, words: str
) -> None:
    class Off(Detector):
        def detect(self, *arguments: Any, **options: Any) -> list[Detection]:
            found = super().detect(*arguments, **options)
            return [] if moved is None else [replace(face, landmarks=face.landmarks + moved) for face in found]

    monkeypatch.setattr(golden, "Detector", Off)
    result = run("--model", model.path)
    assert result.exit_code == 1
    assert words in result.output.splitlines()[-1]


def test_a_package_that_is_not_installed_fails_with_what_to_run(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.__globals__, "_BASE", ("facelocus", "no-such-package"))
    result = run("--model", model.path)
    assert result.exit_code == 1
    assert "failed  no-such-package is not installed: pip install no-such-package" in result.output.splitlines()
