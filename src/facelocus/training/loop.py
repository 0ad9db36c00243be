"""The run: from a recipe and a Pack to a folder with weights."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from facelocus.data.pack import Pack
from facelocus.errors import (
    DeviceError,
    FacelocusError,
    RecipeError,
    StoppedError,
    UsageError,
)
from facelocus.files import write_atomically
from facelocus.metrics import choose_thresholds
from facelocus.metrics.accuracy import Confusion, mean_over_attributes
from facelocus.nn.network import RegionNetwork
from facelocus.nn.weights import round_to_half, save_tensors
from facelocus.training import checkpoint
from facelocus.training.augment import augment
from facelocus.training.batches import Batches
from facelocus.training.folder import Metrics, claim
from facelocus.training.interrupt import stop_requested
from facelocus.training.memory import keep_freed_memory
from facelocus.training.optimizer import MovingAverage, build_optimizer, set_rate
from facelocus.training.plan import Plan
from facelocus.training.recipe import Recipe
from facelocus.training.record import run_record
from facelocus.training.run import FILE, RunModel, load_weights

#: Steps between two lines of metrics.
LOG_EVERY = 50
#: Seconds between two checkpoints.
SAVE_EVERY = 120.0


def attribute_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the binary cross-entropy of each attribute, summed over images: A.

    Section 3.1: one cross-entropy a sub-network, the losses add. Unknown labels (-1) count nothing.
    """
    known = labels >= 0
    losses = F.binary_cross_entropy_with_logits(logits.float(), labels.clamp(min=0).float(), reduction="none")
    return (losses * known).sum(0)


def choose_device(name: str) -> torch.device:
    """Return the device of a name: "auto" is CUDA where there is one.

    Raises:
        DeviceError: this machine has no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(f"unknown device {name!r}: use auto, cpu or cuda") from error
    if device.type not in ("cpu", "cuda"):
        raise DeviceError(f"unknown device {name!r}: use auto, cpu or cuda")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(f"no device {name!r} on this machine: use --device cpu")
    return device


def train(
    recipe: Recipe,
    pack: Pack,
    run: Path,
    *,
    name: str,
    device: torch.device,
    start: Path | None = None,
    progress: bool = True,
) -> None:
    """Train into a run folder, or go on where that folder's checkpoint stands.

    The folder holds recipe.json, record.json, metrics.jsonl, checkpoint.safetensors, and at the end
    weights.safetensors with validation.npz. On a CPU with the same number of threads, a run stopped at any moment and
    continued ends with the same bits as one that was not.

    Args:
        recipe: what to do.
        pack: labelled faces; "train" rows are fitted, "validation" rows choose thresholds.
        run: the folder; created where missing.
        name: how the recipe is called in records and messages.
        device: see choose_device.
        start: a finished run's folder or a model file whose weights to start from.
        progress: show a bar and lines on stderr.

    Raises:
        UsageError: the folder holds a run of another recipe or of other data, or the weights to start from are of
            another network.
        ModelFileError: `start` cannot be read.
        RecipeError: the network cannot be built, or cannot take the size of a phase; no folder is made then.
        FacelocusError: the loss is no longer a number.
        StoppedError: stopped by Ctrl-C or SIGTERM, after saving.
        StorageError: the folder cannot be written.
    """
    rows = pack.rows("train", exclude=recipe.left_out_names())
    plan = Plan(recipe, len(rows))
    begin, description = load_weights(start) if start else (None, {"training": None})
    record = run_record(recipe, pack, name, device, len(rows), description["training"])
    if device.type == "cpu":
        keep_freed_memory()
    torch.manual_seed(recipe.seed)
    network = recipe.network.build(pack.attributes)
    _try_sizes(network, recipe)
    if begin is None:
        network.start_at(_rates(pack.labels[rows]))
    else:
        _start_from(begin, network, start)
    record = claim(run, recipe, record)
    if (run / FILE).exists():
        return

    network.trunk.to(memory_format=torch.channels_last)
    network.to(device)
    optimizer = build_optimizer(network, recipe.optimizer)
    average = MovingAverage(network, recipe.ema)
    losses = torch.zeros(len(pack.attributes), device=device)
    first, seconds = 0, 0.0
    if (run / checkpoint.FILE).exists():
        first, seconds = checkpoint.load_checkpoint(run, network, average, optimizer, losses)
    metrics = Metrics(run / "metrics.jsonl", first)
    batches = Batches(pack, rows, recipe.batch_size, recipe.seed, device)
    generator = torch.Generator(device)
    started = saved_at = logged_at = time.monotonic()
    bar = tqdm(total=plan.steps, initial=first, unit="step", disable=None if progress else True, smoothing=0.05)
    phase = -1
    with stop_requested() as stop, bar:
        for step, faces, labels in batches.steps(first, plan.steps):
            if plan.phase(step) != phase:
                phase = plan.phase(step)
                network.set_input_size(recipe.phases[phase].size or recipe.network.size, recipe.network.crop)
            network.train()
            generator.manual_seed(int(np.random.SeedSequence((recipe.seed, step)).generate_state(1)[0]))
            rate = recipe.optimizer.rate * recipe.schedule.factor(step, plan.steps)
            set_rate(optimizer, rate)
            frames = augment(faces.permute(0, 3, 1, 2).float(), recipe.augment, generator)
            with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
                logits = network(frames)
            by_attribute = attribute_losses(logits, labels)
            (by_attribute.sum() / len(labels)).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            average.update(network, plan.since(step))
            losses += by_attribute.detach() / len(labels)
            bar.update()

            done = step + 1
            if done % LOG_EVERY == 0 or done == plan.steps:
                steps = (done - 1) % LOG_EVERY + 1
                now = time.monotonic()
                _refuse_nan(losses, run, done)
                line = _loss_line(network, losses / steps)
                speed = recipe.batch_size * (min(steps, done - first)) / (now - logged_at)
                metrics.write({"step": done, "epoch": round(done / plan.steps_an_epoch, 4), "rate": rate} | line)
                bar.set_postfix_str(_readable(line, speed))
                losses.zero_()
                logged_at = now
            ends_phase = done == plan.ends[phase]
            if (ends_phase or done % plan.steps_an_epoch == 0) and len(pack.rows("validation")):
                scores = _validate(network, average, pack, recipe, device)
                metrics.write({"step": done, "validation": scores})
                if progress:
                    bar.write(f"step {done}: validation accuracy {scores['mean_accuracy']:.2f} %, "
                              f"balanced {scores['mean_balanced_accuracy']:.2f} %", file=sys.stderr)  # fmt: skip
                logged_at = time.monotonic()
            if stop.asked or time.monotonic() - saved_at > SAVE_EVERY:
                _refuse_nan(losses, run, done)
                saved_at = time.monotonic()
                spent = seconds + saved_at - started
                checkpoint.save_checkpoint(run, done, network, average, optimizer, losses, spent)
                if stop.asked and done < plan.steps:
                    raise StoppedError(
                        f"stopped after step {done} of {plan.steps}: the same command goes on from there"
                    )
    seconds = round(seconds + time.monotonic() - started, 1)
    _finish(run, pack, network, average, record | {"seconds": seconds})


def _start_from(begin: RegionNetwork, network: RegionNetwork, source: Path | None) -> None:
    """Copy the weights of another network of the same layers and attributes."""
    if begin.attributes != network.attributes:
        raise UsageError(f"{source}: was trained for other attributes than the data has: leave out --from")
    try:
        network.load_state_dict(begin.state_dict())
    except RuntimeError as error:
        raise UsageError(f"{source}: is another network than the recipe's: leave out --from") from error


def _try_sizes(network: RegionNetwork, recipe: Recipe) -> None:
    """Refuse a recipe of which a phase's size does not suit its network, before anything is written."""
    for phase in recipe.phases:
        try:
            network.set_input_size(phase.size or recipe.network.size, recipe.network.crop)
        except ValueError as error:
            raise RecipeError(f"phases: {error}") from error


