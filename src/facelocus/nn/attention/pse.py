"""Position-Squeeze-and-Excitation, the paper's module, in its two forms (section 3.2, figure 4).

    z = squeeze of x over its channels          1 x H x W   (equation 1)
    s = sigmoid(W2 relu(W1 z))                  1 x H x W   (equation 2)
    y = s * x at every position and channel     C x H x W   (equation 3)

Form (a), PSEFullyConnected: W1 and W2 are matrices over the H*W positions, C/16 hidden units.
Form (b), PSEConv: W1 is a 3 x 3 convolution 1 -> C/16, W2 a 1 x 1 convolution C/16 -> 1.
With C = 256 and 13 x 13 positions that is 5,593 and 177 parameters, biases included.

`groups` puts G independent modules side by side on G * C channels: the sub-networks of a
RegionNetwork as one computation. Used alone in a network, leave it at 1.
"""

from __future__ import annotations

from typing import Literal, overload

import torch
from torch import Tensor, nn

from facelocus.nn.attention.squeeze import PositionSqueeze
from facelocus.nn.grouped import GroupedLinear


def hidden_units(channels: int, reduction: int) -> int:
    """Return channels / reduction, or refuse channels that it does not divide.

    Raises:
        ValueError: reduction does not divide channels; names the nearest channels that fit.
    """
    if channels < 1 or reduction < 1 or channels % reduction:
        fitting = max(1, round(channels / max(1, reduction))) * max(1, reduction)
        raise ValueError(f"{channels} channels do not divide by a reduction of {reduction}: use {fitting} channels")
    return channels // reduction


def split_groups(x: Tensor, groups: int, channels: int) -> Tensor:
    """View B x (G*C) x H x W as B x G x C x H x W, or refuse another number of channels."""
    if x.ndim != 4 or x.shape[1] != groups * channels:
        raise ValueError(f"expected B x {groups * channels} x H x W, got {' x '.join(map(str, x.shape))}")
    grouped: Tensor = x.unflatten(1, (groups, channels))
    return grouped


class _PSE(nn.Module):
    """What both forms share: squeeze, excite, multiply."""

    #: Masks exist for PSE: sigmoid values in [0, 1], one a position.
    has_masks = True

    def __init__(self, channels: int, squeeze: str, groups: int) -> None:
        super().__init__()
        self.channels = channels
        self.groups = groups
        self.squeeze = PositionSqueeze(channels, squeeze, groups)

    def excitation(self, z: Tensor) -> Tensor:
        """Return W2 relu(W1 z): B x G x S x H x W -> B x G x H x W."""
        raise TypeError("use PSEConv or PSEFullyConnected")

    def logits(self, x: Tensor) -> Tensor:
        """Return the excitation before its sigmoid: B x (G*C) x H x W -> B x G x H x W."""
        return self.excitation(self.squeeze(split_groups(x, self.groups, self.channels)))

    def masks(self, x: Tensor) -> Tensor:
        """Return the masks alone: B x (G*C) x H x W -> B x G x H x W in [0, 1]."""
        return torch.sigmoid(self.logits(x))

    def weights(self, masks: Tensor) -> Tensor:
        """Return what x is multiplied by, from `masks`: in the paper the masks themselves."""
        return masks

    @overload
    def forward(self, x: Tensor, masks: Literal[False] = ...) -> Tensor: ...
    @overload
    def forward(self, x: Tensor, masks: Literal[True]) -> tuple[Tensor, Tensor]: ...
    def forward(self, x: Tensor, masks: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """Return the excited x, and with masks=True also the B x G x H x W masks.

        Raises:
            ValueError: x is not B x (G*C) x H x W.
        """
        s = self.masks(x)
        excited = (split_groups(x, self.groups, self.channels) * self.weights(s).unsqueeze(2)).flatten(1, 2)
        return (excited, s) if masks else excited


class PSEConv(_PSE):
    """PSE(b): excitation by convolutions; takes any H and W.

    Args:
        channels: C.
        reduction: C / reduction hidden channels (the paper: 16).
        squeeze: "mean" (the paper), "max", "mean_max" or "weighted".
        groups: G, see the module's text.
    """

    def __init__(self, channels: int, reduction: int = 16, squeeze: str = "mean", *, groups: int = 1) -> None:
        super().__init__(channels, squeeze, groups)
        hidden = groups * hidden_units(channels, reduction)
        self.reduce = nn.Conv2d(groups * self.squeeze.maps, hidden, 3, padding=1, groups=groups)
        self.expand = nn.Conv2d(hidden, groups, 1, groups=groups)

    def excitation(self, z: Tensor) -> Tensor:
        y: Tensor = self.expand(torch.relu(self.reduce(z.flatten(1, 2))))
        return y


class PSEFullyConnected(_PSE):
    """PSE(a): excitation by full connections over the positions; made for one H x W.

    Args:
        channels: C.
        size: (H, W), the positions it is made for.
        reduction: C / reduction hidden units (the paper: 16).
        squeeze: "mean" (the paper), "max", "mean_max" or "weighted".
        groups: G, see the module's text.
    """

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        reduction: int = 16,
        squeeze: str = "mean",
        *,
        groups: int = 1,
    ) -> None:
        super().__init__(channels, squeeze, groups)
        self.size = size
        positions, hidden = size[0] * size[1], hidden_units(channels, reduction)
        inputs = self.squeeze.maps * positions
        self.reduce = GroupedLinear(groups, inputs, hidden)
        self.expand = GroupedLinear(groups, hidden, positions)

    def excitation(self, z: Tensor) -> Tensor:
        height, width = self.size
        if z.shape[3:] != self.size:
            raise ValueError(
                f"made for {height} x {width} positions, got {z.shape[3]} x {z.shape[4]}: "
                f"use PSEFullyConnected({self.channels}, ({z.shape[3]}, {z.shape[4]}))"
            )
        y: Tensor = self.expand(torch.relu(self.reduce(z.flatten(2))))
        masks: Tensor = y.unflatten(2, self.size)
        return masks
