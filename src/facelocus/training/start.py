"""The network a run begins with: fresh, or from weights that are there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facelocus.attributes import AttributeSet
from facelocus.errors import ModelFileError, RecipeError, UsageError
from facelocus.images.regions import region_maps
from facelocus.nn.network import RegionNetwork
from facelocus.nn.weights import read_tensors
from facelocus.training.recipe import Penalty, Recipe
from facelocus.training.run import load_weights

#: What a recipe's network has to be for published layers to fit.
_PUBLISHED = {"trunk": "alexnet_cvgj", "channels": 256, "conv_groups": 2, "conv_affine": False}


@dataclass(frozen=True)
class Start(ABC):
    """Weights to start from.

    Attributes:
        source: the folder or the file they come from, as messages name it.
        record: what they are, kept in the record of the run: the record of the run that made them, or what
            `facelocus convert` wrote about them.
    """

    source: Path
    record: dict[str, Any]

    @staticmethod
    def read(source: Path) -> Start:
        """Read a finished run's folder, a model file, or what `facelocus convert` wrote.

        Raises:
            ModelFileError: it is none of them, or damaged.
        """
        if source.suffix != ".safetensors":
            network, description = load_weights(source)
            return TrainedNetwork(source, description["training"], network)
        tensors, description = read_tensors(source)
        if "layers_of" not in description:
            raise ModelFileError(f"{source}: belongs to a run: name the run's folder, or an exported .onnx file")
        return PublishedLayers(source, description, tensors)

    @abstractmethod
    def adapt(self, recipe: Recipe) -> Recipe:
        """Return a recipe that transfers, made for these weights; UsageError where they are of no whole network."""

    @abstractmethod
    def put_into(self, network: RegionNetwork, recipe: Recipe) -> None:
        """Give a fresh network these weights.

        Raises:
            UsageError: they do not fit; says what to change.
            ModelFileError: the file does not hold what it says.
        """


@dataclass(frozen=True)
class TrainedNetwork(Start):
    """A whole network, of a run or a model file.

    Attributes:
        network: the network.
    """

    network: RegionNetwork

    def adapt(self, recipe: Recipe) -> Recipe:
        return replace(recipe, network=replace(self.network.spec, imagenet=False))

    def put_into(self, network: RegionNetwork, recipe: Recipe) -> None:
        if recipe.transfer:
            try:
                network.take_over(self.network)
            except ValueError as error:
                raise UsageError(f"{self.source}: does not fit the recipe, {error}: leave out --set network") from error
            return
        if self.network.attributes != network.attributes:
            raise UsageError(
                f"{self.source}: was trained for other attributes than the data has: use the recipe finetune, "
                "or leave out --from"
            )
        try:
            network.load_state_dict(self.network.state_dict())
        except RuntimeError as error:
            raise UsageError(f"{self.source}: is another network than the recipe's: leave out --from") from error


@dataclass(frozen=True)
class PublishedLayers(Start):
    """conv1 to conv5 of Alexnet-cvgj: the trunk, and the convolution that every sub-network starts with.

    Attributes:
        tensors: see facelocus.nn.caffe.read_alexnet_cvgj.
    """

    tensors: dict[str, Tensor]

    def adapt(self, recipe: Recipe) -> Recipe:
        raise UsageError(
            f"{self.source}: holds the first layers of a network, not a trained one: start finetune from a run or an "
            ".onnx file, or these layers with another recipe"
        )

    def put_into(self, network: RegionNetwork, recipe: Recipe) -> None:
        changed = [
            f"network.{name}={str(value).lower()}"
            for name, value in _PUBLISHED.items()
            if getattr(network.spec, name) != value
        ]
        if changed:
            raise UsageError(
                f"{self.source}: holds layers of Alexnet-cvgj, of which the recipe's network is not made: "
                f"set {' '.join(changed)}"
            )
        try:
            trunk = {n.removeprefix("trunk."): value for n, value in self.tensors.items() if n.startswith("trunk.")}
            network.trunk.load_state_dict(trunk)
            network.sub_networks.start_from(
                *(self.tensors[n] for n in ("conv5.weight", "conv5.bias", "norm5.running_mean", "norm5.running_var"))
            )
        except (KeyError, RuntimeError) as error:
            raise ModelFileError(
                f"{self.source}: its layers have other shapes than it says: convert the caffemodel again"
            ) from error


def refuse_wrong_teaching(recipe: Recipe, taught: bool) -> None:
    """Refuse a recipe that does not go with teachers, or with none.

    Raises:
        RecipeError: it is taught by nobody, has teachers and does not listen, or learns from features that teachers
            cannot see at every step.
    """
    if recipe.teaching and not taught:
        raise RecipeError("this recipe is taught: give --teacher RUN, or set teaching=0")
    if taught and not recipe.teaching:
        raise RecipeError("this recipe is not taught: set teaching=0.5, say, or leave out --teacher")
    if recipe.teaching_once and not recipe.teaching:
        raise RecipeError("teaching_once: this recipe is not taught: set teaching=0.5, say, or leave it out")
    if taught and not recipe.teaching_once and any(phase.frozen for phase in recipe.phases):
        raise RecipeError("phases: teachers see faces, and a frozen phase has only features: set teaching_once=true")


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
        ModelFileError: the file to start from does not hold what it says.
    """
    if recipe.transfer and start is None:
        raise RecipeError("this recipe starts from the weights of another network: give --from default, say")
    torch.manual_seed(recipe.seed)
    network = recipe.network.build(attributes)
    _try_sizes(network, recipe)
    if recipe.penalty != Penalty():
        if not network.sub_networks.has_masks:
            raise RecipeError(
                f"penalty: a network with attention {recipe.network.attention!r} has no masks: set pse_conv"
            )
        region_maps(attributes.regions)  # refuses regions of which it is not known where they lie
        if recipe.penalty.outside and recipe.network.crop is not None:
            raise RecipeError("penalty.outside: regions lie in the whole frame: set network.crop=null")
        if recipe.penalty.overlap and len(attributes.regions) == 1:
            raise RecipeError("penalty.overlap: there is one region, and no second mask: set it to 0")
    network.start_at(_rates(labels))
    if start is not None:
        start.put_into(network, recipe)
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
