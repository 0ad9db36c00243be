"""Convolutions before a BatchNorm, while they learn: the same function, in a form that libraries are quicker at."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def before_norm(x: Tensor, conv: nn.Conv2d, norm: nn.Module) -> Tensor:
    """Return what a convolution gives to the BatchNorm that is called next: without its bias, where that learns.

    Args:
        x: B x C x H x W.
        conv: square, not dilated; without padding where its stride is above 1.
        norm: see takes_bias_out.
    """
    if not takes_bias_out(norm):
        plain: Tensor = conv(x)
        return plain
    assert conv.bias is not None and not isinstance(conv.padding, str)
    weight = without_bias(conv.weight, conv.bias, norm)
    if conv.stride[0] > 1:
        return on_blocks(x, weight, conv.stride[0])
    if conv.groups > 1:
        return torch.cat(by_groups(x, weight, conv.padding[0], conv.groups), 1)
    return F.conv2d(x, weight, padding=conv.padding)


def takes_bias_out(norm: nn.Module) -> bool:
    """Whether a BatchNorm uses means of its batch, and its running ones move by a share of them."""
    return norm.training and norm.momentum not in (None, 1)


def without_bias(weight: Tensor, bias: Tensor, norm: nn.Module) -> Tensor:
    """Return the weight of a convolution whose bias is not added, as the BatchNorm after it would take it out again.

    The running mean keeps the bias; its gradient is a zero.

    Args:
        weight: of C channels.
        bias: C.
        norm: the BatchNorm that is called next, once; takes_bias_out.
    """
    # As the BatchNorm itself changes it: unseen by autograd, which has kept it for gradients that do not use it.
    running_mean, momentum = cast("Tensor", norm.running_mean), cast("float", norm.momentum)
    running_mean.data.add_(bias.data, alpha=momentum / (1 - momentum))
    kept: Tensor = _Unused.apply(weight, bias)
    return kept


def by_groups(x: Tensor, weight: Tensor, padding: int, groups: int) -> list[Tensor]:
    """Return the outputs of a convolution in groups, each group's as a convolution of its own.

    Shapes: x B x C x H x W, weight O x C/groups x h x w -> `groups` times B x O/groups x H' x W'.
    """
    parts = zip(x.chunk(groups, 1), weight.chunk(groups), strict=True)
    return [F.conv2d(part, its_weight, padding=padding) for part, its_weight in parts]


def on_blocks(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Return a convolution without padding as one of stride 1 on blocks of stride x stride pixels.

    A picture's three channels leave matrix units idle; a block has many. The kernel is padded with zeros to whole
    blocks.

    Shapes: x B x C x H x W, weight O x C x h x w -> B x O x H' x W' with H' = (H - h) // stride + 1.
    """
    if torch.is_autocast_enabled(x.device.type):  # before x is copied: half as many bytes
        x = x.to(torch.get_autocast_dtype(x.device.type))
    # Pixels that no window reaches are cut off, and what the padded kernel reaches beyond the last one is added.
    more = [
        stride * ((side - taps) // stride + -(-taps // stride)) - side
        for side, taps in zip(x.shape[2:], weight.shape[2:], strict=True)
    ]
    x = blocks(F.pad(x, (0, more[1], 0, more[0])), stride)
    weight = F.pad(weight, (0, -weight.shape[3] % stride, 0, -weight.shape[2] % stride))
    return F.conv2d(x, blocks(weight, stride))


def blocks(x: Tensor, side: int) -> Tensor:
    """Return N x C x H x W as N x (side*side*C) x H/side x W/side: blocks of pixels, channels last in memory."""
    x = x.unflatten(3, (-1, side)).unflatten(2, (-1, side))
    return x.permute(0, 2, 4, 3, 5, 1).flatten(3).permute(0, 3, 1, 2)


class _Unused(torch.autograd.Function):
    """The weight, with a gradient for a bias that has no part: DistributedDataParallel wants one of each parameter."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(bias)
        return weight.view_as(weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        (bias,) = ctx.saved_tensors
        return gradient, torch.zeros_like(bias)
