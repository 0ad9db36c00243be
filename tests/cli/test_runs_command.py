"""facelocus runs from a shell: a table that fits, the list as JSON, the picture, and real runs."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from facelocus.cli import main
from faces import write_celeba
from run_folders import write_run


def runs(*arguments: object) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["runs", *map(str, arguments)])
    assert ended.value.code == 0


def refused(*arguments: object) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(["runs", *map(str, arguments)])
    return ended.value.code


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_row_a_run_the_newest_last_then_states_and_differences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path / "b", day=1)
    write_run(tmp_path / "a", day=2, steps=20, kept=20, finished=False, settings=("optimizer.rate=0.5",))
    write_run(tmp_path / "c", day=3, steps=20, kept=20, finished=False, last={"step": 22, "error": "full: free space"})
    write_run(tmp_path / "d", day=4, finished=False)
    (tmp_path / "d" / "recipe.json").unlink()
    runs(tmp_path)
    out = capsys.readouterr().out
    assert [" ".join(line.split()) for line in out.splitlines()[:5]] == [
        "run recipe state accuracy balanced loss hours img/s date",
        "d - broken - - - - - -",
        "b default finished 84.00 @4 74.00 @4 4.00 0.03 32 01 Nov",
        "a default stopped 40% 82.00 @2 72.00 @2 7.00 0.01 32 02 Nov",
        "c default failed 40% 82.00 @2 72.00 @2 7.00 0.01 32 03 Nov",
    ]
    flowing = " ".join(out.split())
    assert "d: cannot be read: " in flowing
    assert "a: stopped, kept is step 20 of 50: the same command goes on" in flowing
    assert "c: ended with an error, kept is step 20 of 50: full: free space" in flowing
    assert "b, c (recipe default): no difference" in flowing
    assert "a (recipe default): optimizer.rate 0.5, not 0.002" in flowing
    assert "between these runs optimizer.rate: 0.002 (b, c); 0.5 (a)" in flowing


@pytest.mark.parametrize("count", [1, 3, 50])
def test_the_text_fits_on_80_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int) -> None:
    for index in range(count):
        name = f"a-name-that-is-too-long-for-its-column-{index}" if index % 3 == 0 else f"run-{index}"
        write_run(tmp_path / name, day=1 + index // 2, settings=(f"seed={index}", "optimizer.rate=0.125"))
    runs(tmp_path)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert out.count("finished") == count
    assert ("seed: 50 values" in out) == (count == 50)


def test_json_is_one_list_with_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = write_run(tmp_path / "a", settings=("seed=3",))
    write_run(tmp_path / "bad")
    (tmp_path / "bad" / "record.json").write_text("{")
    runs(tmp_path, "--json", "--draw", tmp_path / "curves.png")
    bad, good = json.loads(capsys.readouterr().out)
    assert (bad["name"], bad["state"]) == ("bad", "broken")
    assert "record.json: is damaged" in bad["error"]
    assert (good["name"], good["state"], good["record"], good["recipe"]["seed"]) == ("a", "finished", record, 3)
    assert good["best"]["mean_accuracy"] == {"value": 84.0, "step": 40, "epoch": 4.0}
    assert good["differences"]["seed"] == [3, 0]
    assert (tmp_path / "curves.png").exists()


def test_json_is_json_where_the_output_is_not_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path / "gr\u00fcn \U0001f600")
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, "cp1252"))
    runs(tmp_path, "--json")
    sys.stdout.flush()
    (run,) = json.loads(out.getvalue())
    assert run["name"] == "gr\u00fcn \U0001f600"


def test_a_run_of_the_command_itself_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_celeba(tmp_path / "celeba", 15)
    settings = ["--set", "batch_size=4", "--set", 'phases=[{"iterations": 2, "size": [64, 48]}]']
    with pytest.raises(SystemExit):
        main(["train", "default", "--data", str(data), "--to", str(tmp_path / "runs" / "a"), *settings])
    capsys.readouterr()
    runs(tmp_path / "runs", "--json", "--draw", tmp_path / "curves.png", "--tensorboard", tmp_path / "events")
    (run,) = json.loads(capsys.readouterr().out)
    assert (run["state"], run["step"], run["steps"]) == ("finished", 2, 2)
    assert run["loss"] > 0
    assert run["best"]["mean_accuracy"]["step"] == 2
    assert sorted(run["differences"]) == ["batch_size", "phases"]
    assert list((tmp_path / "events" / "a").iterdir())


def test_a_wrong_place_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "a")
    assert refused(tmp_path / "nowhere") == 1
    assert "no such folder" in capsys.readouterr().err
    assert refused(tmp_path / "a", "--draw", tmp_path) == 2
    assert refused(tmp_path / "a", "--draw", tmp_path / "nowhere" / "curves.png") == 2
    assert capsys.readouterr().out == ""
