"""Whether the fast form trains to the same accuracy as the plain reference: short trainings of both, seed by seed.

    python benchmarks/equal_training.py PACK --json results/bench/equal_training.json

Both begin with the same weights and see the same faces in the same order, mirrored alike. What they compute is equal up
to rounding, which a training enlarges: what is compared is the difference between the two with that between seeds.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from tqdm import tqdm

from facelocus.bench.reference import PlainNetwork
from facelocus.data import Pack, open_pack
from facelocus.files import write_record
from facelocus.grids import load_grid
from facelocus.metrics.accuracy import Confusion, mean_over_attributes
from facelocus.provenance import commit, now, versions
from facelocus.training.augment import augment
from facelocus.training.batches import Batches
from facelocus.training.loop import attribute_losses
from facelocus.training.memory import keep_freed_memory
from facelocus.training.recipe import Recipe
from facelocus.training.record import device_name
from facelocus.training.start import first_network
from facelocus.training.world import World

RECIPE = load_grid("paper_small").recipes["tf_efficientnet_lite0/pse_conv"]
_CPU = torch.device("cpu")
_AT_ONCE = 128


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the fast form and the plain reference, and compare.")
    parser.add_argument("pack", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    keep_freed_memory()
    record = measured(open_pack(options.pack), RECIPE, options.seeds)
    write_record(options.json, record)


def measured(pack: Pack, recipe: Recipe, seeds: int) -> dict[str, Any]:
    """Return test accuracy in percent of both sides by seed, their differences, and what seeds differ by."""
    found: dict[str, list[float]] = {"ours": [], "reference": []}
    for seed in range(seeds):
        its = replace(recipe, seed=seed)
        rows = pack.rows("train", exclude=its.left_out_names())
        ours = first_network(its, pack.attributes, pack.labels[rows], None)
        reference = PlainNetwork(ours)
        for side, network in (("ours", ours), ("reference", reference)):
            _train(network, its, Batches(pack, rows, its.batch_size, seed, _CPU, World()))
            found[side].append(_accuracy(network, pack, pack.rows("test")))
    apart = np.array(found["ours"]) - np.array(found["reference"])
    return {
        "what": "equal_training",
        "unit": "percent of right answers on test faces, at one half",
        **{side: [round(value, 4) for value in values] for side, values in found.items()},
        "mean_difference": round(float(apart.mean()), 4),
        "standard_deviation_over_seeds": round(float(np.std(found["reference"], ddof=1)), 4) if seeds > 1 else None,
        "iterations": recipe.phases[0].iterations,
        "batch": recipe.batch_size,
        "size": list(recipe.network.size),
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "device_name": device_name(_CPU),
        "commit": commit(),
        "date": now(),
        "versions": versions("torch", "timm"),
    }


def _train(network: nn.Module, recipe: Recipe, batches: Batches) -> None:
    spec, steps = recipe.optimizer, recipe.phases[0].iterations
    optimizer = torch.optim.AdamW(network.parameters(), lr=spec.rate, weight_decay=spec.weight_decay)
    network.train()
    generator = torch.Generator()
    for step, faces, labels in tqdm(batches.steps(0, steps), total=steps, leave=False, disable=None):
        for group in optimizer.param_groups:
            group["lr"] = spec.rate * recipe.schedule.factor(step, steps, steps)
        generator.manual_seed(step)
        frames = augment(faces.permute(0, 3, 1, 2).float(), recipe.augment, generator)
        optimizer.zero_grad()
        (attribute_losses(network(frames), labels).sum() / len(labels)).backward()
        optimizer.step()


@torch.no_grad()
def _accuracy(network: nn.Module, pack: Pack, rows: npt.NDArray[np.int64]) -> float:
    network.eval()
    answers = [
        torch.sigmoid(network(torch.from_numpy(pack.frames(rows[at : at + _AT_ONCE])).permute(0, 3, 1, 2).float()))
        for at in range(0, len(rows), _AT_ONCE)
    ]
    counts = Confusion.count(pack.labels[rows], torch.cat(answers).numpy(), 0.5)
    return 100 * float(mean_over_attributes(counts.accuracy))


if __name__ == "__main__":
    main()
