"""RegionNetwork: the paper's deep multi-task network, a shared trunk and one sub-network a region (figure 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, overload

import msgspec
import torch
from torch import Tensor, nn

from facelocus.attributes import FRAME, AttributeSet
from facelocus.errors import RecipeError, first_line
from facelocus.nn.backbones import TRUNKS, TimmTrunk
from facelocus.nn.resize import Resize
from facelocus.nn.sub_networks import SubNetworks

_Positive = Annotated[int, msgspec.Meta(ge=1)]
_Size = tuple[_Positive, _Positive]


@dataclass(frozen=True)
class NetworkSpec:
    """What a network is, apart from its attributes and weights; travels in recipe, checkpoint and model file.

    Attributes:
        trunk: "alexnet_cvgj" or the name of any timm network.
        stride: stage of a timm trunk, by its stride; 16 leaves 14 rows of a frame at its own size.
        imagenet: start a timm trunk from packaged ImageNet weights.
        context: add a timm trunk's last, coarser features to those of the stage, see TimmTrunk.
        size: (height, width) in pixels to which a frame is resized.
        crop: (height, width) of the middle that the trunk sees; None for all of it.
        blur: deviation of a Gaussian blur before resizing, in pixels of the frame. Pictures differ most in their finest
            detail: cameras, sizes and compressions decide it, not faces.
        channels: width of each sub-network's convolution.
        conv_groups: groups of that convolution.
        conv_affine: whether its BatchNorm learns scale and shift.
        attention: "none", "pse_conv", "pse_fully_connected", "squeeze_excitation", or another form of PSE:
            "pse_residual", "pse_normalised", "pse_softmax", "pse_sharp", "pse_open".
        reduction: the attention's bottleneck is channels / reduction.
        squeeze: PSE's squeeze: "mean", "max", "mean_max" or "weighted".
        pooling: "mean" over all positions or "max" 3 x 3, stride 2.
        hidden: units of each sub-network's hidden layer; 0 for none.
        normalise: whether a BatchNorm stands before the logits.
        flip: whether logits and masks are, outside training, the mean over a face and its mirror image (the latter's
            masks mirrored back). It takes twice as long.
    """

    trunk: str = "tf_efficientnet_lite0"
    stride: _Positive = 16
    imagenet: bool = False
    context: bool = False
    size: _Size = FRAME[:2]
    crop: _Size | None = None
    blur: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    channels: _Positive = 64
    conv_groups: _Positive = 1
    conv_affine: bool = True
    attention: str = "pse_conv"
    reduction: _Positive = 16
    squeeze: str = "mean"
    pooling: Literal["mean", "max"] = "mean"
    hidden: Annotated[int, msgspec.Meta(ge=0)] = 0
    normalise: bool = True
    flip: bool = False

    def build(self, attributes: AttributeSet) -> RegionNetwork:
        """Return the network with fresh weights.

        Raises:
            RecipeError: a field has no such value, or two fields contradict each other.
        """
        if self.trunk in TRUNKS:
            trunk = TRUNKS[self.trunk]()
            if self.imagenet or self.context or self.stride != trunk.stride:
                raise RecipeError(
                    f"network: {self.trunk} has stride {trunk.stride}, no packaged ImageNet weights and no coarser "
                    f"features: set network.stride={trunk.stride} network.imagenet=false network.context=false"
                )
        else:
            trunk = TimmTrunk(self.trunk, self.stride, self.imagenet, self.context)
        try:
            return RegionNetwork(trunk, attributes, self)
        except ValueError as error:
            raise RecipeError(f"network: {error}") from error


class RegionNetwork(nn.Module):
    """A shared trunk and one sub-network a region of the attribute set.

    Args:
        trunk: a module of the trunk contract (facelocus.nn.backbones).
        attributes: A attributes on R regions; logits come in its order, masks in its regions' order.
        spec: input size and sub-networks.

    Calling it: images are B x 218 x 178 x 3 uint8 RGB (aligned frames) or B x 3 x 218 x 178 floats in 0-255; returns
    logits B x A, and with masks=True also B x R x h x w masks in [0, 1].

    Raises:
        ValueError: the trunk cannot take that size, masks are asked of a network without PSE, or images have
            another shape.
    """

    def __init__(self, trunk: nn.Module, attributes: AttributeSet, spec: NetworkSpec) -> None:
        super().__init__()
        self.attributes = attributes
        self.spec = spec
        self.trunk = trunk
        channels, positions = _probe(trunk, spec.crop or spec.size)
        self.sub_networks = SubNetworks(
            channels,
            positions,
            len(attributes.regions),
            channels=spec.channels,
            conv_groups=spec.conv_groups,
            conv_affine=spec.conv_affine,
            attention=spec.attention,
            reduction=spec.reduction,
            squeeze=spec.squeeze,
            pooling=spec.pooling,
            hidden=spec.hidden,
            normalise=spec.normalise,
        )
        features = self.sub_networks.features
        # Row a of the weight reads the features of the region of attribute a: regions of any size, one product.
        self.logit_weight = nn.Parameter(torch.randn(len(attributes), features) * features**-0.5 * 0.1)
        self.logit_bias = nn.Parameter(torch.zeros(len(attributes)))
        self.register_buffer("region_index", torch.from_numpy(attributes.region_index), persistent=False)
        self.set_input_size(spec.size, spec.crop)

    region_index: Tensor

    def set_input_size(self, size: tuple[int, int], crop: tuple[int, int] | None = None) -> None:
        """Resize frames to another (height, width) from now on; weights stay.

        Raises:
            ValueError: the trunk cannot take that size, or the sub-networks are made for other positions.
        """
        resize = Resize((FRAME[0], FRAME[1]), size, crop, self.spec.blur)
        _, positions = _probe(self.trunk, crop or size)
        made_for = self.sub_networks.made_for
        if made_for not in (None, positions):
            raise ValueError(
                f"an input of {size[0]} x {size[1]} gives {positions[0]} x {positions[1]} positions, the sub-networks "
                f"are made for {made_for[0]} x {made_for[1]}: use pse_conv with mean pooling, or one size"
            )
        like = next(self.trunk.parameters())
        self.resize = resize.to(like.device, like.dtype)

    def take_over(self, other: RegionNetwork) -> None:
        """Start from a network of other attributes: its trunk, its sub-networks, its logits, found by name.

        A region that the other does not have starts as its first one, the most general; an attribute that it does not
        have on the same region starts anew.

        Raises:
            ValueError: the other's trunk or sub-networks have other shapes.
        """
        theirs = other.attributes
        known = [theirs.regions.index(name) if name in theirs.regions else 0 for name in self.attributes.regions]
        try:
            self.trunk.load_state_dict(other.trunk.state_dict())
            self.sub_networks.take_over(other.sub_networks, known)
        except RuntimeError as error:
            raise ValueError("its layers have other shapes") from error
        for row, (name, region) in enumerate(zip(self.attributes.names, self.attributes.region_of, strict=True)):
            if name in theirs.names and theirs.region_of[column := theirs.names.index(name)] == region:
                with torch.no_grad():
                    self.logit_weight[row], self.logit_bias[row] = other.logit_weight[column], other.logit_bias[column]

    @torch.no_grad()
    def start_at(self, rates: Tensor) -> None:
        """Set the logits' biases so that an untrained network predicts each attribute's rate: A, within (0, 1)."""
        self.logit_bias.copy_(torch.logit(rates))

    @torch.no_grad()
    def calibrate(self, slope: Tensor, offset: Tensor) -> None:
        """Answer slope * logit + offset from now on, A numbers each.

        Both are put into the weights of the logits: what is saved, exported or trained further has them without asking.
        """
        self.logit_weight.mul_(slope[:, None])
        self.logit_bias.mul_(slope).add_(offset)

    @overload
    def forward(self, images: Tensor, masks: Literal[False] = ...) -> Tensor: ...
    @overload
    def forward(self, images: Tensor, masks: Literal[True]) -> tuple[Tensor, Tensor]: ...
    def forward(self, images: Tensor, masks: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        resized = self._resized(images)
        if self.training or not self.spec.flip:
            return self.heads(self._shared(resized), masks)
        answers = self.heads(self._shared(torch.cat([resized, resized.flip(3)])), masks)
        if isinstance(answers, Tensor):
            return _of_pairs(answers).mean(0)
        logits, (plain, mirrored) = _of_pairs(answers[0]), _of_pairs(answers[1])
        return logits.mean(0), (plain + mirrored.flip(3)) / 2

    def features(self, images: Tensor, mirrored: bool = False) -> Tensor:
        """Return what the sub-networks share: frames as for the whole network, or mirrored -> B x C x h x w."""
        resized = self._resized(images)
        return self._shared(resized.flip(3) if mirrored else resized)

    def _shared(self, resized: Tensor) -> Tensor:
        shared: Tensor = self.trunk(resized.contiguous(memory_format=torch.channels_last))
        return shared

    def _resized(self, images: Tensor) -> Tensor:
        frame = FRAME if images.dtype == torch.uint8 else (FRAME[2], *FRAME[:2])
        if images.ndim != 4 or images.shape[1:] != frame:
            raise ValueError(f"expected {images.dtype} images B x {_by(frame)}, got {_by(images.shape)}")
        if images.dtype == torch.uint8:
            images = images.permute(0, 3, 1, 2).to(self.resize.rows.dtype)
        resized: Tensor = self.resize(images)
        return resized

    def heads(self, shared: Tensor, masks: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """Return what calling the network returns, from the result of `features`."""
        features, its_masks = self.sub_networks(shared)
        logits = torch.einsum("baf,af->ba", features[:, self.region_index], self.logit_weight) + self.logit_bias
        if not masks:
            return logits
        if its_masks is None:
            raise ValueError(f"a network with attention {self.spec.attention!r} has no masks: use pse_conv")
        return logits, its_masks


def _of_pairs(answers: Tensor) -> Tensor:
    """Return 2 x B x ...: what was said of B frames and of their mirror images, which follow them."""
    return answers.reshape(2, -1, *answers.shape[1:])


def _probe(trunk: nn.Module, size: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    """Return C and (h, w) of the trunk's features for an input size, leaving the trunk as it was."""
    modes, like = {module: module.training for module in trunk.modules()}, next(trunk.parameters())
    trunk.eval()
    try:
        with torch.no_grad():
            features = trunk(torch.zeros(1, 3, *size, device=like.device, dtype=like.dtype))
    except (RuntimeError, AssertionError) as error:  # timm asserts the size of its transformers
        raise ValueError(f"the trunk cannot take an input of {_by(size)}: {first_line(error)}") from error
    finally:
        for module, training in modes.items():
            module.training = training
    _, channels, height, width = features.shape
    return channels, (height, width)


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
