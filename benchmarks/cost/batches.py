"""Measure how time and memory grow with the size of a batch: a training step, and what a model file answers.

    python benchmarks/cost/batches.py --to results/bench

The step is the recipe `default`'s at the size of its first phase, the model file the shipped `default`, both on noise
and without a GPU; each point has a process of its own, in which the other panel's memory is added.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from facelocus.attributes import CELEBA, FRAME
from facelocus.bench.step import TrainingStep
from facelocus.bench.timing import alternate
from facelocus.model import Model
from facelocus.recipes import load_recipe
from facelocus.training.memory import keep_freed_memory
from growth import alone, keep_costs

CPU = torch.device("cpu")
BATCHES = (2, 4, 8, 16, 32, 64, 128)
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, required=True, help="folder of the record and its picture")
    options = parser.parse_args()
    works = {"training step": training, "probabilities, one run of the network": scoring}
    seconds: dict[str, dict[int, float]] = {name: {} for name in works}
    peaks: dict[str, dict[int, float]] = {name: {} for name in works}
    for name, work in works.items():
        for batch in BATCHES:
            seconds[name][batch], peaks[name][batch] = alone(work, batch, ROUNDS)
            print(name, batch, round(seconds[name][batch], 4), peaks[name][batch], flush=True)
    about = {
        "axis": "faces in a batch",
        "about": f"recipe default at {load_recipe('default').phases[0].size}, model file default, fp32",
        "precision": "fp32",
        "rounds": ROUNDS,
        "model": Model.load("default").sha256,
    }
    keep_costs(options.to / "cost_batches.json", about, seconds, peaks)


def training(batch: int, rounds: int) -> float:
    """Return the median seconds of a training step."""
    keep_freed_memory()
    torch.manual_seed(0)
    recipe = replace(load_recipe("default"), precision="fp32")
    network = replace(recipe.network, size=recipe.phases[0].size, imagenet=False).build(CELEBA)
    network.trunk.to(memory_format=torch.channels_last)
    step = TrainingStep(network, recipe, CPU, batch)
    return statistics.median(alternate({"step": step}, rounds, CPU)["step"])


def scoring(batch: int, rounds: int) -> float:
    """Return the median seconds of one run of the network over so many faces."""
    model = Model.load("default")
    faces = np.random.default_rng(0).integers(0, 256, (batch, *FRAME), dtype=np.uint8)
    run = {"run": lambda: model.predict(faces, batch=batch)}
    return statistics.median(alternate(run, rounds, CPU)["run"])


if __name__ == "__main__":
    main()
