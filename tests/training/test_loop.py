"""A run learns, can be killed and continued to the same bits, and refuses what it cannot do."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from facelocus.attributes import CELEBA
from facelocus.data import Pack, read_celeba
from facelocus.errors import (
    DataError,
    DeviceError,
    FacelocusError,
    ModelFileError,
    RecipeError,
    StoppedError,
    StorageError,
    UsageError,
)
from facelocus.nn.weights import read_tensors, round_to_half
from facelocus.training import checkpoint, loop
from facelocus.training.folder import Metrics
from facelocus.training.loop import attribute_losses, choose_device
from facelocus.training.recipe import Augment, Optimizer, Phase, Recipe
from facelocus.training.run import RunModel, load_run
from faces import write_celeba

CPU = torch.device("cpu")
STEPS = 11  # of the recipe fixture: 5 and 6


def train(recipe: Recipe, pack: Pack, run: Path) -> None:
    loop.train(recipe, pack, run, name="tiny", device=CPU, progress=False)


@pytest.fixture(autouse=True)
def frequent_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LOG_EVERY", 3)


def at_steps(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *steps: int) -> None:
    """Have `act` called in the middle of some of the steps that train computes, counted over all its calls."""
    real, called = loop.attribute_losses, 0

    def losses(logits: Tensor, labels: Tensor) -> Tensor:
        nonlocal called
        called += 1
        if called in steps:
            act()
        return real(logits, labels)

    monkeypatch.setattr(loop, "attribute_losses", losses)


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def results(run: Path) -> dict[str, Any]:
    """Everything a finished run leaves that does not depend on the clock."""
    tensors, description = read_tensors(run / "weights.safetensors")
    with np.load(run / "validation.npz") as validation:
        arrays = {name: validation[name] for name in validation.files}
    return {
        "tensors": {name: value.numpy().tobytes() for name, value in tensors.items()},
        "thresholds": description["thresholds"],
        "metrics": (run / "metrics.jsonl").read_text(),
        "validation": {name: value.tobytes() for name, value in arrays.items()},
    }


def lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


# A run that is not disturbed


def test_a_run_leaves_its_folder(recipe: Recipe, pack: Pack, run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    train(recipe, pack, run / "below")
    run = run / "below"
    assert capfd.readouterr().out == ""  # what is shown goes to stderr
    assert {file.name for file in run.iterdir()} >= {
        "recipe.json",
        "record.json",
        "metrics.jsonl",
        "weights.safetensors",
        "validation.npz",
    }
    assert not list(run.glob(".*"))  # no temporary file stays
    assert Recipe.from_json(json.loads((run / "recipe.json").read_text())) == recipe
    record = json.loads((run / "record.json").read_text())
    assert record["recipe"] == "tiny" and record["seed"] == 0 and record["seconds"] > 0
    assert record["data"] == {
        "description": pack.description,
        "fingerprint": pack.fingerprint,
        "training_images": 36,
    }
    assert record["versions"].keys() >= {"python", "torch", "facelocus"}

    training = [line for line in lines(run) if "loss" in line]
    assert [line["step"] for line in training] == [3, 6, 9, 11]
    assert training[-1]["epoch"] == pytest.approx(11 / 6, abs=1e-3)
    for line in training:
        assert line["loss_by_region"].keys() == set(CELEBA.regions)
        assert sum(line["loss_by_region"].values()) == pytest.approx(line["loss"], abs=1e-3)
    # The untrained network says the rates: 33 of 40 attributes are coin tosses of ln 2 each.
    assert 20 < training[0]["loss"] < 40
    validations = [line for line in lines(run) if "validation" in line]
    assert [line["step"] for line in validations] == [5, 6, 11]  # ends of phases and of epochs
    assert all(0 <= line["validation"]["mean_accuracy"] <= 100 for line in validations)


def test_a_finished_run_predicts_what_its_validation_says(recipe: Recipe, pack: Pack, run: Path) -> None:
    train(recipe, pack, run)
    model = load_run(run)
    assert model.name == "tiny" and model.attributes == CELEBA
    assert not model.network.training
    rows = pack.rows("validation")
    with np.load(run / "validation.npz") as validation:
        np.testing.assert_array_equal(validation["rows"], rows)
        np.testing.assert_array_equal(validation["labels"], pack.labels[rows])
        np.testing.assert_array_equal(validation["probabilities"], model.predict_rows(pack, rows))
    assert model.thresholds.keys() == {"accuracy", "balanced"}
    assert all(values.shape == (40,) for values in model.thresholds.values())
    # What was measured is the network rounded to half precision.
    tensors, _ = read_tensors(run / "weights.safetensors")
    assert all(torch.equal(value, tensors[name]) for name, value in round_to_half(tensors).items())


def test_predictions_have_the_model_files_shapes_and_unflip_masks(recipe: Recipe, pack: Pack, run: Path) -> None:
    train(recipe, pack, run)
    model = load_run(run)
    crops = np.asarray(pack.faces[:5])
    plain = model.predict(crops, batch=2)
    mirrored = model.predict(crops[:, :, ::-1])
    averaged = model.predict(crops, flip=True, batch=3)
    assert plain.probabilities.shape == (5, 40) and plain.probabilities.dtype == np.float32
    assert plain.masks is not None and mirrored.masks is not None and averaged.masks is not None
    assert plain.masks.shape == (5, 8, 8, 6) and plain.masks.dtype == np.float32
    np.testing.assert_allclose(averaged.probabilities, (plain.probabilities + mirrored.probabilities) / 2, atol=1e-6)
    np.testing.assert_allclose(averaged.masks, (plain.masks + mirrored.masks[..., ::-1]) / 2, atol=1e-6)
    nothing = model.predict(crops[:0])
    assert nothing.probabilities.shape == (0, 40)


def test_the_same_command_on_a_finished_run_changes_nothing(recipe: Recipe, pack: Pack, run: Path) -> None:
    train(recipe, pack, run)
    before = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in run.iterdir()}
    train(recipe, pack, run)
    assert {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in run.iterdir()} == before


def test_the_seed_decides(recipe: Recipe, pack: Pack, tmp_path: Path) -> None:
    torch.manual_seed(11)
    train(recipe, pack, tmp_path / "a")
    torch.manual_seed(12)
    train(recipe, pack, tmp_path / "b")
    train(dataclasses.replace(recipe, seed=1), pack, tmp_path / "c")
    assert results(tmp_path / "a") == results(tmp_path / "b")
    assert results(tmp_path / "a")["tensors"] != results(tmp_path / "c")["tensors"]


def test_training_learns_what_is_drawn(recipe: Recipe, pack: Pack, run: Path) -> None:
    network = dataclasses.replace(recipe.network, size=(64, 48), channels=16)
    longer = dataclasses.replace(
        recipe,
        network=network,
        phases=(Phase(iterations=120),),
        batch_size=12,
        augment=Augment(flip=0.5),
        optimizer=Optimizer(rate=2e-2),
        precision="fp32",
    )
    train(longer, pack, run)
    losses = [line["loss"] for line in lines(run) if "loss" in line]
    assert losses[-1] < 0.85 * losses[0]  # most of it is labels that nothing is drawn for
    rows, blond = np.arange(len(pack)), CELEBA.names.index("Blond_Hair")
    said, known = load_run(run).predict_rows(pack, rows)[:, blond] > 0.5, pack.labels[:, blond] == 1
    assert 0.3 < known.mean() < 0.6
    assert (said == known).mean() >= 0.8  # five seeds: 0.91 to 1.0; two fifths of the faces were not trained on


# Stopped and continued


@pytest.fixture
def uninterrupted(recipe: Recipe, pack: Pack, tmp_path: Path) -> dict[str, Any]:
    train(recipe, pack, tmp_path / "uninterrupted")
    return results(tmp_path / "uninterrupted")


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
    script = tmp_path / "killed.py"
    script.write_text(
        textwrap.dedent("""
        import json, pathlib, sys, time
        sys.path.insert(0, sys.argv[1])
        import torch
        from tiny_trunk import TinyTrunk
        from facelocus.data import Pack
        from facelocus.nn.backbones import TRUNKS
        from facelocus.training import loop
        from facelocus.training.recipe import Recipe

        TRUNKS["tiny"] = TinyTrunk
        loop.LOG_EVERY, loop.SAVE_EVERY = 3, 0.0
        real, calls = loop.attribute_losses, 0

        def losses(logits, labels):
            global calls
            calls += 1
            if calls == 8:  # the checkpoint is of step 7
                print("ready", flush=True)
                time.sleep(600)
            return real(logits, labels)

        loop.attribute_losses = losses
        recipe = Recipe.from_json(json.loads(pathlib.Path(sys.argv[2]).read_text()))
        pack, run = Pack.open(pathlib.Path(sys.argv[3])), pathlib.Path(sys.argv[4])
        loop.train(recipe, pack, run, name="tiny", device=torch.device("cpu"), progress=False)
        """)
    )
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_json()))
    arguments = [Path(__file__).parents[1], tmp_path / "recipe.json", pack.folder, run]
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    with subprocess.Popen(
        [sys.executable, script, *arguments], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
    _, description = read_tensors(run / checkpoint.FILE)
    assert description["step"] == 7
    train(recipe, pack, run)
    assert results(run) == uninterrupted


def test_what_was_written_after_the_checkpoint_is_dropped(
    uninterrupted: dict[str, Any], recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_steps(monkeypatch, ctrl_c, 4)
    with pytest.raises(StoppedError):
        train(recipe, pack, run)
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


# Refused


def test_another_recipe_in_the_same_folder_is_refused(
    recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_steps(monkeypatch, ctrl_c, 2)
    with pytest.raises(StoppedError):
        train(recipe, pack, run)
    before = {file.name: file.read_bytes() for file in run.iterdir()}
    with pytest.raises(UsageError, match=r"holds a run with other settings \(seed: 0, 5\): choose another --to"):
        train(dataclasses.replace(recipe, seed=5), pack, run)
    assert {file.name: file.read_bytes() for file in run.iterdir()} == before


def test_other_data_in_the_same_folder_is_refused(
    recipe: Recipe, pack: Pack, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_steps(monkeypatch, ctrl_c, 2)
    with pytest.raises(StoppedError):
        train(recipe, pack, run)
    other = Pack.build(read_celeba(write_celeba(tmp_path / "celeba", 15, seed=1)), tmp_path / "pack")
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
    with pytest.raises(UsageError, match=f"{full}: is not empty and not a run: choose another --to"):
        train(recipe, pack, full)
    with pytest.raises(StorageError, match=f"{file / 'run'}: cannot be made"):
        train(recipe, pack, file / "run")
    assert file.read_text() == "mine" and [path.name for path in full.iterdir()] == ["mine.txt"]


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
    monkeypatch.setattr(loop, "SAVE_EVERY", 0.0)
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
    at_steps(monkeypatch, ctrl_c, 3)
    with pytest.raises(StoppedError):
        train(recipe, pack, run)
    before = (run / checkpoint.FILE).read_bytes()
    with monkeypatch.context() as full:

        def refuse(*_: object) -> None:
            raise OSError(28, "No space left on device")

        full.setattr(loop, "SAVE_EVERY", 0.0)
        full.setattr(os, "fsync", refuse)
        with pytest.raises(StorageError, match=r"No space left on device"):
            train(recipe, pack, run)
    assert (run / checkpoint.FILE).read_bytes() == before
    assert not list(run.glob(".*"))
    train(recipe, pack, run)
    assert results(run) == uninterrupted


def test_a_damaged_checkpoint_is_named(recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_steps(monkeypatch, ctrl_c, 3)
    with pytest.raises(StoppedError):
        train(recipe, pack, run)
    content = (run / checkpoint.FILE).read_bytes()
    (run / checkpoint.FILE).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelFileError, match=rf"{checkpoint.FILE}: damaged"):
        train(recipe, pack, run)


def test_folders_that_are_no_finished_run_are_refused(recipe: Recipe, pack: Pack, run: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    for name in ("missing", "foreign"):
        with pytest.raises(ModelFileError, match=f"{tmp_path / name}: not a run folder"):
            load_run(tmp_path / name)
    train(recipe, pack, run)
    (run / "weights.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelFileError, match=r"weights\.safetensors: damaged"):
        load_run(run)


# Small parts


def test_losses_add_over_attributes_and_skip_unknown_labels() -> None:
    logits = torch.tensor([[0.3, -2.0, 40.0], [-1.0, 0.5, 2.0]])
    labels = torch.tensor([[1, 0, 1], [0, -1, -1]], dtype=torch.int8)

    def one(logit: float, label: int) -> float:
        probability = torch.sigmoid(torch.tensor(logit, dtype=torch.float64))
        return -float(torch.log(probability if label else 1 - probability))

    expected = [one(0.3, 1) + one(-1.0, 0), one(-2.0, 0), one(40.0, 1)]
    assert attribute_losses(logits, labels).tolist() == pytest.approx(expected, rel=1e-5, abs=1e-7)
    assert attribute_losses(logits.bfloat16(), labels).dtype == torch.float32


def test_unknown_labels_have_no_gradient() -> None:
    logits = torch.randn(4, 3, requires_grad=True)
    labels = torch.tensor([[-1, 1, 0]] * 4, dtype=torch.int8)
    attribute_losses(logits, labels).sum().backward()
    assert logits.grad is not None
    assert not logits.grad[:, 0].any() and logits.grad[:, 1:].all()


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu") == CPU
    for name in ("cdua", "meta", "mps", ""):
        with pytest.raises(DeviceError, match=f"unknown device '{name}': use auto, cpu or cuda"):
            choose_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert choose_device("auto") == CPU
    with pytest.raises(DeviceError, match="no device 'cuda' on this machine: use --device cpu") as refused:
        choose_device("cuda")
    assert refused.value.exit_code == 2
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device("cuda:0").index == 0
    with pytest.raises(DeviceError, match="no device 'cuda:1'"):
        choose_device("cuda:1")


def test_training_validates_with_the_average_and_goes_on_with_the_network(
    recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Validation uses the averaged weights and puts the trained ones back."""
    seen: list[bool] = []
    real = loop._validate

    def watched(network: Any, average: Any, *rest: Any) -> dict[str, float]:
        before = {name: value.clone() for name, value in network.state_dict().items()}
        used: dict[str, Tensor] = {}
        predict = RunModel.predict_rows

        def spy(model: RunModel, *arguments: Any) -> Any:
            used.update({name: value.clone() for name, value in model.network.state_dict().items()})
            return predict(model, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(RunModel, "predict_rows", spy)
            scores = real(network, average, *rest)
        seen.append(all(torch.equal(used[name], average.tensors[name]) for name in used))
        seen.append(all(torch.equal(before[name], value) for name, value in network.state_dict().items()))
        seen.append(not torch.equal(before["logit_weight"], used["logit_weight"]))
        return scores

    monkeypatch.setattr(loop, "_validate", watched)
    train(recipe, pack, run)
    assert len(seen) == 9 and all(seen)
