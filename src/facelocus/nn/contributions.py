"""Why this attribute: how much each position adds to a logit, exactly.

With mean pooling and no hidden layer everything after the attention is linear, so a logit is a sum over positions and a
constant. Nothing is approximated: it is what HiResCAM (Draelos and Carin 2020) gives at the excited features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facelocus.nn.network import RegionNetwork


def contributions(network: RegionNetwork, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return maps B x A x h x w and constants A: logits = maps.sum((2, 3)) + constants.

    Args:
        network: in eval mode.
        images: as the network takes them.

    Raises:
        ValueError: the network has max pooling or a hidden layer, after which a logit is no sum over positions, or is
            in training mode, in which it depends on the batch.
    """
    sub = network.sub_networks
    if sub.pooling != "mean" or sub.hidden is not None:
        raise ValueError("a logit is a sum over positions only with network.pooling=mean and network.hidden=0")
    if network.training:
        raise ValueError("in training mode a logit depends on the batch: call network.eval() first")
    maps, constants = _of_frames(network, images)
    if network.spec.flip:
        mirrored, _ = _of_frames(network, images, mirrored=True)
        maps = (maps + mirrored.flip(3)) / 2
    return maps, constants


def _of_frames(network: RegionNetwork, images: Tensor, mirrored: bool = False) -> tuple[Tensor, Tensor]:
    sub = network.sub_networks
    x = torch.relu(sub.norm(sub.conv(network.features(images, mirrored))))
    if sub.attention is not None:
        x = sub.attention(x)
    excited = x.unflatten(1, (sub.regions, sub.channels))
    scale, shift = _affine(sub.out_norm, sub.regions, sub.channels, x)
    # One row an attribute, zero but in the columns of its region.
    weight = x.new_zeros(len(network.attributes), sub.regions, sub.channels)
    weight[torch.arange(len(weight)), network.region_index] = network.logit_weight
    positions = x.shape[2] * x.shape[3]
    maps = torch.einsum("brchw,arc->bahw", excited, weight * scale) / positions
    return maps, network.logit_bias + torch.einsum("arc,rc->a", weight, shift)


def _affine(norm: nn.Module, regions: int, channels: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return what a norm in eval mode multiplies by and adds, R x C each."""
    if not isinstance(norm, nn.BatchNorm1d):
        return like.new_ones(regions, channels), like.new_zeros(regions, channels)
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias - norm.running_mean * scale
    return scale.view(regions, channels), shift.view(regions, channels)
