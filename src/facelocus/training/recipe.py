"""What a run is: typed, with defaults, and refused at the first unknown key.

The sentence beside each field is its documentation; a file of `facelocus/recipes` states only what differs.
"""

from __future__ import annotations

import importlib.resources
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from facelocus import data
from facelocus.errors import RecipeError
from facelocus.nn.network import NetworkSpec
from facelocus.training.settings import dotted, nearest, refuse_unknown, value_of

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Amount = Annotated[float, msgspec.Meta(ge=0)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


@dataclass(frozen=True)
class Phase:
    """A stretch of training at one input size; give epochs, iterations or both.

    Attributes:
        epochs: passes over the training images, fractions allowed.
        iterations: batches, at least; few images then get more epochs.
        size: (height, width) the frames are resized to; None for the network's own.
        frozen: the trunk stays as it is and only the sub-networks learn, from features that are computed once.
    """

    epochs: _Amount = 0.0
    iterations: _Count = 0
    size: tuple[int, int] | None = None
    frozen: bool = False


@dataclass(frozen=True)
class Augment:
    """Random changes of the frame, drawn anew for every image and step.

    Attributes:
        flip: probability of mirroring left and right.
        scale: standard deviation of the zoom, as a share (0.05 is 5 %).
        rotation: standard deviation of the turn, in degrees.
        shift: standard deviation of the move in x and in y, in pixels of the frame.
        crop: largest move (in y, in x) in pixels of the frame, every whole one equally likely: with a network that
            sees the middle of a larger picture (network.crop) it is the random crop of the literature.
        brightness: largest change, as a share of the pixel value.
        contrast: largest change of the spread around each image's mean, as a share.
        saturation: largest change of the distance from grey, as a share.
        sharpness: largest change of the distance from a blurred copy, as a share; the warp blurs, so that a network
            trained without it has never seen a picture as sharp as the ones it is measured on.
        blur: share of the images that are blurred, by a deviation of 0.7 to 2.4 pixels.
        noise: largest deviation of normal noise, in levels of 255.
        compression: share of the images that are compressed as JPEG does, at qualities from 15 to 95.
    """

    flip: _Share = 0.5
    scale: _Amount = 0.0
    rotation: _Amount = 0.0
    shift: _Amount = 0.0
    crop: tuple[_Count, _Count] = (0, 0)
    brightness: _Amount = 0.0
    contrast: _Amount = 0.0
    saturation: _Amount = 0.0
    sharpness: _Amount = 0.0
    blur: _Share = 0.0
    noise: _Amount = 0.0
    compression: _Share = 0.0


@dataclass(frozen=True)
class Optimizer:
    """How weights move.

    Attributes:
        kind: "adamw", or "sgd" with momentum.
        rate: highest learning rate.
        momentum: of sgd.
        weight_decay: of matrices and convolutions.
        decay_vectors: whether biases and norms are decayed too.
        bias_rate: learning rate of biases, as a multiple.
        trunk_rate: learning rate of the trunk's last layer, as a multiple of the sub-networks' rate.
        first_layer_rate: learning rate of the trunk's first layer, as a multiple of its last layer's; the layers
            between lie on a geometric line.
    """

    kind: Literal["adamw", "sgd"] = "adamw"
    rate: _Amount = 1e-3
    momentum: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.9
    weight_decay: _Amount = 1e-2
    decay_vectors: bool = False
    bias_rate: _Amount = 1.0
    trunk_rate: _Amount = 1.0
    first_layer_rate: _Amount = 1.0


@dataclass(frozen=True)
class Schedule:
    """How the learning rate moves from warm-up to the end.

    Attributes:
        kind: "cosine" to zero, or as Caffe names them "poly": (1 - t) ** power, and "step": times gamma each time.
        power: of poly.
        gamma: of step.
        every: iterations between two steps; 0 for none.
        every_epochs: epochs between two steps, counted in full batches; 0 for none.
        warmup: share of all iterations in which the rate climbs from zero.
    """

    kind: Literal["cosine", "poly", "step"] = "cosine"
    power: _Amount = 1.0
    gamma: _Amount = 0.1
    every: _Count = 0
    every_epochs: _Amount = 0.0
    warmup: _Share = 0.0

    def factor(self, step: int, steps: int, steps_an_epoch: int) -> float:
        """Return the rate of step 0 ... steps - 1, as a share of the highest."""
        warm = round(self.warmup * steps)
        if step < warm:
            return (step + 1) / warm
        if self.kind == "step":
            lengths = [length for length in (self.every, round(self.every_epochs * steps_an_epoch)) if length]
            return float(self.gamma ** sum(step // length for length in lengths))
        t = (step - warm) / max(1, steps - warm)
        return 0.5 * (1 + math.cos(math.pi * t)) if self.kind == "cosine" else float((1 - t) ** self.power)


@dataclass(frozen=True)
class Penalty:
    """What masks are charged beside the loss of an image, which is the sum over attributes.

    Attributes:
        overlap: times the mean correlation of two masks of a face, where it is positive.
        outside: times the share of a mask's mass outside its region, mean over regions; only of CelebA's regions is it
            known where they lie.
    """

    overlap: _Amount = 0.0
    outside: _Amount = 0.0


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run, apart from the data.

    Attributes:
        network: the network, see NetworkSpec.
        phases: stretches of training, one after the other.
        batch_size: images a step.
        augment: see Augment.
        optimizer: see Optimizer.
        schedule: see Schedule.
        penalty: see Penalty; asked of a network with masks.
        teaching: share of the loss that is the distance to the answers of teachers, see training.teachers; the rest is
            that to the labels. 0 for none.
        teaching_once: teachers are asked before the first step, of every face as it is (and mirrored, where the student
            sees that), and a step costs no more than without them; otherwise at each step, of the picture with its
            random changes.
        ema: decay of the moving average of weights and BatchNorm statistics that is evaluated and kept; 0 for none.
        precision: "bf16" runs the network under autocast, "fp32" does not (convolutions on a GPU then round to TF32,
            unless torch is told otherwise); "auto" does where the device multiplies it.
        seed: of weights, order and augmentation.
        leave_out: a list of file names in facelocus/data that are kept out of training.
        share: share of the remaining training images that are trained on. They are drawn at random, the same ones for
            every seed, and a smaller share's are among a larger one's.
        transfer: the run starts from a network of other attributes, and is of its kind: see RegionNetwork.take_over.
    """

    network: NetworkSpec = field(default_factory=NetworkSpec)
    phases: tuple[Phase, ...] = (Phase(epochs=1),)
    batch_size: Annotated[int, msgspec.Meta(ge=2)] = 64  # BatchNorm needs two
    augment: Augment = field(default_factory=Augment)
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    penalty: Penalty = field(default_factory=Penalty)
    teaching: _Share = 0.0
    teaching_once: bool = False
    ema: _Share = 0.999
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0  # what numpy and torch both take
    leave_out: str | None = None
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    transfer: bool = False

    def left_out_names(self) -> frozenset[str]:
        """Return the file names of `leave_out`.

        Raises:
            RecipeError: there is no such list.
        """
        if self.leave_out is None:
            return frozenset()
        listed = importlib.resources.files(data) / self.leave_out
        if not listed.is_file():
            raise RecipeError(f"leave_out: there is no list {self.leave_out!r} in facelocus/data")
        return frozenset(listed.read_text().split())

    def to_json(self) -> dict[str, Any]:
        """Return nested built-in values that from_json reads back."""
        # asdict first: msgspec leaves fields out that the JSON it was read from did not have.
        value: dict[str, Any] = msgspec.to_builtins(asdict(self))
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Recipe:
        """Read what to_json wrote.

        Raises:
            RecipeError: an unknown key (with the nearest one) or a value of the wrong type.
        """
        refuse_unknown(value, cls().to_json())
        try:
            recipe = msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            raise RecipeError(f"recipe: {error}") from error
        for phase in value.get("phases", ()):
            refuse_unknown(phase, msgspec.to_builtins(Phase()), "phases.")
        return recipe

    def with_settings(self, settings: Sequence[str]) -> Recipe:
        """Return the recipe with `key=value` settings applied.

        Keys are dotted; values are JSON, plain words, or numbers with commas between them.

        Raises:
            RecipeError: no "=", an unknown key (with the nearest one) or a value of the wrong type.
        """
        values = self.to_json()
        known = list(dotted(values))
        for setting in settings:
            key, equals, text = setting.partition("=")
            if not equals:
                raise RecipeError(f"setting {setting!r} has no value: write key=value")
            if key not in known:
                raise RecipeError(f"unknown recipe key {key!r}{nearest(key, known)}")
            *path, last = key.split(".")
            place = values
            for name in path:
                place = place[name]
            place[last] = value_of(text)
        return Recipe.from_json(values)


def changes(recipe: Recipe, other: Recipe) -> dict[str, tuple[Any, Any]]:
    """Return the settings in which two recipes differ: dotted key -> value, other value."""
    ours, theirs = dotted(recipe.to_json()), dotted(other.to_json())
    return {key: (ours[key], theirs[key]) for key in ours if ours[key] != theirs[key]}


def differences(recipe: Recipe, other: Recipe) -> list[str]:
    """Return "key: value, other value" for each field in which two recipes differ."""
    return [f"{key}: {value}, {theirs}" for key, (value, theirs) in changes(recipe, other).items()]
