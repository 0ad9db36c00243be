"""The sub-networks of the paper as one computation along a region axis (sections 3.1 and 4.2, figure 2).

One sub-network is: convolution 3 x 3 -> BatchNorm -> ReLU -> attention -> pooling -> [hidden layer -> ReLU]
[-> BatchNorm]. All R of them read the same features, so their convolutions are one convolution with R times the
outputs, and what follows runs in groups. The paper leaves width, pooling and classifier open; without the last
BatchNorm, differences between attention modules were mostly differences of scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelocus.nn.attention import ATTENTIONS
from facelocus.nn.convolution import by_groups, takes_bias_out, without_bias
from facelocus.nn.grouped import GroupedLinear

POOLINGS = ("mean", "max")


class SharedInputConv(nn.Module):
    """R convolutions 3 x 3 on the same input as one: B x Cin x H x W -> B x (R*C) x H x W, region by region.

    The weight is kept as R x C x Cin/g x 3 x 3, so that one region's convolution is weight[r].
    """

    def __init__(self, in_channels: int, regions: int, channels: int, groups: int = 1, bias: bool = False) -> None:
        super().__init__()
        if in_channels % groups or channels % groups:
            raise ValueError(f"{groups} groups do not divide {in_channels} and {channels} channels")
        self.groups = groups
        self.weight = nn.Parameter(torch.empty(regions, channels, in_channels // groups, 3, 3))
        self.bias = nn.Parameter(torch.zeros(regions, channels)) if bias else None
        deviation = math.sqrt(2 / (9 * in_channels / groups))  # MSRA, as the published Alexnet-cvgj starts
        nn.init.normal_(self.weight, std=deviation)

    def forward(self, x: Tensor, norm: nn.Module | None = None) -> Tensor:
        """Return the outputs; without their bias where the BatchNorm is given that is called next, and takes it out."""
        weight: Tensor = self.weight
        bias = None if self.bias is None else self.bias.flatten()
        learns = norm is not None and takes_bias_out(norm)
        if norm is not None and learns and bias is not None:
            weight, bias = without_bias(weight, bias, norm), None
        if self.groups == 1:
            return F.conv2d(x, weight.flatten(0, 1), bias, padding=1)
        # Convolution g reads input slice g for every region; its outputs return to region order after it.
        regions, channels = weight.shape[:2]
        each = channels // self.groups
        weight = weight.unflatten(1, (self.groups, each)).transpose(0, 1).flatten(0, 2)
        if learns:
            parts = [part.permute(0, 2, 3, 1) for part in by_groups(x, weight, 1, self.groups)]
            y = torch.stack([part.unflatten(3, (regions, each)) for part in parts], 4).flatten(3).permute(0, 3, 1, 2)
        else:
            y = F.conv2d(x, weight, None, padding=1, groups=self.groups)
            y = y.unflatten(1, (self.groups, regions, each)).transpose(1, 2).flatten(1, 3)
        return y if bias is None else y + bias.to(y.dtype)[:, None, None]


class SubNetworks(nn.Module):
    """R sub-networks without their logits.

    Args:
        in_channels: channels of the shared features.
        size: (h, w) positions of the shared features.
        regions: R.
        channels: C of each sub-network's convolution.
        conv_groups: groups of that convolution.
        conv_affine: whether the BatchNorm after it learns scale and shift; without, the convolution has a bias
            as in Alexnet-cvgj.
        attention: a name of ATTENTIONS, or "none".
        reduction: of the attention.
        squeeze: of PSE.
        pooling: "mean" over all positions, or "max" 3 x 3 with stride 2 (Alexnet's pool5, sizes rounded up).
        hidden: units of a hidden layer after the pooling; 0 for none.
        normalise: whether the last BatchNorm is there.

    Shapes: B x in_channels x h x w -> features B x R x D and masks B x R x h x w (None without PSE).
    """

    def __init__(
        self,
        in_channels: int,
        size: tuple[int, int],
        regions: int,
        *,
        channels: int = 64,
        conv_groups: int = 1,
        conv_affine: bool = True,
        attention: str = "pse_conv",
        reduction: int = 16,
        squeeze: str = "mean",
        pooling: str = "mean",
        hidden: int = 0,
        normalise: bool = True,
    ) -> None:
        super().__init__()
        if attention != "none" and attention not in ATTENTIONS:
            raise ValueError(f"attention {attention!r} is not one of none, {', '.join(ATTENTIONS)}")
        if pooling not in POOLINGS:
            raise ValueError(f"pooling {pooling!r} is not one of {', '.join(POOLINGS)}")
        if pooling == "max" and min(size) < 2:
            raise ValueError(f"pooling max needs 2 x 2 positions, there are {size[0]} x {size[1]}: use a larger input")
        self.regions, self.channels, self.pooling = regions, channels, pooling
        self.conv = SharedInputConv(in_channels, regions, channels, conv_groups, bias=not conv_affine)
        self.norm = nn.BatchNorm2d(regions * channels, affine=conv_affine)
        self.attention: nn.Module | None = None
        if attention != "none":
            self.attention = ATTENTIONS[attention](channels, size, reduction, squeeze, regions)
        #: The only (h, w) that these sub-networks take; None where any does.
        self.made_for = size if pooling == "max" or hasattr(self.attention, "size") else None
        pooled = channels
        if pooling == "max":
            pooled *= math.prod(math.ceil((side - 3) / 2) + 1 for side in size)
        self.hidden: GroupedLinear | None = None
        if hidden:
            self.hidden = GroupedLinear(regions, pooled, hidden)
            nn.init.normal_(self.hidden.weight, std=math.sqrt(2 / pooled))
            nn.init.zeros_(self.hidden.bias)
        self.features = hidden or pooled
        self.register_buffer("own", torch.eye(regions)[:, :, None], persistent=False)
        self.out_norm = nn.BatchNorm1d(regions * self.features) if normalise else nn.Identity()

    own: Tensor

    @property
    def has_masks(self) -> bool:
        """Whether the attention has one weight a position."""
        return self.attention is not None and bool(self.attention.has_masks)

    @torch.no_grad()
    def take_over(self, other: SubNetworks, regions: Sequence[int]) -> None:
        """Make sub-network r a copy of sub-network regions[r] of another; RuntimeError where shapes differ."""
        theirs = other.state_dict()
        if other_only := theirs.keys() - self.state_dict().keys():
            raise RuntimeError(f"{min(other_only)} has no place")
        for name, ours in self.state_dict().items():
            # Without that copy_ would broadcast, and a layer that is missing be no error of shapes.
            if name not in theirs or theirs[name].shape[1:] != ours.shape[1:]:
                raise RuntimeError(f"{name} has another shape")
            if ours.ndim == 0:  # BatchNorm's count of batches
                ours.copy_(theirs[name])
                continue
            # Whatever is first, channels, groups or regions: it is region by region.
            by_region = theirs[name].unflatten(0, (other.regions, -1))
            ours.unflatten(0, (self.regions, -1)).copy_(by_region[list(regions)])

    @torch.no_grad()
    def start_from(self, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> None:
        """Start every sub-network's convolution and the statistics of its BatchNorm as one layer that is known.

        Args:
            weight: C x in_channels / conv_groups x 3 x 3.
            bias: C; the convolution has one where conv_affine is False.
            mean: C, of the convolution's outputs.
            variance: C, of the same.
        """
        assert self.conv.bias is not None
        self.conv.weight.copy_(weight.expand_as(self.conv.weight))
        self.conv.bias.copy_(bias.expand_as(self.conv.bias))
        for statistic, known in ((self.norm.running_mean, mean), (self.norm.running_var, variance)):
            assert statistic is not None
            statistic.copy_(known.repeat(self.regions))

    def forward(self, shared: Tensor) -> tuple[Tensor, Tensor | None]:
        x = torch.relu(self.norm(self.conv(shared, self.norm)))
        masks: Tensor | None = None
        if self.attention is not None and self.has_masks and self.pooling == "mean":
            masks = self.attention.masks(x)  # type: ignore[operator]
            pooled = self._weighted_mean(x, self.attention.weights(masks))  # type: ignore[operator]
        else:
            if self.attention is not None and self.has_masks:
                x, masks = self.attention(x, masks=True)
            elif self.attention is not None:
                x = self.attention(x)
            pooled = self._pool(x).unflatten(1, (self.regions, self.channels)).flatten(2)
        if self.hidden is not None:
            pooled = torch.relu(self.hidden(pooled))
        return self.out_norm(pooled.flatten(1)).unflatten(1, (self.regions, self.features)), masks

    def _weighted_mean(self, x: Tensor, weights: Tensor) -> Tensor:
        """Return the mean over positions of what weights, B x R x h x w, excite: B x R x C.

        As one product over positions the excited x is never written. Every region's weights meet every region's
        channels, of which only its own are kept: x is read as it lies in memory, channels last, where a product of each
        region alone would copy it, and keep the copy for the gradient.
        """
        rows = x.permute(0, 2, 3, 1).flatten(1, 2)
        of_all = torch.bmm(weights.flatten(2), rows).unflatten(2, (self.regions, self.channels))
        mean: Tensor = (of_all * self.own).sum(2) / rows.shape[1]
        return mean

    def _pool(self, x: Tensor) -> Tensor:
        if self.pooling == "mean":
            return x.mean((2, 3))
        return F.max_pool2d(x, 3, stride=2, ceil_mode=True)
