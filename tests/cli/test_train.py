"""facelocus train from a shell: a run starts from the shipped weights, and says what comes next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facelocus.cli import main
from facelocus.model import Model
from faces import write_celeba


def test_a_run_starts_from_the_shipped_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run = write_celeba(tmp_path / "celeba", 15), tmp_path / "run"
    settings = ["--set", "teaching=0", "--set", "teaching_once=false"]
    settings += ["--set", "batch_size=4", "--set", 'phases=[{"iterations": 1, "size": [64, 48]}]']
    with pytest.raises(SystemExit) as ended:
        main(["train", "large", "--data", str(data), "--to", str(run), "--from", "tiny", *settings])
    assert ended.value.code == 0
    assert f"facelocus export {run} model.onnx" in capsys.readouterr().out
    record = json.loads((run / "record.json").read_text())
    assert record["from"] == Model.load("tiny").metadata["training"]
