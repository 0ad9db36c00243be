"""The run: from a recipe and a Pack to a folder with weights."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from facelocus.data.pack import Pack
from facelocus.errors import DeviceError, StoppedError
from facelocus.nn.depthwise import own_gradients
from facelocus.training import checkpoint
from facelocus.training.batches import Batches, some_of
from facelocus.training.checkpoint import State
from facelocus.training.folder import FINISHED, claimed
from facelocus.training.interrupt import Stop, stop_requested
from facelocus.training.log import Log
from facelocus.training.memory import keep_freed_memory
from facelocus.training.optimizer import set_rate
from facelocus.training.plan import Plan
from facelocus.training.recipe import Recipe
from facelocus.training.record import Origin, run_record
from facelocus.training.scoring import finish, validate
from facelocus.training.stage import Stage
from facelocus.training.start import Start, first_network, refuse_wrong_teaching
from facelocus.training.synchronise import synchronise_norms
from facelocus.training.teachers import Answers, Teachers, known_answers
from facelocus.training.world import World, joined


def attribute_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the binary cross-entropy of each attribute, summed over images: A.

    Section 3.1: one cross-entropy a sub-network, the losses add. Unknown labels (-1) count nothing.
    """
    known = labels >= 0
    losses = F.binary_cross_entropy_with_logits(logits.float(), labels.clamp(min=0).float(), reduction="none")
    return (losses * known).sum(0)


def taught_losses(logits: Tensor, labels: Tensor, answers: Tensor, teaching: float) -> Tensor:
    """Return attribute_losses with a share of each that is the cross-entropy to teachers' answers: A.

    Answers are probabilities B x A. They are there where labels are not.
    """
    taught = F.binary_cross_entropy_with_logits(logits.float(), answers, reduction="none").sum(0)
    return (1 - teaching) * attribute_losses(logits, labels) + teaching * taught


def choose_device(name: str) -> torch.device:
    """Return the device of a name: "auto" is CUDA where there is one.

    Raises:
        DeviceError: this machine has no such device.
    """
    if name in ("auto", "cuda") and torch.cuda.is_available():
        # torchrun says which of this machine's processes this is: each has a card of its own.
        name = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    elif name == "auto":
        name = "cpu"
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
    start: Start | None = None,
    teachers: Teachers | None = None,
    origin: Origin | None = None,
    progress: bool = True,
) -> None:
    """Train into a run folder, or go on where that folder's checkpoint stands.

    The folder holds recipe.json, record.json, metrics.jsonl, checkpoint.safetensors, and at the end
    weights.safetensors with validation.npz; teachers that are asked once leave answers.npy. On a CPU with the same
    number of threads, a run stopped at any moment and continued ends with the same bits as one that was not. Started by
    torchrun, each process computes its part of every batch, and losses are those of one process up to rounding.

    Args:
        recipe: what to do.
        pack: labelled faces; "train" rows are fitted, "validation" rows choose thresholds.
        run: the folder; created where missing.
        name: how the recipe is called in records and messages.
        device: see choose_device.
        start: weights to start from.
        teachers: asked of a recipe that is taught.
        origin: what the user asked for; None for a run from Python.
        progress: show a bar and lines on stderr.

    Raises:
        UsageError: the folder holds a run of another recipe or of other data, or another process trains there; the
            weights to start from are of another network.
        RecipeError: a value is none of its field, or the network cannot be built or take the size of a phase; there is
            no folder then.
        FacelocusError: the loss is no longer a number, or another process of the run has ended.
        StoppedError: stopped by Ctrl-C or SIGTERM, after saving.
        StorageError: the folder cannot be written.
    """
    recipe = Recipe.from_json(recipe.to_json())  # one made in Python may hold what no recipe file may
    if device.type == "cpu":
        keep_freed_memory()
    refuse_wrong_teaching(recipe, teachers is not None)
    rows = some_of(pack.rows("train", exclude=recipe.left_out_names()), recipe.share)
    with joined(device) as world:
        plan = Plan(recipe, len(rows), world.size)
        network = first_network(recipe, pack.attributes, pack.labels[rows], start)
        record = run_record(
            recipe,
            pack,
            name,
            device,
            len(rows),
            start.record if start else None,
            teachers.records if teachers else None,
            origin.command if origin else None,
            world.size,
        )
        holding = claimed(run, recipe, record, origin) if world.leads else nullcontext(record)
        with holding as record:
            if world.from_leader((run / FINISHED).exists()):
                return
            if world.size > 1:
                synchronise_norms(network, device)
            network.trunk.to(memory_format=torch.channels_last)
            own_gradients(network.trunk)
            network.to(device)
            if teachers is not None:
                teachers.to(device)
            state = State.begin(network, recipe)
            if (run / checkpoint.FILE).exists():
                state.load(run)
            # The others must have read the checkpoint before a newer one takes its place.
            world.wait()
            batches = Batches(pack, rows, recipe.batch_size, recipe.seed, device, world)
            with Log(run, state, plan, recipe, world, progress) as log:
                answers = _answers(recipe, teachers, batches, run)
                with stop_requested() as stop:
                    _take_steps(pack, recipe, plan, batches, answers, state, log, stop)
                    seconds = round(log.seconds(), 1)
                    finish(run, pack, state, record | {"iterations": plan.steps, "seconds": seconds}, world)
                    # What the leader has written is there for whatever the others do next.
                    world.wait()


