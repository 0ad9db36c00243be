"""Measure what one more region costs: ours, where all sub-networks are one computation, beside the plain loop.

    python benchmarks/cost/regions.py --to results/bench

The 40 attributes are divided evenly among 1 to 32 regions of the recipe `default`'s network, at the size of its first
phase, on noise, without a GPU. Ours and the loop (facelocus.bench.reference) take turns: a training step, the
probabilities of a batch, and the sub-networks alone, forward and backward on features that lie there. Memory is what
two training steps add at their peak, in a process for each point.
"""

from __future__ import annotations

import argparse
import copy
import statistics
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from facelocus.attributes import CELEBA, AttributeSet
from facelocus.bench.reference import PlainNetwork
from facelocus.bench.step import TrainingStep
from facelocus.bench.timing import Step, alternate
from facelocus.nn.network import RegionNetwork
from facelocus.recipes import load_recipe
from facelocus.training.memory import keep_freed_memory
from growth import alone, keep_costs

CPU = torch.device("cpu")
REGIONS = (1, 2, 4, 8, 16, 32)
BATCH = 16
ROUNDS = 3
SIDES = ("ours", "plain loop")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, required=True, help="folder of the record and its picture")
    options = parser.parse_args()
    seconds: dict[str, dict[int, float]] = {}
    peaks: dict[str, dict[int, float]] = {}
    for regions in REGIONS:
        for name, spent in times(regions, BATCH, ROUNDS).items():
            seconds.setdefault(name, {})[regions] = spent
        print(regions, {name: round(points[regions], 4) for name, points in seconds.items()}, flush=True)
    print("all times are taken; memory next", flush=True)
    for regions in REGIONS:
        for side in SIDES:
            _, added = alone(two_steps, regions, BATCH, side)
            peaks.setdefault(f"training step, {side}", {})[regions] = added
    recipe = load_recipe("default")
    about = {
        "axis": "regions",
        "about": f"recipe default at {recipe.phases[0].size}, a batch of {BATCH}, fp32",
        "precision": "fp32",
        "batch": BATCH,
        "rounds": ROUNDS,
    }
    keep_costs(options.to / "cost_regions.json", about, seconds, peaks)


def divided(regions: int) -> AttributeSet:
    """Return the 40 attributes on so many regions, as evenly as it goes."""
    names = tuple(f"region {region + 1}" for region in range(regions))
    return AttributeSet(CELEBA.names, names, tuple(names[a * regions // len(CELEBA)] for a in range(len(CELEBA))))


def pair(regions: int) -> dict[str, nn.Module]:
    """Return both sides, of equal weights."""
    torch.manual_seed(0)
    recipe = load_recipe("default")
    spec = replace(recipe.network, size=recipe.phases[0].size, imagenet=False)
    ours = spec.build(divided(regions))
    ours.trunk.to(memory_format=torch.channels_last)
    return dict(zip(SIDES, (ours, PlainNetwork(ours)), strict=True))


def times(regions: int, batch: int, rounds: int) -> dict[str, float]:
    """Return the median seconds of each line."""
    keep_freed_memory()
    recipe = replace(load_recipe("default"), precision="fp32")
    steps: dict[str, Step] = {}
    for side, network in pair(regions).items():
        steps[f"training step, {side}"] = TrainingStep(network, recipe, CPU, batch)
        steps[f"probabilities, {side}"] = scoring(copy.deepcopy(network), batch)
        steps[f"sub-networks alone, {side}"] = heads(copy.deepcopy(network), batch)
    return {name: statistics.median(spent) for name, spent in alternate(steps, rounds, CPU).items()}


def scoring(network: nn.Module, batch: int) -> Step:
    network.eval()
    frames = 255 * torch.rand(batch, 3, 218, 178)

    def score() -> Tensor:
        with torch.inference_mode():
            return torch.sigmoid(network(frames))

    return score


def heads(network: nn.Module, batch: int) -> Step:
    """Return the sub-networks' way forward and back."""
    assert isinstance(network, RegionNetwork | PlainNetwork)
    with torch.no_grad():
        frames = torch.rand(batch, 3, *network.spec.size).contiguous(memory_format=torch.channels_last)
        like = network.trunk(frames)
    shared = torch.randn_like(like).requires_grad_()

    def step() -> None:
        if isinstance(network, RegionNetwork):
            logits = network.heads(shared)
            assert isinstance(logits, Tensor)
        else:
            logits = torch.cat([sub_network(shared) for sub_network in network.sub_networks], 1)
        logits.sum().backward()
        network.zero_grad(set_to_none=True)

    return step


def two_steps(regions: int, batch: int, side: str) -> None:
    """Take two training steps of one side: the first one allocates, the second one keeps the optimiser's state."""
    keep_freed_memory()
    recipe = replace(load_recipe("default"), precision="fp32")
    step = TrainingStep(pair(regions)[side], recipe, CPU, batch)
    step()
    step()


if __name__ == "__main__":
    main()
