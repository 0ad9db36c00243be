"""facelocus bench from a shell: what it prints and writes, and what it refuses before it measures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facelocus.cli import main

SMALL = [
    *("--set", "batch_size=2", "--set", "network.imagenet=false", "--set", "precision=fp32"),
    *("--set", 'phases=[{"epochs": 1, "size": [48, 40]}]', "--rounds", "1", "--device", "cpu"),
]


def test_a_recipe_is_measured_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "bench"
    with pytest.raises(SystemExit) as ended:
        main(["bench", "default", "--to", str(folder), *SMALL])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "times the reference's" in printed
    assert "attention costs ours" in printed
    record = json.loads((folder / "training_step_default_cpu_fp32.json").read_text())
    assert (record["recipe"], record["batch"]) == ("default", 2)
    assert (folder / "training_step_default_cpu_fp32.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "needs a recipe or --model"),
        (["--model", "default", "--set", "batch_size=2"], "--set changes a recipe"),
        (["defualt"], "did you mean 'default'"),
        (["default", "--device", "gpu"], "unknown device 'gpu'"),
        (["--model", "none.onnx"], "none.onnx"),
    ],
    ids=str,
)
def test_refusals(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", *arguments])
    assert ended.value.code in (1, 2)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
