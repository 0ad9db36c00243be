"""Depthwise convolutions with gradients of their own, for training on a processor.

oneDNN, to which torch leaves both gradients, takes ten to forty times the forward pass for two of them in bf16: the
input's where the stride is above 1, and that of a kernel of more than three columns. Both are sums of what it is fast
at.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import pad_same
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

#: Kernels of so many columns have a fast gradient.
COLUMNS = 3
#: In others torch's gradients are as fast.
TYPES = (torch.bfloat16,)


class DepthwiseConv2d(nn.Module):
    """A depthwise convolution of timm or torch, with its weight: same answers, faster gradients on a processor.

    Args:
        conv: without bias, of one stride, not dilated; see own_gradients.

    Shapes: B x C x H x W -> B x C x H' x W', as `conv` gives them.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.stride = conv.weight, conv.stride[0]
        self.padding: tuple[int, int] | None = None  # as TensorFlow pads: by size
        if not isinstance(conv, Conv2dSame):
            self.padding = (int(conv.padding[0]), int(conv.padding[1]))

    def forward(self, x: Tensor) -> Tensor:
        if self.padding is None:
            x = pad_same(x, list(self.weight.shape[2:]), [self.stride] * 2)
        weight, padding = self.weight, self.padding or (0, 0)
        slow = self.stride > 1 or weight.shape[3] > COLUMNS
        if slow and x.device.type == "cpu" and torch.is_grad_enabled():
            if torch.is_autocast_enabled("cpu"):
                dtype = torch.get_autocast_dtype("cpu")
                x, weight = x.to(dtype), weight.to(dtype)
            if x.dtype in TYPES:
                out: Tensor = _Depthwise.apply(x, weight, self.stride, padding)
                return out
        return F.conv2d(x, weight, None, self.stride, padding, groups=len(weight))


def own_gradients(network: nn.Module) -> None:
    """Let every depthwise convolution of a network be a DepthwiseConv2d; names and weights stay as they are."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            # A subclass may compute something else from its weight.
            if isinstance(child, nn.Conv2d) and type(child) in (nn.Conv2d, Conv2dSame) and _is_depthwise(child):
                setattr(module, name, DepthwiseConv2d(child))


def _is_depthwise(conv: nn.Conv2d) -> bool:
    return (
        conv.groups == conv.in_channels == conv.out_channels > 1
        and conv.bias is None
        and conv.stride[0] == conv.stride[1]
        and conv.dilation == (1, 1)
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
    )


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, None, stride, padding, groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        of_input = _of_input(gradient, x, weight, ctx.stride, ctx.padding) if wanted[0] else None
        of_weight = _of_weight(gradient, x, weight, ctx.stride, ctx.padding) if wanted[1] else None
        return of_input, of_weight, None, None


def _of_input(gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: tuple[int, int]) -> Tensor:
    """Return the gradient of the input: of every stride-th row and column it is a convolution of stride 1.

    Row a + stride t of the input meets every stride-th row of the kernel, from the first that reaches it on, in
    neighbouring rows of the output; columns alike.
    """
    if stride == 1 or min(weight.shape[2:]) < stride:
        return _torchs(gradient, x, weight, stride, padding, of_input=True)
    found = torch.empty_like(x, memory_format=torch.channels_last)
    for a in range(stride):
        for b in range(stride):
            rows, columns = (a + padding[0]) % stride, (b + padding[1]) % stride
            kernel = weight[:, :, rows::stride, columns::stride].flip(2, 3)
            into = found[:, :, a::stride, b::stride]
            top, bottom = _margins(a + padding[0], stride, kernel.shape[2], gradient.shape[2], into.shape[2])
            left, right = _margins(b + padding[1], stride, kernel.shape[3], gradient.shape[3], into.shape[3])
            padded = F.pad(gradient, (left, right, top, bottom)).contiguous(memory_format=torch.channels_last)
            into.copy_(F.conv2d(padded, kernel, groups=len(weight)))
    return found


def _margins(start: int, stride: int, kernel: int, gradient: int, wanted: int) -> tuple[int, int]:
    """Return what the gradient needs before and after it, below 0 what is too much."""
    first = start // stride
    return kernel - 1 - first, wanted + first - gradient


def _of_weight(gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: tuple[int, int]) -> Tensor:
    """Return the gradient of the kernel, COLUMNS of it at a time; where they do not divide it, some twice."""
    width = weight.shape[3]
    if width <= COLUMNS:
        return _torchs(gradient, x, weight, stride, padding, of_input=False)
    if any(padding):
        x = F.pad(x, (padding[1], padding[1], padding[0], padding[0]))
    found = torch.empty_like(weight)
    reached = (gradient.shape[3] - 1) * stride + COLUMNS
    for column in (*range(0, width - COLUMNS, COLUMNS), width - COLUMNS):
        part = x[..., column : column + reached].contiguous(memory_format=torch.channels_last)
        kernel = weight[..., column : column + COLUMNS]
        found[..., column : column + COLUMNS] = _torchs(gradient, part, kernel, stride, (0, 0), of_input=False)
    return found


def _torchs(
    gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: tuple[int, int], *, of_input: bool
) -> Tensor:
    """Return one of torch's own two gradients."""
    both = torch.ops.aten.convolution_backward(
        gradient,
        x,
        weight,
        None,
        [stride] * 2,
        list(padding),
        [1, 1],
        False,
        [0, 0],
        len(weight),
        [of_input, not of_input, False],
    )
    found: Tensor = both[0] if of_input else both[1]
    return found
