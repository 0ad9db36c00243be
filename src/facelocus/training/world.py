"""The processes of one run: this one alone, or those that torchrun started, each with its share of every batch."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import Tensor

from facelocus.errors import FacelocusError


@dataclass(frozen=True)
class World:
    """Which of how many processes this is.

    Attributes:
        rank: 0 to size - 1; rank 0 alone writes and shows progress.
        size: number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def part(self, count: int) -> slice:
        """Return this process's share of `count` items, which `size` divides."""
        each = count // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def sum(self, tensor: Tensor) -> Tensor:
        """Replace a tensor by its sum over all processes."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def join(self, part: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the parts of all processes one after the other, in each of them."""
        if self.size == 1:
            return part
        parts: list[Any] = [None] * self.size
        dist.all_gather_object(parts, part)
        return np.concatenate(parts)

    def wait(self) -> None:
        """Return when all processes have come here."""
        if self.size > 1:
            dist.barrier()

    def from_leader(self, value: Any) -> Any:
        """Return the value that rank 0 gives; what the others give is not looked at."""
        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]


def leads() -> bool:
    """Return whether this process is the one that writes: known before all have joined, and when they have parted."""
    return _alone() or int(os.environ["RANK"]) == 0


def _alone() -> bool:
    return int(os.environ.get("WORLD_SIZE", "1")) == 1


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """Join the other processes that torchrun started; without it, this one is alone.

    Raises:
        FacelocusError: another process of the run has ended.
    """
    if _alone():
        yield World()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)  # what NCCL sends objects through; otherwise the first one for all
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    world = World(dist.get_rank(), dist.get_world_size())
    # Of convolutions 1 x 1 in channels-last, whose strides can be written in two ways.
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
    try:
        yield world
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error):
            raise
        raise FacelocusError(
            f"process {world.rank} of {world.size}: another process of this run has ended: "
            "see its line; the same command goes on from the last checkpoint"
        ) from error
    finally:
        dist.destroy_process_group()
