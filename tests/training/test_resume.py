"""A run that was stopped, killed or interrupted ends with the same bits as one that was not."""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from facelocus.data import Pack
from facelocus.errors import (
    ModelFileError,
    StoppedError,
)
from facelocus.nn.weights import read_tensors
from facelocus.training import checkpoint
from facelocus.training.checkpoint import State
from facelocus.training.recipe import Recipe
from facelocus.training.run import load_run
from short_runs import STEPS, at_steps, ctrl_c, results, stop_in_step, train


@pytest.mark.parametrize("stops", [(1,), (5,), (7,), (10,), (2, 3, 8)])
def test_stopped_and_continued_ends_with_the_same_bits(
    stops: tuple[int, ...],
    uninterrupted: dict[str, Any],
    recipe: Recipe,
    pack: Pack,
    run: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_steps(monkeypatch, ctrl_c, *stops)
    for stop in stops:
        with pytest.raises(StoppedError, match=f"stopped after step {stop} of {STEPS}: the same command goes on"):
            train(recipe, pack, run)
        assert not (run / "weights.safetensors").exists()
    train(recipe, pack, run)
    assert results(run) == uninterrupted


@pytest.mark.parametrize("changes", [{"kind": "sgd"}, {"kind": "adamw", "decay_vectors": True}])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_optimiser_and_precision_continues_to_the_same_bits(
    changes: dict[str, Any],
    precision: Any,
    recipe: Recipe,
    pack: Pack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = dataclasses.replace(
        recipe, optimizer=dataclasses.replace(recipe.optimizer, **changes), precision=precision
    )
    train(recipe, pack, tmp_path / "whole")
    at_steps(monkeypatch, ctrl_c, 4)
    with pytest.raises(StoppedError):
        train(recipe, pack, tmp_path / "stopped")
    train(recipe, pack, tmp_path / "stopped")
    assert results(tmp_path / "stopped") == results(tmp_path / "whole")


def test_killed_without_notice_ends_with_the_same_bits(
    uninterrupted: dict[str, Any], recipe: Recipe, pack: Pack, run: Path, tmp_path: Path
) -> None:
    """Another process trains, saves after each step, and is sent SIGKILL once it is past the change of size."""
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_json()))
    command = [sys.executable, Path(__file__).parent / "child.py", tmp_path / "recipe.json", pack.folder, run]
    with subprocess.Popen([*command, "sleep", "8"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
    _, description = read_tensors(run / checkpoint.FILE)
    assert description["step"] == 7  # it was in its eighth, past the change of size
    (run / ".checkpoint.safetensors.cut").write_bytes(b"half")  # as a kill in the middle of saving leaves
    train(recipe, pack, run)
    assert results(run) == uninterrupted
    assert not list(run.glob(".*"))


def test_what_was_written_after_the_checkpoint_is_dropped(
    uninterrupted: dict[str, Any], recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_in_step(4, monkeypatch, recipe, pack, run)
    with (run / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 6, "loss": 1.0}\n{"step": 9, "lo')  # killed while writing
    train(recipe, pack, run)
    assert results(run) == uninterrupted


def test_ctrl_c_says_how_to_go_on_and_gives_the_signal_back(
    recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    at_steps(monkeypatch, ctrl_c, 3)
    with pytest.raises(StoppedError) as stopped:
        train(recipe, pack, run)
    assert stopped.value.exit_code == 130
    assert str(stopped.value) == "stopped after step 3 of 11: the same command goes on from there"
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    with pytest.raises(ModelFileError, match=f"{run}: not finished: run its command again"):
        load_run(run)


def test_sigterm_saves_as_ctrl_c_does(recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_steps(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGTERM), 2)
    with pytest.raises(StoppedError, match="after step 2"):
        train(recipe, pack, run)
    assert (run / checkpoint.FILE).exists()


def test_a_second_ctrl_c_does_not_wait(
    uninterrupted: dict[str, Any], recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice() -> None:
        ctrl_c()
        ctrl_c()

    at_steps(monkeypatch, twice, 2)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, pack, run)
    train(recipe, pack, run)
    assert results(run) == uninterrupted


def test_ctrl_c_in_the_last_step_finishes(
    uninterrupted: dict[str, Any], recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_steps(monkeypatch, ctrl_c, STEPS)
    train(recipe, pack, run)
    assert results(run) == uninterrupted


def test_killed_before_the_recipe_was_written_starts_anew(
    uninterrupted: dict[str, Any], recipe: Recipe, pack: Pack, run: Path
) -> None:
    run.mkdir()
    (run / "record.json").write_text("{}")
    train(recipe, pack, run)
    assert results(run) == uninterrupted


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="nothing says there which files are held")
def test_a_checkpoint_that_was_read_is_let_go(
    recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held, its space on the disk stays taken when it is replaced, and on Windows it cannot be replaced."""
    stop_in_step(3, monkeypatch, recipe, pack, run)
    state = State.begin(recipe.network.build(pack.attributes), recipe)
    state.load(run)
    gc.collect()
    assert str(run / checkpoint.FILE) not in Path("/proc/self/maps").read_text()
    assert state.step == 3 and state.optimizer.state
