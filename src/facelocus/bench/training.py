"""A recipe's training step: frames on the device, forward, loss, backward, optimiser.

Left out on both sides: random changes of the frames, and the moving average. Every layer learns, at the size of the
recipe's last phase.

On a processor the reference runs in a process of its own, as a plain script does: ours has told the allocator to keep
freed memory, which would tell the reference as well. It is timed in our process too, so that both can be told apart.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from facelocus.attributes import CELEBA, FRAME
from facelocus.bench.apart import apart
from facelocus.bench.limits import operations, operations_a_second, share_of_limit
from facelocus.bench.parts import step_parts
from facelocus.bench.reference import PlainNetwork
from facelocus.bench.step import TrainingStep
from facelocus.bench.timing import Step, alternate, rates
from facelocus.errors import FacelocusError
from facelocus.nn.depthwise import own_gradients
from facelocus.nn.network import RegionNetwork
from facelocus.provenance import commit, now, versions
from facelocus.training.memory import keep_freed_memory
from facelocus.training.precision import precision_on
from facelocus.training.recipe import Recipe
from facelocus.training.record import device_name

#: Largest difference of logits, in single precision, between ours and the reference.
TOLERANCE = 1e-3

#: The reference in our process.
_KEEPING = "reference keeping memory"


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
    precision = precision_on(device, recipe.precision)
    on_processor = device.type == "cpu"
    recipes = {"": recipe}
    if recipe.network.attention != "none":
        recipes[" without"] = replace(recipe, network=replace(recipe.network, attention="none"))
    networks = {which: _ours(its_recipe) for which, its_recipe in recipes.items()}
    with ExitStack() as stack:
        steps: dict[str, Step] = {}
        for which, its_recipe in recipes.items():
            _compare(networks[which], PlainNetwork(networks[which]))
            make = partial(_reference_step, its_recipe, device, torch.get_num_threads())
            steps[f"reference{which}"] = stack.enter_context(apart(make)) if on_processor else make()
            steps[f"ours{which}"] = TrainingStep(networks[which].to(device), its_recipe, device)
        if on_processor:
            keep_freed_memory()
            steps[_KEEPING] = _reference_step(recipe, device, torch.get_num_threads())
        before = operations_a_second(device, precision)
        seconds = alternate(steps, rounds, device)
    record = {
        "what": "training_step",
        "recipe": name,
        "network": recipe.network.trunk,
        "attention": recipe.network.attention,
        "size": list(recipe.network.crop or recipe.phases[-1].size or recipe.network.size),
        "precision": precision,
        "batch": recipe.batch_size,
        "device_name": device_name(device),
        "device": device.type,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "rounds": rounds,
    }
    record |= rates(seconds, recipe.batch_size)
    if on_processor:
        quotient = np.array(seconds[_KEEPING]) / np.array(seconds["ours"])
        record["times_the_reference_keeping_memory"] = round(float(np.median(quotient)), 3)
    network = networks[""]
    # One pass of what a model file computes: what learns may compute more, blocks padded with zeros say.
    frames = torch.zeros(2, *FRAME, dtype=torch.uint8, device=device)
    forward = operations(lambda: network.eval().heads(network.features(frames))) / 2
    record |= share_of_limit(record, 3 * forward, device, before)
    record["parts"] = step_parts(network, TrainingStep(network, recipe, device), rounds)
    return record | {"commit": commit(), "date": now(), "versions": versions("torch", "timm")}


def _ours(recipe: Recipe) -> RegionNetwork:
    torch.manual_seed(0)
    network = replace(recipe.network, size=recipe.phases[-1].size or recipe.network.size).build(CELEBA)
    network.trunk.to(memory_format=torch.channels_last)
    own_gradients(network.trunk)
    return network


def _reference_step(recipe: Recipe, device: torch.device, threads: int) -> TrainingStep:
    torch.set_num_threads(threads)
    reference = PlainNetwork(_ours(recipe))
    if device.type == "cuda" and precision_on(device, recipe.precision) == "bf16":
        reference.to(memory_format=torch.channels_last)
    return TrainingStep(reference.to(device), recipe, device)


@torch.no_grad()
def _compare(network: RegionNetwork, reference: PlainNetwork) -> None:
    frames = 255 * torch.rand(2, 3, *FRAME[:2], generator=torch.Generator().manual_seed(0))
    difference = float((network.eval()(frames) - reference.eval()(frames)).abs().max())
    if not difference < TOLERANCE:
        raise FacelocusError(f"the reference's logits differ by {difference:.2g}: compare nothing, report it")
