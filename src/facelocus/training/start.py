"""The network a run begins with: fresh, or from the weights of another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facelocus.attributes import AttributeSet
from facelocus.errors import RecipeError, UsageError
from facelocus.nn.network import RegionNetwork
from facelocus.training.recipe import Recipe
from facelocus.training.run import load_weights


@dataclass(frozen=True)
class Start:
    """Weights to start from.

    Attributes:
        source: the run's folder or the model file they come from, as messages name it.
        network: the network.
        record: the record of the run that made them.
    """

    source: Path
    network: RegionNetwork
    record: dict[str, Any]

    @classmethod
    def read(cls, source: Path) -> Start:
        """Read a finished run's folder or a model file.

        Raises:
            ModelFileError: it is neither, or damaged.
        """
        network, description = load_weights(source)
        return cls(source, network, description["training"])

    def adapt(self, recipe: Recipe) -> Recipe:
        """Return a recipe that transfers, made for this network."""
        return replace(recipe, network=replace(self.network.spec, imagenet=False))


def first_network(
    recipe: Recipe, attributes: AttributeSet, labels: npt.NDArray[np.int8], start: Start | None
) -> RegionNetwork:
    """Return the network before the first step; fresh weights come from the recipe's seed.

    Args:
        recipe: the run's.
        attributes: of the data.
        labels: int8 N x A, of the training faces.
        start: weights to start from.

    Raises:
        RecipeError: the network cannot be built, or cannot take the size of a phase, or the recipe transfers and
            `start` is missing.
        UsageError: the weights are of another network, or of other attributes while the recipe does not transfer.
    """
    if recipe.transfer and start is None:
        raise RecipeError("this recipe starts from the weights of another network: give --from default, say")
    torch.manual_seed(recipe.seed)
    network = recipe.network.build(attributes)
    _try_sizes(network, recipe)
    network.start_at(_rates(labels))
    if start is None:
        return network
    if recipe.transfer:
        try:
            network.take_over(start.network)
        except ValueError as error:
            raise UsageError(f"{start.source}: does not fit the recipe, {error}: leave out --set network") from error
        return network
    if start.network.attributes != attributes:
        raise UsageError(
            f"{start.source}: was trained for other attributes than the data has: use the recipe finetune, "
            "or leave out --from"
        )
    try:
        network.load_state_dict(start.network.state_dict())
    except RuntimeError as error:
        raise UsageError(f"{start.source}: is another network than the recipe's: leave out --from") from error
    return network


def _try_sizes(network: RegionNetwork, recipe: Recipe) -> None:
    """Refuse a recipe of which a phase's size does not suit its network, before anything is written."""
    for phase in recipe.phases:
        try:
            network.set_input_size(phase.size or recipe.network.size, recipe.network.crop)
        except ValueError as error:
            raise RecipeError(f"phases: {error}") from error
    network.set_input_size(recipe.network.size, recipe.network.crop)


def _rates(labels: npt.NDArray[np.int8]) -> Tensor:
    """Return how often each attribute is present among its known labels, A, kept off 0 and 1."""
    known = (labels >= 0).sum(0)
    return torch.from_numpy(((labels == 1).sum(0) + 1) / (known + 2)).float()
