"""A run's state on disk: everything the next step depends on, in one safetensors file."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from facelocus.nn.network import RegionNetwork
from facelocus.nn.weights import read_tensors, save_tensors
from facelocus.training.optimizer import MovingAverage

FILE = "checkpoint.safetensors"


def save_checkpoint(
    run: Path,
    step: int,
    network: RegionNetwork,
    average: MovingAverage,
    optimizer: torch.optim.Optimizer,
    losses: Tensor,
    seconds: float,
) -> None:
    """Write the state after `step` steps and `seconds` of training; the file before it stays until this one is whole.

    Raises:
        StorageError: it cannot be written.
    """
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.tensors.items()}
    tensors["losses"] = losses
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items() if value is not None}
    save_tensors(tensors, {"step": step, "seconds": seconds}, run / FILE)


def load_checkpoint(
    run: Path,
    network: RegionNetwork,
    average: MovingAverage,
    optimizer: torch.optim.Optimizer,
    losses: Tensor,
) -> tuple[int, float]:
    """Put a saved state back; return its step and the seconds spent until then.

    Raises:
        ModelFileError: the file is damaged.
    """
    tensors, description = read_tensors(run / FILE)
    network.load_state_dict(_below("network.", tensors))
    for name, value in _below("average.", tensors).items():
        average.tensors[name].copy_(value)
    losses.copy_(tensors["losses"])
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in _below("optimizer.", tensors).items():
        index, _, entry = name.partition(".")
        like = parameters[int(index)]
        # Fused optimisers walk through memory: moments must lie as their parameter does (channels last).
        laid_out = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
        state.setdefault(int(index), {})[entry] = laid_out
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return int(description["step"]), float(description["seconds"])


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
