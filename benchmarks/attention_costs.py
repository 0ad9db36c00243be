"""What each attention costs in the networks of a grid: weights, arithmetic, memory, and the time of a step.

    python benchmarks/attention_costs.py paper_small --json results/paper/costs.json

Steps of all modules of one trunk alternate, so that whatever else the machine does meets all of them alike.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from tqdm import tqdm

from facelocus.attributes import CELEBA, FRAME
from facelocus.bench.limits import operations
from facelocus.files import write_record
from facelocus.grids import load_grid
from facelocus.nn.network import RegionNetwork
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.training.loop import attribute_losses
from facelocus.training.memory import keep_freed_memory
from facelocus.training.optimizer import build_optimizer
from facelocus.training.recipe import Recipe

#: Steps that are timed of each network, after WARM that are not.
STEPS, WARM = 15, 2


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what each attention of a grid costs.")
    parser.add_argument("grid")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    keep_freed_memory()
    trunks: dict[str, dict[str, Recipe]] = {}
    for name, recipe in load_grid(options.grid).recipes.items():
        trunk, module = name.split("/")
        trunks.setdefault(trunk, {})[module] = recipe
    rows = [row for trunk, recipes in trunks.items() for row in measured(trunk, recipes)]
    record = {
        "what": "cost of the attention modules",
        "grid": options.grid,
        "batch": rows[0].pop("batch"),
        "rows": [{key: value for key, value in row.items() if key != "batch"} for row in rows],
        "commit": commit(),
        "date": now(),
        "device": cpu_name(),
        "threads": torch.get_num_threads(),
        "versions": versions("torch", "timm"),
    }
    write_record(options.json, record)


def measured(trunk: str, recipes: dict[str, Recipe]) -> list[dict[str, Any]]:
    """Return a row for each module of a trunk."""
    networks = {module: recipe.network.build(CELEBA) for module, recipe in recipes.items()}
    steps = {module: a_step(network, recipes[module]) for module, network in networks.items()}
    seconds: dict[str, list[float]] = {module: [] for module in steps}
    for _ in tqdm(range(WARM + STEPS), desc=trunk, unit="round"):
        for module, step in steps.items():
            started = time.perf_counter()
            step()
            seconds[module].append(time.perf_counter() - started)
    rows = []
    for module, network in networks.items():
        low, middle, high = np.percentile(seconds[module][WARM:], (25, 50, 75)).round(4).tolist()
        attention = network.sub_networks.attention
        rows.append(
            {
                "trunk": trunk,
                "module": module,
                "size": list(network.spec.crop or network.spec.size),
                "parameters": _count(network),
                "module_parameters": 0 if attention is None else _count(attention),
                "multiply_adds": multiply_adds(network),
                "kept_bytes": kept_bytes(network),
                "step_seconds": middle,
                "step_spread": [low, high],
                "batch": recipes[module].batch_size,
            }
        )
    return rows


def a_step(network: RegionNetwork, recipe: Recipe) -> Callable[[], None]:
    """Return a training step of a network on faces of noise."""
    network.train()
    network.trunk.to(memory_format=torch.channels_last)
    optimizer = build_optimizer(network, recipe.optimizer)
    frames, labels = _faces(recipe.batch_size), torch.randint(0, 2, (recipe.batch_size, len(CELEBA)))

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bf16"):
            logits = network(frames)
        (attribute_losses(logits, labels).sum() / len(labels)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def multiply_adds(network: RegionNetwork) -> int:
    """Return the multiplications of one image's way forward."""
    network.eval()
    return operations(lambda: network(_faces(1))) // 2


def kept_bytes(network: RegionNetwork) -> int:
    """Return the bytes that one image's way forward keeps for the way back, weights aside."""
    network.train()
    weights = {weight.data_ptr() for weight in network.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = network(_faces(8))  # alive meanwhile, so that no storage is counted twice
    del logits
    return sum(kept.values()) // 8


def _faces(count: int) -> Tensor:
    height, width, channels = FRAME
    return 255 * torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(0))


def _count(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


if __name__ == "__main__":
    main()