def _take_steps(
    pack: Pack,
    recipe: Recipe,
    plan: Plan,
    batches: Batches,
    answers: Answers | None,
    state: State,
    log: Log,
    stop: Stop,
) -> None:
    """Take the steps that are left, validate and save when due.

    Raises:
        StoppedError: `stop` was asked for; saved before.
    """
    world = batches.world
    for phase, (begin, end) in enumerate(zip(plan.begins, plan.ends, strict=True)):
        if state.step >= end:
            continue
        stage = Stage(state.network, recipe, phase, end - begin, batches, answers)
        for step, batch, labels in stage.steps(state.step, end):
            rate = recipe.optimizer.rate * recipe.schedule.factor(step, plan.steps, plan.steps_an_epoch)
            losses = _learn(stage, step, batch, labels, rate, state.optimizer)
            state.average.update(plan.since(step))
            losses, stopping = _together(losses, stop.asked, world)
            state.losses += losses / recipe.batch_size
            state.step = step + 1
            log.step(rate)
            if log.validation_is_due() and len(pack.rows("validation")):
                log.validation(validate(state, pack, recipe, world))
            if stopping or log.save_is_due():
                log.save()
                if stopping and state.step < plan.steps:
                    raise StoppedError(
                        f"stopped after step {state.step} of {plan.steps}: the same command goes on from there"
                    )


def _learn(
    stage: Stage, step: int, batch: Tensor, labels: Tensor, rate: float, optimizer: torch.optim.Optimizer
) -> Tensor:
    """Take one step and return the losses of this process's part by attribute, A."""
    set_rate(optimizer, rate)
    logits, charged = stage(batch)
    answers = stage.answers(step, batch)
    if answers is None:
        losses = attribute_losses(logits, labels)
    else:
        losses = taught_losses(logits, labels, answers, stage.recipe.teaching)
    loss = losses.sum() / len(labels)
    (loss if charged is None else loss + charged).backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return losses.detach()


def _answers(recipe: Recipe, teachers: Teachers | None, batches: Batches, run: Path) -> Answers | None:
    if teachers is None:
        return None
    if not recipe.teaching_once:
        return lambda step, batch: teachers(batch)
    known = known_answers(teachers, batches, run, recipe)
    return lambda step, batch: known[batches.places_of(step)].float()


def _together(losses: Tensor, stopping: bool, world: World) -> tuple[Tensor, bool]:
    """Return the sum of the losses over all processes, and whether any was asked to stop."""
    if world.size == 1:
        return losses, stopping
    both = world.sum(torch.cat([losses, losses.new_full((1,), float(stopping))]))
    return both[:-1], bool(both[-1] > 0)
