"""Running, disturbing and reading the short runs of the training tests."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from facelocus.data import Pack
from facelocus.errors import StoppedError
from facelocus.nn.weights import read_tensors
from facelocus.training import loop
from facelocus.training.recipe import Recipe
from facelocus.training.teachers import Teachers

CPU = torch.device("cpu")
STEPS = 11  # of the recipe fixture: 5 and 6


def train(recipe: Recipe, pack: Pack, run: Path, *teachers: Path) -> None:
    taught_by = Teachers.read(teachers, pack.attributes) if teachers else None
    loop.train(recipe, pack, run, name="tiny", device=CPU, teachers=taught_by, progress=False)


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


def stop_in_step(
    step: int, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, pack: Pack, run: Path, *teachers: Path
) -> None:
    """Train until Ctrl-C in a step, counted from 1: the run is saved after it."""
    at_steps(monkeypatch, ctrl_c, step)
    with pytest.raises(StoppedError):
        train(recipe, pack, run, *teachers)
