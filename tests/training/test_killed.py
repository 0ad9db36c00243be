"""SIGKILL at any moment loses at most the steps since the last checkpoint, and never a bit."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import torch

from facelocus.data import Pack
from facelocus.nn.backbones import TRUNKS
from facelocus.training import log
from facelocus.training.recipe import Recipe
from killed import count_operations
from short_runs import results, train
from tiny_trunk import TinyTrunk

KILLS = 50


def whole_run(recipe: str, pack: Path, run: Path, counted: Path, killed_at: int | None) -> None:
    """A run that saves after each step, in a process of its own; see killed.py."""
    torch.set_num_threads(1)
    TRUNKS["tiny"] = TinyTrunk
    log.LOG_EVERY, log.SAVE_EVERY = 3, 0.0
    operations = count_operations(killed_at)
    train(Recipe.from_json(json.loads(recipe)), Pack.open(pack), run)
    counted.write_text(str(operations()))


def test_killed_at_fifty_random_moments(
    uninterrupted: dict[str, Any], recipe: Recipe, pack: Pack, tmp_path: Path
) -> None:
    """From the first file of the folder to the last: whatever a kill interrupts, the run ends as it would have.

    Half of the kills come before a random file operation, which however slow the machine is that moment; half at a
    random time.
    """
    # Its server has torch loaded: a process starts in milliseconds.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["facelocus.training.loop", __name__])
    moments, run, counted = random.Random(0), tmp_path / "run", tmp_path / "counted"

    def start(killed_at: int | None = None) -> Any:
        arguments = (json.dumps(recipe.to_json()), pack.folder, run, counted, killed_at)
        process = processes.Process(target=whole_run, args=arguments)
        process.start()
        return process

    start().join()
    assert results(run) == uninterrupted
    shutil.rmtree(run)
    began = time.monotonic()
    start().join()
    duration, operations = time.monotonic() - began, int(counted.read_text())
    kills = rounds = finished = 0
    stages = set()
    while kills < KILLS:
        if (run / "weights.safetensors").exists():
            assert results(run) == uninterrupted
            shutil.rmtree(run)
            finished += 1
        rounds += 1
        if rounds % 2:
            process = start(moments.randrange(operations))
            process.join()
        else:
            process = start()
            # Half of them early, so that runs do not all get far before the first kill.
            process.join(moments.uniform(0, duration if moments.random() < 0.5 else duration / 4))
            process.kill()
            process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        if process.exitcode:
            kills += 1
            stages.add(tuple(sorted(file.name for file in run.iterdir())) if run.exists() else ())
    train(recipe, pack, run)
    assert results(run) == uninterrupted
    assert not list(run.glob(".*"))
    assert finished >= 1 and len(stages) >= 3, "the kills hit too few different moments"
