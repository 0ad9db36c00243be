"""Finished networks whose answers a run learns from beside the labels (knowledge distillation, Hinton et al. 2015)."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facelocus.attributes import AttributeSet
from facelocus.errors import UsageError
from facelocus.files import write_atomically
from facelocus.nn.network import RegionNetwork
from facelocus.training.batches import Batches
from facelocus.training.precision import precision_on
from facelocus.training.recipe import Recipe
from facelocus.training.run import RunModel, load_weights

#: Of a step and its batch B x 3 x H x W: probabilities B x A.
Answers = Callable[[int, Tensor], Tensor]

#: What teachers that are asked once said, in the run folder: probabilities float16, training faces x A.
FILE = "answers.npy"


@dataclass(frozen=True)
class Teachers:
    """Networks that answer together: their mean probability.

    Attributes:
        networks: at least one, all of the same attributes.
        records: of each, the record of the run that made it.
    """

    networks: Sequence[RegionNetwork]
    records: list[dict[str, Any]]

    @classmethod
    def read(cls, sources: Sequence[Path], attributes: AttributeSet) -> Teachers:
        """Read finished runs' folders or model files.

        Raises:
            ModelFileError: one is neither, or damaged.
            UsageError: one has other attributes than the data.
        """
        networks, records = [], []
        for source in sources:
            network, description = load_weights(source)
            if network.attributes != attributes:
                raise UsageError(f"{source}: teaches other attributes than the data has: leave out this --teacher")
            networks.append(network.eval().requires_grad_(False))
            records.append(description["training"])
        return cls(networks, records)

    def to(self, device: torch.device) -> None:
        """Move the networks to where frames will be."""
        for network in self.networks:
            network.trunk.to(memory_format=torch.channels_last)
            network.to(device)

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        """Return probabilities B x A for frames B x 3 x 218 x 178 in 0-255, as the student sees them."""
        answers = [torch.sigmoid(network(frames).float()) for network in self.networks]
        return torch.stack(answers).mean(0)


def known_answers(teachers: Teachers, batches: Batches, run: Path, recipe: Recipe) -> Tensor:
    """Ask teachers about every training face, or read what they said before the run was stopped.

    Where the student is shown mirror images they see each face as it is and mirrored, and the mean of both teaches.

    Returns:
        Probabilities float16, len(batches.rows) x A, on the batches' device.

    Raises:
        StorageError: the run folder cannot be written.
    """
    file, world = run / FILE, batches.world
    if not world.from_leader(file.exists()):
        part = np.array_split(batches.rows, world.size)[world.rank]
        precision, flip = precision_on(batches.device, recipe.precision), recipe.augment.flip > 0
        models = [RunModel(network, precision=precision) for network in teachers.networks]
        said = [model.predict_rows(batches.pack, part, flip) for model in models]
        joined = world.join(np.mean(said, axis=0))
        if world.leads:
            with io.BytesIO() as buffer:
                np.save(buffer, joined.astype(np.float16))
                write_atomically(file, buffer.getvalue())
        world.wait()
    return torch.from_numpy(np.load(file)).to(batches.device)
