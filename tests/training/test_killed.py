"""SIGKILL at any moment loses at most the steps since the last checkpoint, and never a bit."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import time
from pathlib import Path
from typing import Any

import torch

from facelocus.data import Pack
from facelocus.nn.backbones import TRUNKS
from facelocus.training import log
from facelocus.training.recipe import Recipe
from short_runs import results, train
from tiny_trunk import TinyTrunk

KILLS = 50


def whole_run(recipe: str, pack: Path, run: Path) -> None:
    """A run that saves after each step, in a process of its own."""
    torch.set_num_threads(1)
    TRUNKS["tiny"] = TinyTrunk
    log.LOG_EVERY, log.SAVE_EVERY = 3, 0.0
    train(Recipe.from_json(json.loads(recipe)), Pack.open(pack), run)


def test_killed_at_fifty_random_moments(
    uninterrupted: dict[str, Any], recipe: Recipe, pack: Pack, tmp_path: Path
) -> None:
    """From the first file of the folder to the last: whatever a kill interrupts, the run ends as it would have."""
    # Its server has torch loaded: a process starts in milliseconds.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["facelocus.training.loop", __name__])
    moments, run = random.Random(0), tmp_path / "run"

    def start() -> Any:
        process = processes.Process(target=whole_run, args=(json.dumps(recipe.to_json()), pack.folder, run))
        process.start()
        return process

    start().join()
    assert results(run) == uninterrupted
    shutil.rmtree(run)
    began = time.monotonic()
    start().join()
    duration = time.monotonic() - began
    kills = finished = 0
    stages = set()
    while kills < KILLS:
        if (run / "weights.safetensors").exists():
            assert results(run) == uninterrupted
            shutil.rmtree(run)
            finished += 1
        process = start()
        # Half of them early, so that runs do not all get far before the first kill.
        process.join(moments.uniform(0, duration if moments.random() < 0.5 else duration / 4))
        if process.is_alive():
            process.kill()
            process.join()
            kills += 1
            stages.add(tuple(sorted(file.name for file in run.iterdir())) if run.exists() else ())
    train(recipe, pack, run)
    assert results(run) == uninterrupted
    assert not list(run.glob(".*"))
    assert finished >= 1 and len(stages) >= 3, "the kills hit too few different moments"
