"""facelocus train from a shell: a run starts from the shipped weights, and says what comes next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from facelocus.cli import main
from facelocus.model import Model
from facelocus.training import loop
from facelocus.training.record import Origin
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


@pytest.mark.parametrize(("rank", "times"), [("0", 1), ("1", 0)])
def test_of_several_processes_one_says_that_the_run_is_finished(
    rank: str, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As torchrun tells each which one it is; the training itself is left out."""
    monkeypatch.setattr(loop, "train", lambda *_, **__: None)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", rank)
    data = write_celeba(tmp_path / "celeba", 15)
    with pytest.raises(SystemExit) as ended:
        main(["train", "default", "--data", str(data), "--to", str(tmp_path / "run"), "--device", "cpu"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.count("finished; next: ") == times


def test_the_record_names_the_folder_one_works_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origins: list[Origin] = []

    def kept(*_: object, origin: Origin, **__: Any) -> None:
        origins.append(origin)

    monkeypatch.setattr(loop, "train", kept)
    data = write_celeba(tmp_path / "celeba", 15)
    for folder, given in ((data, "."), (data / "img_align_celeba", "..")):
        monkeypatch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            main(["train", "default", "--data", given, "--to", str(tmp_path / "run"), "--device", "cpu"])
        assert ended.value.code == 0
    assert {origin.command for origin in origins} == {"facelocus train default --data celeba --to run"}
