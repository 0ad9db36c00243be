"""Parameter groups with their rates, and the moving average of a network."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from facelocus.nn.network import RegionNetwork
from facelocus.training.recipe import Optimizer


def build_optimizer(network: RegionNetwork, spec: Optimizer) -> torch.optim.Optimizer:
    """Return the optimiser; each group keeps its multiple of the rate under "multiple"."""
    trunk = [id(parameter) for parameter in network.trunk.parameters()]
    depth = {key: at / max(1, len(trunk) - 1) for at, key in enumerate(trunk)}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        multiple = spec.bias_rate if name.endswith("bias") else 1.0
        if id(parameter) in depth:
            multiple *= spec.trunk_rate * spec.first_layer_rate ** (1 - depth[id(parameter)])
        is_vector = parameter.ndim < 2 or name.endswith("bias")
        decay = spec.weight_decay if spec.decay_vectors or not is_vector else 0.0
        groups.setdefault((multiple, decay), []).append(parameter)
    options: list[dict[str, Any]] = [
        {"params": parameters, "multiple": multiple, "weight_decay": decay}
        for (multiple, decay), parameters in groups.items()
    ]
    if spec.kind == "sgd":
        return torch.optim.SGD(options, lr=spec.rate, momentum=spec.momentum, fused=True)
    return torch.optim.AdamW(options, lr=spec.rate, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every group its multiple of a rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["multiple"]


class MovingAverage:
    """Exponential moving average of a network's parameters and BatchNorm statistics.

    The decay climbs to its value as (1 + step) / (10 + step), so that the start is forgotten. Steps count from the
    start of a phase: inputs of another size have other statistics, and a mixture of both fits neither.
    """

    def __init__(self, network: RegionNetwork, decay: float) -> None:
        self.decay = decay
        current = network.state_dict()  # the network's own tensors, which change in place
        self.tensors = {name: value.detach().clone() for name, value in current.items()}
        moving = [name for name, value in current.items() if value.is_floating_point()]
        counters = [name for name in current if name not in moving]
        self._moving, self._counters = (
            ([self.tensors[name] for name in names], [current[name] for name in names]) for names in (moving, counters)
        )

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the network; counters are copied."""
        keep = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(*self._moving, 1 - keep)
        if self._counters[0]:
            torch._foreach_copy_(*self._counters)
