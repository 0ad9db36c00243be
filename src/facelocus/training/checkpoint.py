"""A run's state, and that state on disk: everything the next step depends on, in one safetensors file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from facelocus.nn.network import RegionNetwork
from facelocus.nn.weights import read_tensors, save_tensors
from facelocus.training.optimizer import MovingAverage, build_optimizer
from facelocus.training.recipe import Recipe

FILE = "checkpoint.safetensors"


@dataclass
class State:
    """What a step changes.

    Attributes:
        network: the network.
        average: its moving average.
        optimizer: the optimiser with its moments.
        losses: A, the losses since the last line of metrics, summed over its steps.
        step: steps done.
        seconds: time spent on them.
    """

    network: RegionNetwork
    average: MovingAverage
    optimizer: torch.optim.Optimizer
    losses: Tensor
    step: int = 0
    seconds: float = 0.0

    @classmethod
    def begin(cls, network: RegionNetwork, recipe: Recipe) -> State:
        """Return the state before the first step, on the network's device."""
        return cls(
            network,
            MovingAverage(network, recipe.ema),
            build_optimizer(network, recipe.optimizer),
            torch.zeros_like(network.logit_bias, requires_grad=False),
        )

    def save(self, run: Path, seconds: float) -> None:
        """Write the state after `seconds` of training; the file before it stays until this one is whole.

        Raises:
            StorageError: it cannot be written.
        """
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.tensors.items()}
        tensors["losses"] = self.losses
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items() if value is not None}
        save_tensors(tensors, {"step": self.step, "seconds": seconds}, run / FILE)

    def load(self, run: Path) -> None:
        """Put back what was saved.

        Raises:
            ModelFileError: the file is damaged.
        """
        tensors, description = read_tensors(run / FILE)
        self.network.load_state_dict(_below("network.", tensors))
        for name, value in _below("average.", tensors).items():
            self.average.tensors[name].copy_(value)
        self.losses.copy_(tensors["losses"])
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _below("optimizer.", tensors).items():
            index, _, entry = name.partition(".")
            like = parameters[int(index)]
            # Copied: what is read is a view of the file, which must be free to be replaced. Fused optimisers walk
            # through memory: moments must lie as their parameter does (channels last).
            laid_out = torch.empty_like(like).copy_(value) if value.shape == like.shape else value.clone()
            state.setdefault(int(index), {})[entry] = laid_out
        self.optimizer.load_state_dict({"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]})
        self.step, self.seconds = int(description["step"]), float(description["seconds"])


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
