"""What becomes of masks while a network learns: their level, spread and saturation, and the slope that reaches W1.

    python benchmarks/localisation/mask_statistics.py CELEBA --json results/localisation/training.json

PSE(b) on the small form of the paper's grid, with the BatchNorm before the logits and without. Every EVERY steps the
masks of the same validation faces are looked at, in training mode as the step itself sees them. Of the squeeze it is
said how much of its variance lies between positions (the same for all faces), between faces, and in both together:
a mean over channels that is alike everywhere could not tell positions apart.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from facelocus.data.pack import Pack, open_pack
from facelocus.files import write_record
from facelocus.grids.paper_small import LITE_SMALL
from facelocus.images.regions import region_maps
from facelocus.metrics.localisation import concentration, likeness, own_and_others
from facelocus.nn.attention.pse import PSEConv
from facelocus.nn.network import RegionNetwork
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.training.batches import Batches
from facelocus.training.loop import attribute_losses
from facelocus.training.memory import keep_freed_memory
from facelocus.training.optimizer import build_optimizer, set_rate
from facelocus.training.plan import Plan
from facelocus.training.recipe import Recipe
from facelocus.training.stage import Stage
from facelocus.training.start import first_network
from facelocus.training.world import joined

#: Steps between two looks, and how many faces are looked at.
EVERY, FACES = 20, 256
#: A mask's value counts as saturated nearer than this to 0 or to 1: its slope is then below 0.05.
SATURATED = 0.05

_PSE = replace(LITE_SMALL, network=replace(LITE_SMALL.network, attention="pse_conv"), precision="fp32")
RECIPES = {"normalised": _PSE, "not normalised": replace(_PSE, network=replace(_PSE.network, normalise=False))}


def main() -> None:
    parser = argparse.ArgumentParser(description="Record masks while networks learn.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    keep_freed_memory()
    pack = open_pack(options.data)
    record = {
        "what": "masks while training",
        "faces": FACES,
        "runs": {name: course(recipe, pack, name) for name, recipe in RECIPES.items()},
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "commit": commit(),
        "date": now(),
        "device": cpu_name(),
        "versions": versions("torch", "timm", "numpy"),
    }
    write_record(options.json, record)


def course(recipe: Recipe, pack: Pack, name: str) -> list[dict[str, Any]]:
    """Train as the recipe says and return what was seen before the first step, every EVERY steps, and at the end."""
    rows = pack.rows("train", exclude=recipe.left_out_names())
    frames = torch.from_numpy(pack.frames(pack.rows("validation")[:FACES]))
    device, plan = torch.device("cpu"), Plan(recipe, len(rows))
    network = first_network(recipe, pack.attributes, pack.labels[rows], None)
    network.trunk.to(memory_format=torch.channels_last)
    optimizer, seen = build_optimizer(network, recipe.optimizer), []
    with joined(device) as world:
        batches = Batches(pack, rows, recipe.batch_size, recipe.seed, device, world)
        stage = Stage(network, recipe, 0, plan.steps, batches)
        for step, batch, labels in tqdm(stage.steps(0, plan.steps), total=plan.steps, desc=name, unit="step"):
            set_rate(optimizer, recipe.optimizer.rate * recipe.schedule.factor(step, plan.steps, plan.steps_an_epoch))
            loss = attribute_losses(stage(batch)[0], labels).sum() / len(labels)
            loss.backward()
            if step % EVERY == 0 or step == plan.steps - 1:
                seen.append({"step": step, "loss": round(loss.item(), 4)} | slopes(network) | look(network, frames))
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    return seen


def slopes(network: RegionNetwork) -> dict[str, float]:
    """Return the length of the gradient at W1 and at the convolution before it, each over that of the weights."""
    attention = network.sub_networks.attention
    assert isinstance(attention, PSEConv)
    return {
        f"gradient at {name}": float(f"{weight.grad.norm() / weight.norm():.4g}")
        for name, weight in (("W1", attention.reduce.weight), ("convolution", network.sub_networks.conv.weight))
        if weight.grad is not None
    }


@torch.no_grad()
def look(network: RegionNetwork, frames: Tensor) -> dict[str, float]:
    """Return statistics of masks and squeeze over faces, mean over regions."""
    attention = network.sub_networks.attention
    assert isinstance(attention, PSEConv)
    kept: list[Tensor] = []
    handle = attention.squeeze.register_forward_hook(lambda _, __, squeezed: kept.append(squeezed))
    counters = {name: value.clone() for name, value in network.named_buffers()}
    masks = torch.cat([network(part, masks=True)[1] for part in frames.split(32)])
    handle.remove()
    for name, value in network.named_buffers():
        value.copy_(counters[name])  # looking moves no statistics
    maps = masks.numpy()
    own, others = own_and_others(concentration(maps, region_maps(size=maps.shape[2:])))
    found = {
        "mean": maps.mean(),
        "spread over positions": maps.std(axis=(2, 3)).mean(),
        "saturated": ((maps < SATURATED) | (maps > 1 - SATURATED)).mean(),
        "likeness of two masks": likeness(maps).mean(),
        "own": own.mean(),
        "others": others.mean(),
    }
    return {name: round(float(value), 4) for name, value in (found | shares(torch.cat(kept))).items()}


def shares(squeezed: Tensor) -> dict[str, float]:
    """Return how the squeeze's variance divides, mean over regions: B x R x 1 x h x w -> shares that add to 1."""
    z = squeezed.flatten(2).numpy().astype(np.float64)
    total = z.var(axis=(0, 2))
    positions = z.mean(axis=0).var(axis=1)
    faces = z.mean(axis=2).var(axis=0)
    return {
        "squeeze: between positions": float((positions / total).mean()),
        "squeeze: between faces": float((faces / total).mean()),
        "squeeze: both": float(((total - positions - faces) / total).mean()),
    }


if __name__ == "__main__":
    main()
