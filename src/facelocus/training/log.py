"""What a run tells while it goes on: lines of metrics, a bar, checkpoints."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from facelocus.errors import FacelocusError, StoppedError, StorageError
from facelocus.nn.network import RegionNetwork
from facelocus.training.checkpoint import State
from facelocus.training.folder import Metrics
from facelocus.training.plan import Plan
from facelocus.training.recipe import Recipe
from facelocus.training.world import World

#: Steps between two lines of metrics.
LOG_EVERY = 50
#: Seconds between two checkpoints.
SAVE_EVERY = 120.0


class Log:
    """Metrics, progress bar and checkpoints of a run.

    Only the leading process writes. Leaving it with an error keeps that as the last line of metrics.
    """

    def __init__(self, run: Path, state: State, plan: Plan, recipe: Recipe, world: World, progress: bool) -> None:
        self.run, self.state, self.plan, self.recipe, self.world = run, state, plan, recipe, world
        self.progress = progress and world.leads
        self.metrics = Metrics(run / "metrics.jsonl", state.step) if world.leads else None
        self.timed_from = state.step
        self.before = state.seconds
        self.started = self.saved_at = self.logged_at = time.monotonic()
        self.bar = tqdm(
            total=plan.steps, initial=state.step, unit="step", disable=None if self.progress else True, smoothing=0.05
        )

    def __enter__(self) -> Log:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.bar.close()
        if isinstance(error, FacelocusError) and not isinstance(error, StoppedError) and self.metrics:
            with suppress(StorageError):  # where the disk is full, the error itself says so
                self.metrics.write({"step": self.state.step, "error": str(error)})

    def seconds(self) -> float:
        """Return the seconds of training so far, those before a stop included."""
        return self.before + time.monotonic() - self.started

    def step(self, rate: float) -> None:
        """Count a step; every LOG_EVERY steps write a line.

        Raises:
            FacelocusError: the loss is no longer a number.
        """
        self.bar.update()
        state, done = self.state, self.state.step
        if done % LOG_EVERY and done != self.plan.steps:
            return
        steps = (done - 1) % LOG_EVERY + 1
        now = time.monotonic()
        self._refuse_nan()
        line = _loss_line(state.network, state.losses / steps)
        speed = self.recipe.batch_size * (done - self.timed_from) / (now - self.logged_at)
        if self.metrics:
            epoch = round(done / self.plan.steps_an_epoch, 4)
            self.metrics.write({"step": done, "epoch": epoch, "rate": rate} | line)
        self.bar.set_postfix_str(_readable(line, speed))
        state.losses.zero_()
        self.logged_at, self.timed_from = now, done

    def validation(self, scores: dict[str, float]) -> None:
        """Write a line of scores."""
        if self.metrics:
            self.metrics.write({"step": self.state.step, "validation": scores})
        if self.progress:
            self.bar.write(
                f"step {self.state.step}: validation accuracy {scores['mean_accuracy']:.2f} %, "
                f"balanced {scores['mean_balanced_accuracy']:.2f} %",
                file=sys.stderr,
            )
        self.logged_at, self.timed_from = time.monotonic(), self.state.step

    def validation_is_due(self) -> bool:
        """Whether a phase has ended, or an epoch; of short epochs, the first after LOG_EVERY steps."""
        epochs = -(-LOG_EVERY // self.plan.steps_an_epoch)
        return self.state.step in self.plan.ends or self.state.step % (epochs * self.plan.steps_an_epoch) == 0

    def save_is_due(self) -> bool:
        """Whether SAVE_EVERY seconds have passed."""
        return time.monotonic() - self.saved_at > SAVE_EVERY

    def save(self) -> None:
        """Write a checkpoint.

        Raises:
            FacelocusError: the loss is no longer a number; the checkpoint before stays.
        """
        self._refuse_nan()
        self.saved_at = time.monotonic()
        if self.world.leads:
            self.state.save(self.run, self.seconds())

    def _refuse_nan(self) -> None:
        if not torch.isfinite(self.state.losses).all():
            raise FacelocusError(
                f"{self.run}: the loss is no longer a number at step {self.state.step}: "
                "lower optimizer.rate and choose another --to"
            )


def _loss_line(network: RegionNetwork, losses: Tensor) -> dict[str, Any]:
    regions = network.attributes.regions
    summed = torch.zeros(len(regions), device=losses.device).index_add_(0, network.region_index, losses)
    by_region = dict(zip(regions, (round(value, 5) for value in summed.tolist()), strict=True))
    return {"loss": round(float(losses.sum()), 5), "loss_by_region": by_region}


def _readable(line: dict[str, Any], speed: float) -> str:
    regions = " ".join(f"{name.split()[0]} {value:.2f}" for name, value in line["loss_by_region"].items())
    return f"loss {line['loss']:.2f} ({regions}) {speed:.0f} images/s"
