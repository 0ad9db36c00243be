"""A run says how it was made, and can be made again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from facelocus.cli import main
from facelocus.provenance import commit
from facelocus.training.folder import FINISHED
from faces import write_celeba

SHORT = [
    "--set",
    "teaching=0",
    "--set",
    "teaching_once=false",
    "--set",
    "batch_size=4",
    "--set",
    'phases=[{"iterations": 2, "size": [64, 48]}]',
    "--set",
    "seed=3",
]


def command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_celeba(tmp_path / "celeba", 15).parent)
    assert command("train", "large", "--data", "celeba", "--to", "run", "--from", "tiny", *SHORT) == 0
    return tmp_path / "run"


def test_a_run_is_replayed_from_its_folder(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads((run / "record.json").read_text())
    assert record["command"] == (
        "facelocus train large --data celeba --to run --from tiny "
        "--set teaching=0 --set teaching_once=false --set batch_size=4 "
        """--set 'phases=[{"iterations": 2, "size": [64, 48]}]' --set seed=3"""
    )
    assert (record["seed"], record["commit"], record["processes"]) == (3, commit(), 1)
    monkeypatch.chdir("/")  # nothing depends on where the command is given
    assert command("train", "--replay", run, "--to", tmp_path / "again") == 0
    assert f"again: the same weights as {run}, bit for bit" in capsys.readouterr().out
    again = json.loads((tmp_path / "again" / "record.json").read_text())
    assert again["command"] == "facelocus train --replay run --data celeba --to again"
    assert {key: again[key] for key in ("recipe", "seed", "from", "data", "versions")} == {
        key: record[key] for key in ("recipe", "seed", "from", "data", "versions")
    }


def test_no_place_of_the_machine_reaches_a_record_or_the_weights(run: Path, tmp_path: Path) -> None:
    assert str(tmp_path) in (run / "origin.json").read_text()
    for file in ("record.json", "recipe.json", "metrics.jsonl", FINISHED):
        assert str(tmp_path).encode() not in (run / file).read_bytes()


def test_other_data_is_refused_and_other_weights_are_told(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_celeba(tmp_path / "other", 15, seed=1)
    assert command("train", "--replay", run, "--data", other, "--to", tmp_path / "again") == 2
    assert "is no longer the data of" in capsys.readouterr().err
    shutil.copytree(run, tmp_path / "moved")
    record = json.loads((run / "record.json").read_text())
    (tmp_path / "moved" / "record.json").write_text(json.dumps(record | {"threads": 77}))
    recipe = json.loads((run / "recipe.json").read_text())
    (tmp_path / "moved" / "recipe.json").write_text(json.dumps(recipe | {"seed": 4}))
    assert command("train", "--replay", tmp_path / "moved", "--to", tmp_path / "again") == 0
    assert "other weights than" in (said := capsys.readouterr().out) and "threads 77, now" in said


@pytest.mark.parametrize(
    ("kept", "asked", "words"),
    [
        ({"from": {"recipe": "another"}}, {}, "tiny: is no longer what"),
        ({"teachers": [{"recipe": "another"}]}, {"teachers": ["tiny"]}, "tiny: no longer teaches what"),
    ],
)
def test_other_weights_to_begin_with_are_refused(
    kept: dict[str, Any],
    asked: dict[str, Any],
    words: str,
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The run kept that they were of another recipe than what lies there now."""
    for file, changes in (("record.json", kept), ("origin.json", asked)):
        before = json.loads((run / file).read_text())
        (run / file).write_text(json.dumps(before | changes))
    assert command("train", "--replay", run, "--to", tmp_path / "again") == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--replay", "run", "--to", "again", "--set", "seed=1"], "--replay takes recipe, settings, start"),
        (
            ["train", "--replay", "nowhere", "--to", "again"],
            "nowhere: not a run folder: name what `facelocus train --to` wrote",
        ),
        (["train", "--replay", "run", "--to", "celeba/../run"], "run: is the run that is to be done again"),
        (["train", "refine", "--data", "celeba"], "train needs --to"),
        (["train", "--to", "again"], "train needs a recipe and --data"),
    ],
)
def test_what_cannot_be_replayed_is_refused(
    arguments: list[str], words: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*arguments) in (1, 2)
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
