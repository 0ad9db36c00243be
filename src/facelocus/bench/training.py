"""A recipe's training step: frames on the device, forward, loss, backward, optimiser.

Left out on both sides: random changes of the frames, and the moving average. Every layer learns, at the size of the
recipe's last phase.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from facelocus.attributes import CELEBA, FRAME
from facelocus.bench.limits import operations, share_of_limit
from facelocus.bench.parts import step_parts
from facelocus.bench.reference import PlainNetwork
from facelocus.bench.step import TrainingStep
from facelocus.bench.timing import Step, alternate, rates
from facelocus.errors import FacelocusError
from facelocus.nn.network import RegionNetwork
from facelocus.provenance import commit, now, versions
from facelocus.training.memory import keep_freed_memory
from facelocus.training.recipe import Recipe
from facelocus.training.record import device_name

#: Largest difference of logits, in single precision, between ours and the reference.
TOLERANCE = 1e-3


def training_record(recipe: Recipe, name: str, device: torch.device, rounds: int) -> dict[str, Any]:
    """Return the record of a recipe's training step.

    Args:
        recipe: what is trained.
        name: how the recipe is called.
        device: see choose_device.
        rounds: turns that ours and the reference take.

    Raises:
        RecipeError: the network cannot be built.
        FacelocusError: the reference computes something else.
    """
    if device.type == "cpu":
        keep_freed_memory()
    recipes = {"": recipe}
    if recipe.network.attention != "none":
        recipes[" without"] = replace(recipe, network=replace(recipe.network, attention="none"))
    networks: dict[str, nn.Module] = {}
    for which, its_recipe in recipes.items():
        ours = _network(its_recipe)
        reference = PlainNetwork(ours)
        _compare(ours, reference)
        if device.type == "cuda" and recipe.precision == "bf16":
            reference.to(memory_format=torch.channels_last)
        networks |= {f"ours{which}": ours.to(device), f"reference{which}": reference.to(device)}
    steps: dict[str, Step] = {key: TrainingStep(network, recipe, device) for key, network in networks.items()}
    record = {
        "what": "training_step",
        "recipe": name,
        "network": recipe.network.trunk,
        "attention": recipe.network.attention,
        "size": list(recipe.network.crop or recipe.phases[-1].size or recipe.network.size),
        "precision": recipe.precision,
        "batch": recipe.batch_size,
        "device_name": device_name(device),
        "device": device.type,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "rounds": rounds,
    }
    record |= rates(alternate(steps, rounds, device), recipe.batch_size)
    network = networks["ours"]
    assert isinstance(network, RegionNetwork)
    forward = operations(TrainingStep(network, recipe, device, batch=2).logits) / 2
    record |= share_of_limit(record, 3 * forward, device)
    record["parts"] = step_parts(network, TrainingStep(network, recipe, device), rounds)
    return record | {"commit": commit(), "date": now(), "versions": versions("torch", "timm")}


def _network(recipe: Recipe) -> RegionNetwork:
    torch.manual_seed(0)
    network = replace(recipe.network, size=recipe.phases[-1].size or recipe.network.size).build(CELEBA)
    network.trunk.to(memory_format=torch.channels_last)
    return network


@torch.no_grad()
def _compare(network: RegionNetwork, reference: PlainNetwork) -> None:
    frames = 255 * torch.rand(2, 3, *FRAME[:2], generator=torch.Generator().manual_seed(0))
    difference = float((network.eval()(frames) - reference.eval()(frames)).abs().max())
    if not difference < TOLERANCE:
        raise FacelocusError(f"the reference's logits differ by {difference:.2g}: compare nothing, report it")
