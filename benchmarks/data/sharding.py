"""What training on several processes costs: a step measured here, and on paper for 8 and 64 cards.

    python benchmarks/data/sharding.py --json results/own-data/sharding.json

Measured: a training step of the recipe `default` at its full size by 1 process and by 2 that share the cores (gloo),
each with the same images a process, alternating; and summing the gradient alone. On paper: a ring all-reduce moves
2 (n - 1) / n times the gradient through every card; DistributedDataParallel hides it behind the backward pass (two
thirds of a step) as far as that lasts longer. The link speeds are data sheets', not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from facelocus.attributes import CELEBA
from facelocus.files import write_record
from facelocus.processes import cores
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.recipes import load_recipe
from facelocus.training.loop import attribute_losses
from facelocus.training.optimizer import build_optimizer
from facelocus.training.synchronise import synchronise_norms
from facelocus.training.world import joined

IMAGES = 16  # a process and step
STEPS = 12
ROUNDS = 3
#: Bytes a second through one card in one direction: NVLink 4 within a machine of 8, one 400 Gb/s port a card between.
LINKS = {"8 cards, NVLink 4": (8, 450e9), "64 cards, 400 Gb/s each": (64, 50e9)}
NETWORKS = {
    "tf_efficientnet_lite0, PSE(b)": load_recipe("default").network,
    "alexnet_cvgj, PSE(b)": load_recipe("paper_alex").network,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure data-parallel training, and extend it on paper.")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker()
        return
    record = {"what": "sharding", "measured": measured(), "on_paper": on_paper()} | {
        "commit": commit(),
        "date": now(),
        "device": cpu_name(),
        "cores": cores(),
        "load_at_start": round(os.getloadavg()[0], 1),
        "versions": versions("torch", "timm"),
    }
    write_record(options.json, record)


def measured() -> dict[str, Any]:
    """Return medians over rounds that alternate between 1 and 2 processes."""
    found: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for processes, results in found.items():
            results.append(launch(processes))
    return {
        "images_a_process": IMAGES,
        "network": "tf_efficientnet_lite0, PSE(b)",
        "processes": {
            str(processes): {key: round(statistics.median(result[key] for result in results), 5) for key in results[0]}
            for processes, results in found.items()
        },
    }


def launch(processes: int) -> dict[str, float]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = os.environ | {"OMP_NUM_THREADS": str(max(1, cores() // 2))}
    done = subprocess.run(
        [*command, __file__, "--worker"], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def worker() -> None:
    """Take STEPS steps on random frames; rank 0 prints medians."""
    torch.manual_seed(0)
    recipe = load_recipe("default")
    network = recipe.network.build(CELEBA)
    optimizer = build_optimizer(network, recipe.optimizer)
    frames = torch.rand(IMAGES, 3, 218, 178) * 255
    labels = torch.randint(0, 2, (IMAGES, len(CELEBA)), dtype=torch.int8)
    with joined(torch.device("cpu")) as world:
        learning: nn.Module = network
        if world.size > 1:
            synchronise_norms(network, torch.device("cpu"))
            learning = DistributedDataParallel(network)
        network.train()
        steps, sums = [], []
        for _ in range(STEPS):
            began = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16):
                logits = learning(frames)
            (attribute_losses(logits, labels).sum() / IMAGES).backward()
            optimizer.step()
            optimizer.zero_grad()
            steps.append(time.perf_counter() - began)
            gradient = torch.zeros(parameters(network))
            began = time.perf_counter()
            world.sum(gradient)
            sums.append(time.perf_counter() - began)
        if world.leads:
            print(json.dumps({"step_seconds": statistics.median(steps), "sum_seconds": statistics.median(sums)}))


def on_paper() -> dict[str, Any]:
    """Return gradient bytes, and the least time to sum them, for each network and link."""
    result: dict[str, Any] = {}
    for name, spec in NETWORKS.items():
        count = parameters(spec.build(CELEBA))
        result[name] = {"parameters": count, "gradient_bytes": 4 * count}
        for link, (cards, speed) in LINKS.items():
            moved = 2 * (cards - 1) / cards * 4 * count
            result[name][link] = {
                "bytes_through_a_card": round(moved),
                "bytes_a_second": speed,
                "milliseconds": round(1e3 * moved / speed, 3),
                "hidden_up_to_images_a_second_and_card_at_256_a_step": round(2 / 3 * 256 * speed / moved),
            }
    return result


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    main()
