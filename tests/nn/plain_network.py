"""The definition of RegionNetwork: plain modules, one sub-network a region, called one after the other.

Written from the description of a sub-network, apart from the fast form: convolution 3 x 3 -> BatchNorm -> ReLU ->
attention -> pooling -> [hidden layer -> ReLU] [-> BatchNorm] -> logits of the region's own attributes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facelocus.nn import RegionNetwork
from facelocus.nn.attention import ATTENTIONS


class PlainAttention(nn.Module):
    """One region's attention, and its mask where there is one."""

    def __init__(self, kind: str, channels: int, size: tuple[int, int], reduction: int, squeeze: str) -> None:
        super().__init__()
        self.module = nn.Identity() if kind == "none" else ATTENTIONS[kind](channels, size, reduction, squeeze, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        if getattr(self.module, "has_masks", False):
            y, mask = self.module(x, masks=True)
            return y, mask
        return self.module(x), None


class PlainSubNetwork(nn.Module):
    """One region's sub-network with its logits."""

    def __init__(self, network: RegionNetwork, region: str, in_channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        spec = network.spec
        self.conv = nn.Conv2d(
            in_channels, spec.channels, 3, padding=1, groups=spec.conv_groups, bias=not spec.conv_affine
        )
        self.norm = nn.BatchNorm2d(spec.channels, affine=spec.conv_affine)
        self.attention = PlainAttention(spec.attention, spec.channels, size, spec.reduction, spec.squeeze)
        self.pool = nn.AdaptiveAvgPool2d(1) if spec.pooling == "mean" else nn.MaxPool2d(3, stride=2, ceil_mode=True)
        features = self.pool(torch.zeros(1, spec.channels, *size)).numel()
        self.hidden = nn.Linear(features, spec.hidden) if spec.hidden else None
        features = spec.hidden or features
        self.out_norm = nn.BatchNorm1d(features) if spec.normalise else nn.Identity()
        self.logits = nn.Linear(features, len(network.attributes.in_region(region)))

    def forward(self, shared: Tensor) -> tuple[Tensor, Tensor | None]:
        x, mask = self.attention(torch.relu(self.norm(self.conv(shared))))
        x = self.pool(x).flatten(1)
        if self.hidden is not None:
            x = torch.relu(self.hidden(x))
        return self.logits(self.out_norm(x)), mask


class PlainNetwork(nn.Module):
    """A trunk and a list of sub-networks; logits are put into the attribute set's order by name."""

    def __init__(self, network: RegionNetwork, trunk: nn.Module, in_channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.attributes = network.attributes
        self.resize = network.resize
        self.trunk = trunk
        self.sub_networks = nn.ModuleList(
            PlainSubNetwork(network, region, in_channels, size) for region in network.attributes.regions
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        shared = self.trunk(self.resize(images))
        by_name: dict[str, Tensor] = {}
        masks = []
        for region, sub_network in zip(self.attributes.regions, self.sub_networks, strict=True):
            logits, mask = sub_network(shared)
            masks.append(mask)
            for index, name in enumerate(self.attributes.in_region(region)):
                by_name[name] = logits[:, index]
        together = None if masks[0] is None else torch.cat(masks, 1)
        return torch.stack([by_name[name] for name in self.attributes.names], 1), together


def fast_state(plain: PlainNetwork, of: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rearrange values named as the plain network's tensors (a state or gradients) into RegionNetwork's names."""
    regions = range(len(plain.sub_networks))

    def each(name: str) -> list[Tensor]:
        return [of[f"sub_networks.{region}.{name}"] for region in regions]

    def has(name: str) -> bool:
        return f"sub_networks.0.{name}" in of

    fast = {name: value for name, value in of.items() if name.startswith("trunk.")}
    fast["sub_networks.conv.weight"] = torch.stack(each("conv.weight"))
    if has("conv.bias"):
        fast["sub_networks.conv.bias"] = torch.stack(each("conv.bias"))
    for norm in ("norm", "out_norm"):
        for part in ("weight", "bias", "running_mean", "running_var"):
            if has(f"{norm}.{part}"):
                fast[f"sub_networks.{norm}.{part}"] = torch.cat(each(f"{norm}.{part}"))
    prefix = "sub_networks.0.attention.module."
    for name in [name.removeprefix(prefix) for name in of if name.startswith(prefix)]:
        fast[f"sub_networks.attention.{name}"] = torch.cat(each(f"attention.module.{name}"))
    if has("hidden.weight"):
        fast["sub_networks.hidden.weight"] = torch.stack(each("hidden.weight"))
        fast["sub_networks.hidden.bias"] = torch.stack(each("hidden.bias"))
    rows = {
        name: (region, index)
        for region, its_name in enumerate(plain.attributes.regions)
        for index, name in enumerate(plain.attributes.in_region(its_name))
    }
    for part in ("weight", "bias"):
        fast[f"logit_{part}"] = torch.stack(
            [of[f"sub_networks.{rows[name][0]}.logits.{part}"][rows[name][1]] for name in plain.attributes.names]
        )
    return fast