def _refuse_nan(losses: Tensor, run: Path, step: int) -> None:
    """Stop before a loss that is no number reaches metrics or checkpoint."""
    if not torch.isfinite(losses).all():
        raise FacelocusError(
            f"{run}: the loss is no longer a number at step {step}: lower optimizer.rate and choose another --to"
        )


def _validate(
    network: RegionNetwork, average: MovingAverage, pack: Pack, recipe: Recipe, device: torch.device
) -> dict[str, float]:
    """Score the moving average on the validation rows at a threshold of one half; percent."""
    rows = pack.rows("validation")
    current = {key: value.clone() for key, value in network.state_dict().items()}
    network.load_state_dict(average.tensors)
    try:
        model = RunModel(network, precision=recipe.precision)
        probabilities = model.predict_rows(pack, rows)
    finally:
        network.load_state_dict(current)
    counts = Confusion.count(pack.labels[rows], probabilities, 0.5)
    return {
        "mean_accuracy": round(100 * float(mean_over_attributes(counts.accuracy)), 4),
        "mean_balanced_accuracy": round(100 * float(mean_over_attributes(counts.balanced_accuracy)), 4),
    }


def _rates(labels: npt.NDArray[np.int8]) -> Tensor:
    """Return how often each attribute is present among its known labels, A, kept off 0 and 1."""
    known = (labels >= 0).sum(0)
    return torch.from_numpy(((labels == 1).sum(0) + 1) / (known + 2)).float()


def _finish(run: Path, pack: Pack, network: RegionNetwork, average: MovingAverage, record: dict[str, Any]) -> None:
    """Round the average to half precision, choose thresholds with exactly that network, and keep both."""
    state = round_to_half(average.tensors)
    network.load_state_dict(state)
    network.set_input_size(network.spec.size, network.spec.crop)
    rows = pack.rows("validation")
    labels = pack.labels[rows]
    probabilities = RunModel(network).predict_rows(pack, rows)
    with io.BytesIO() as buffer:
        np.savez_compressed(buffer, rows=rows, labels=labels, probabilities=probabilities)
        write_atomically(run / "validation.npz", buffer.getvalue())
    thresholds = choose_thresholds(labels, probabilities)
    description = {
        "network": msgspec.to_builtins(network.spec),
        "attributes": network.attributes.to_json(),
        "thresholds": {kind: values.tolist() for kind, values in thresholds.items()},
        "training": record,
    }
    write_atomically(run / "record.json", json.dumps(record, indent=1))
    save_tensors(state, description, run / FILE)


def _loss_line(network: RegionNetwork, losses: Tensor) -> dict[str, Any]:
    regions = network.attributes.regions
    summed = torch.zeros(len(regions), device=losses.device).index_add_(0, network.region_index, losses)
    by_region = dict(zip(regions, (round(value, 5) for value in summed.tolist()), strict=True))
    return {"loss": round(float(losses.sum()), 5), "loss_by_region": by_region}


def _readable(line: dict[str, Any], speed: float) -> str:
    regions = " ".join(f"{name.split()[0]} {value:.2f}" for name, value in line["loss_by_region"].items())
    return f"loss {line['loss']:.2f} ({regions}) {speed:.0f} images/s"
