"""One training step, to be timed whole or by its parts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facelocus.attributes import CELEBA, FRAME
from facelocus.nn.network import RegionNetwork
from facelocus.training.loop import attribute_losses
from facelocus.training.optimizer import build_optimizer
from facelocus.training.precision import precision_on
from facelocus.training.recipe import Recipe


class TrainingStep:
    """One network with its optimiser and a batch of noise; calling it takes a step.

    Args:
        network: a RegionNetwork or the reference of one.
        recipe: batch size, precision, optimiser.
        device: where it runs.
        batch: faces; None for the recipe's.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, device: torch.device, batch: int | None = None) -> None:
        self.network, self.device, self.bf16 = network.train(), device, precision_on(device, recipe.precision) == "bf16"
        count = batch or recipe.batch_size
        generator = torch.Generator().manual_seed(0)
        self.faces = torch.randint(0, 256, (count, *FRAME), generator=generator, dtype=torch.uint8).to(device)
        self.labels = torch.randint(0, 2, (count, len(CELEBA)), generator=generator, dtype=torch.int8).to(device)
        self.optimizer = _optimizer(network, recipe)

    def logits(self) -> Tensor:
        frames = self.faces.permute(0, 3, 1, 2).float()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits: Tensor = self.network(frames)
        return logits

    def loss(self, logits: Tensor) -> Tensor:
        return attribute_losses(logits, self.labels).sum() / len(self.labels)

    def update(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def __call__(self) -> None:
        self.loss(self.logits()).backward()
        self.update()


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    spec = recipe.optimizer
    if isinstance(network, RegionNetwork):
        return build_optimizer(network, spec)
    if spec.kind == "sgd":
        return torch.optim.SGD(
            network.parameters(), lr=spec.rate, momentum=spec.momentum, weight_decay=spec.weight_decay, fused=True
        )
    return torch.optim.AdamW(network.parameters(), lr=spec.rate, weight_decay=spec.weight_decay, fused=True)
