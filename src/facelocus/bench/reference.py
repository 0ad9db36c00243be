"""The plain reference: the network of a recipe as a good engineer writes it first, and as it stays.

Eight sub-networks are eight modules in a Python loop, PSE is a module in each, resizing is torch's. It has the same
parameters as RegionNetwork and computes the same function; it is what ours is timed against, so nothing here is
made faster.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelocus.attributes import FRAME
from facelocus.nn.attention import ATTENTIONS
from facelocus.nn.backbones import TRUNKS, TimmTrunk
from facelocus.nn.network import NetworkSpec, RegionNetwork
from facelocus.nn.resize import blur_matrix


class PlainPSE(nn.Module):
    """PSE(b) on B x C x H x W with the mean as its squeeze."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(1, channels // reduction, 3, padding=1)
        self.expand = nn.Conv2d(channels // reduction, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.expand(torch.relu(self.reduce(x.mean(1, keepdim=True)))))


class PlainSubNetwork(nn.Module):
    """One region's branch: features B x in_channels x h x w -> logits of its attributes."""

    def __init__(self, in_channels: int, size: tuple[int, int], attributes: int, spec: NetworkSpec) -> None:
        super().__init__()
        width = spec.channels
        self.conv = nn.Conv2d(in_channels, width, 3, padding=1, groups=spec.conv_groups, bias=not spec.conv_affine)
        self.norm = nn.BatchNorm2d(width, affine=spec.conv_affine)
        self.attention: nn.Module = nn.Identity()
        if spec.attention == "pse_conv" and spec.squeeze == "mean":
            self.attention = PlainPSE(width, spec.reduction)
        elif spec.attention != "none":
            self.attention = ATTENTIONS[spec.attention](width, size, spec.reduction, spec.squeeze, 1)
        self.pool = nn.AdaptiveAvgPool2d(1) if spec.pooling == "mean" else nn.MaxPool2d(3, stride=2, ceil_mode=True)
        with torch.no_grad():
            features = self.pool(torch.zeros(1, width, *size)).numel()
        self.hidden = nn.Linear(features, spec.hidden) if spec.hidden else None
        features = spec.hidden or features
        self.out_norm = nn.BatchNorm1d(features) if spec.normalise else nn.Identity()
        self.logits = nn.Linear(features, attributes)

    def forward(self, shared: Tensor) -> Tensor:
        x = self.attention(torch.relu(self.norm(self.conv(shared))))
        x = self.pool(x).flatten(1)
        if self.hidden is not None:
            x = torch.relu(self.hidden(x))
        logits: Tensor = self.logits(self.out_norm(x))
        return logits


class PlainAlexNet(nn.Module):
    """Alexnet-cvgj's conv1 to conv4 on B x 3 x h x w RGB in 0-255."""

    def __init__(self) -> None:
        super().__init__()
        self.data = nn.BatchNorm2d(3)
        self.layers = nn.Sequential(
            *(nn.Conv2d(3, 96, 11, stride=4), nn.BatchNorm2d(96, affine=False), nn.ReLU()),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.BatchNorm2d(256, affine=False), nn.ReLU()),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            *(nn.Conv2d(256, 384, 3, padding=1), nn.BatchNorm2d(384, affine=False), nn.ReLU()),
            *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.BatchNorm2d(384, affine=False), nn.ReLU()),
        )

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.layers(self.data(images.flip(1)))
        return features


class PlainNetwork(nn.Module):
    """The reference of a RegionNetwork, with a copy of its weights.

    Calling it: frames B x 3 x 218 x 178, floats in 0-255 -> logits B x A in the order of the attributes.
    """

    def __init__(self, network: RegionNetwork) -> None:
        super().__init__()
        spec, attributes = network.spec, network.attributes
        self.spec = spec
        self.trunk = _trunk(spec)
        own = [[a for a, of in enumerate(attributes.region_of) if of == region] for region in attributes.regions]
        channels, *size = _shared(network)
        self.sub_networks = nn.ModuleList(
            PlainSubNetwork(channels, (size[0], size[1]), len(attributes), spec) for attributes in own
        )
        order = torch.tensor([a for attributes in own for a in attributes]).argsort()
        self.register_buffer("order", order, persistent=False)
        self.to(next(network.parameters()))
        self._copy(network, own)

    order: Tensor

    def forward(self, frames: Tensor) -> Tensor:
        if self.training or not self.spec.flip:
            return self._answer(frames)
        return (self._answer(frames) + self._answer(frames, mirrored=True)) / 2

    def _answer(self, frames: Tensor, mirrored: bool = False) -> Tensor:
        spec = self.spec
        if spec.blur:
            frames = _blurred(frames, spec.blur)
        x = F.interpolate(frames, spec.size, mode="bilinear", antialias=True)
        if spec.crop is not None:
            (height, width), (top, left) = spec.crop, ((s - c) // 2 for s, c in zip(spec.size, spec.crop, strict=True))
            x = x[:, :, top : top + height, left : left + width]
        shared = self.trunk(x.flip(3) if mirrored else x)
        return torch.cat([sub_network(shared) for sub_network in self.sub_networks], 1)[:, self.order]

    @torch.no_grad()
    def _copy(self, network: RegionNetwork, own: list[list[int]]) -> None:
        """Take over all weights and statistics; region r of a tensor with a region axis is sub-network r's."""
        theirs = network.trunk.state_dict()
        if isinstance(self.trunk, PlainAlexNet):
            names = {"data": "data"}
            for number, at in enumerate((0, 4, 8, 11), 1):
                names |= {f"layers.{at}": f"conv{number}", f"layers.{at + 1}": f"norm{number}"}
            renamed = {name: theirs[_renamed(name, names)] for name in self.trunk.state_dict()}
            self.trunk.load_state_dict(renamed)
        else:
            self.trunk.load_state_dict(theirs)
        together = network.sub_networks.state_dict()
        for region, (attributes, sub_network) in enumerate(zip(own, self.sub_networks, strict=True)):
            for name, ours in sub_network.state_dict().items():
                if name == "logits.weight":
                    ours.copy_(network.logit_weight[attributes])
                elif name == "logits.bias":
                    ours.copy_(network.logit_bias[attributes])
                elif ours.ndim == 0:  # BatchNorm's count of batches
                    ours.copy_(together[name])
                else:
                    by_region = together[name].unflatten(0, (len(own), -1))
                    ours.copy_(by_region[region].reshape(ours.shape))


def _trunk(spec: NetworkSpec) -> nn.Module:
    if spec.trunk == "alexnet_cvgj":
        return PlainAlexNet()
    if spec.trunk in TRUNKS:
        return TRUNKS[spec.trunk]()
    return TimmTrunk(spec.trunk, spec.stride, spec.imagenet, spec.context)


def _renamed(name: str, names: dict[str, str]) -> str:
    module, _, tensor = name.rpartition(".")
    return f"{names[module]}.{tensor}"


def _shared(network: RegionNetwork) -> torch.Size:
    """Return C, h, w of what the sub-networks share."""
    like, training = next(network.parameters()), network.training
    network.eval()
    with torch.no_grad():
        shape = network.features(torch.zeros(1, 3, *FRAME[:2], dtype=like.dtype, device=like.device)).shape[1:]
    network.train(training)
    return shape


def _blurred(frames: Tensor, deviation: float) -> Tensor:
    height, width = (blur_matrix(side, deviation).to(frames) for side in frames.shape[2:])
    # In bf16 neighbouring pixel values are one, and torch does not resize it.
    with torch.autocast(frames.device.type, enabled=False):
        return height @ frames @ width.T
