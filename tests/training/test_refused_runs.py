"""What a run cannot do is refused in one line, and nothing good is lost."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from facelocus.data import Pack, read_table
from facelocus.errors import (
    DataError,
    FacelocusError,
    ModelFileError,
    RecipeError,
    StorageError,
    UsageError,
)
from facelocus.nn.weights import read_tensors
from facelocus.training import checkpoint, log, loop
from facelocus.training.folder import Metrics
from facelocus.training.recipe import Optimizer, Recipe
from facelocus.training.run import load_run
from faces import write_celeba
from short_runs import at_steps, lines, results, stop_in_step, train


def test_another_recipe_in_the_same_folder_is_refused(
    recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_in_step(2, monkeypatch, recipe, pack, run)
    before = {file.name: file.read_bytes() for file in run.iterdir()}
    with pytest.raises(UsageError, match=r"holds a run with other settings \(seed: 0, 5\): choose another --to"):
        train(dataclasses.replace(recipe, seed=5), pack, run)
    assert {file.name: file.read_bytes() for file in run.iterdir()} == before


def test_other_data_in_the_same_folder_is_refused(
    recipe: Recipe, pack: Pack, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_in_step(2, monkeypatch, recipe, pack, run)
    other = Pack.build(read_table(write_celeba(tmp_path / "celeba", 15, seed=1)), tmp_path / "pack")
    with pytest.raises(UsageError, match=r"holds a run on other data .*: choose another --to"):
        train(recipe, other, run)


def test_folders_that_cannot_hold_a_run_are_refused(recipe: Recipe, pack: Pack, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=f"{file}: a file is where the run folder should be: choose another --to"):
        train(recipe, pack, file)
    hidden = tmp_path / "hidden"
    (hidden / ".git").mkdir(parents=True)
    for folder in (full, hidden):
        with pytest.raises(UsageError, match=f"{folder}: is not empty and not a run: choose another --to"):
            train(recipe, pack, folder)
    assert [path.name for path in hidden.iterdir()] == [".git"]
    with pytest.raises(StorageError, match=f"{file / 'run'}: cannot be made"):
        train(recipe, pack, file / "run")
    assert file.read_text() == "mine" and [path.name for path in full.iterdir()] == ["mine.txt"]


def test_a_run_leaves_hidden_files_alone_that_are_none_of_its_own(
    recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_in_step(2, monkeypatch, recipe, pack, run)
    (run / ".gitignore").write_text("*")
    train(recipe, pack, run)
    assert (run / ".gitignore").read_text() == "*"


@pytest.mark.parametrize(
    ("setting", "error", "words"),
    [
        ("batch_size=37", DataError, "36 training images do not fill one batch of 37: set batch_size lower"),
        ("phases=[]", UsageError, "the recipe has no training steps"),
        ("network.trunk=resnet", RecipeError, "timm has no network 'resnet'"),
        ("network.attention=cbam", RecipeError, "attention 'cbam' is not one of"),
        ("network.pooling=max", RecipeError, "phases: an input of 24 x 20 gives 6 x 5 positions, .* made for 8 x 6"),
        ("leave_out=nobody.txt", RecipeError, "no list 'nobody.txt'"),
    ],
)
def test_a_recipe_that_cannot_run_is_refused_before_a_folder_is_made(
    setting: str, error: type[FacelocusError], words: str, recipe: Recipe, pack: Pack, run: Path
) -> None:
    with pytest.raises(error, match=words) as refused:
        train(recipe.with_settings([setting]), pack, run)
    assert "\n" not in str(refused.value)
    assert not run.exists()


def test_a_loss_that_is_no_number_stops_in_one_line_and_is_not_saved(
    recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "SAVE_EVERY", 0.0)
    real, called = loop.attribute_losses, 0

    def breaks(logits: Tensor, labels: Tensor) -> Tensor:
        nonlocal called
        called += 1
        return real(logits, labels) * (float("nan") if called == 4 else 1.0)

    monkeypatch.setattr(loop, "attribute_losses", breaks)
    with pytest.raises(
        FacelocusError, match=r"the loss is no longer a number at step 4: lower optimizer\.rate"
    ) as stop:
        train(recipe, pack, run)
    assert stop.value.exit_code == 1 and "\n" not in str(stop.value)
    tensors, description = read_tensors(run / checkpoint.FILE)
    assert description["step"] == 3
    assert all(value.isfinite().all() for value in tensors.values())


def test_a_rate_that_is_far_too_high_stops(recipe: Recipe, pack: Pack, run: Path) -> None:
    with pytest.raises(FacelocusError, match="the loss is no longer a number"):
        train(dataclasses.replace(recipe, optimizer=Optimizer(kind="sgd", rate=1e30)), pack, run)


def test_data_without_validation_faces_trains_to_the_end(recipe: Recipe, pack: Pack, run: Path) -> None:
    train(recipe, dataclasses.replace(pack, splits=np.zeros_like(pack.splits)), run)
    assert not [line for line in lines(run) if "validation" in line]
    assert {value for values in load_run(run).thresholds.values() for value in values.tolist()} == {0.5}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_while_writing_metrics_is_a_storage_error(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl", 0)
    metrics.path = Path("/dev/full")
    with pytest.raises(StorageError, match=r"/dev/full: cannot be written \(No space left on device\)"):
        metrics.write({"step": 1})


def test_a_full_disk_while_saving_keeps_the_checkpoint_before(
    uninterrupted: dict[str, Any], recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_in_step(3, monkeypatch, recipe, pack, run)
    before = (run / checkpoint.FILE).read_bytes()
    with monkeypatch.context() as full:

        def refuse(*_: object) -> None:
            raise OSError(28, "No space left on device")

        full.setattr(log, "SAVE_EVERY", 0.0)
        full.setattr(os, "fsync", refuse)
        with pytest.raises(StorageError, match=r"No space left on device"):
            train(recipe, pack, run)
    assert (run / checkpoint.FILE).read_bytes() == before
    assert [file.name for file in run.glob(".*")] == [".lock"]
    train(recipe, pack, run)
    assert results(run) == uninterrupted


def test_a_damaged_checkpoint_is_named(recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_in_step(3, monkeypatch, recipe, pack, run)
    content = (run / checkpoint.FILE).read_bytes()
    (run / checkpoint.FILE).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelFileError, match=rf"{checkpoint.FILE}: damaged"):
        train(recipe, pack, run)


@pytest.mark.parametrize(
    "changes",
    [{"optimizer": Optimizer(kind="SGD")}, {"teaching": 1.5}, {"batch_size": 1}],
    ids=str,  # type: ignore[arg-type]
)
def test_a_recipe_made_in_python_is_held_to_what_a_file_may_say(
    changes: dict[str, Any], recipe: Recipe, pack: Pack, run: Path
) -> None:
    with pytest.raises(RecipeError):
        train(dataclasses.replace(recipe, **changes), pack, run)
    assert not run.exists()


def test_folders_that_are_no_finished_run_are_refused(recipe: Recipe, pack: Pack, run: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    for name in ("missing", "foreign"):
        with pytest.raises(ModelFileError, match=f"{tmp_path / name}: not a run folder: name what"):
            load_run(tmp_path / name)
    train(recipe, pack, run)
    (run / "weights.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelFileError, match=r"weights\.safetensors: damaged"):
        load_run(run)


def test_two_runs_in_one_folder_are_refused(
    uninterrupted: dict[str, Any], recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a process trains there, another one is turned away and changes nothing."""
    turned_away: list[str] = []

    def second() -> None:
        before = {file.name: file.read_bytes() for file in run.iterdir()}
        with pytest.raises(UsageError, match=f"{run}: another process is training there: wait for it") as refused:
            train(recipe, pack, run)
        turned_away.append(str(refused.value))
        assert {file.name: file.read_bytes() for file in run.iterdir()} == before

    at_steps(monkeypatch, second, 4)
    train(recipe, pack, run)
    assert len(turned_away) == 1
    assert results(run) == uninterrupted


def test_the_reason_for_an_end_stands_in_the_metrics_until_the_run_goes_on(
    uninterrupted: dict[str, Any], recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> None:
        raise FacelocusError("a reason")

    with monkeypatch.context() as broken:
        broken.setattr(log, "SAVE_EVERY", 0.0)
        at_steps(broken, breaks, 5)
        with pytest.raises(FacelocusError, match="a reason"):
            train(recipe, pack, run)
    assert lines(run)[-1] == {"step": 4, "error": "a reason"}
    train(recipe, pack, run)
    assert results(run) == uninterrupted
