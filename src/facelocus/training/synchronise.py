"""BatchNorm over the whole batch where each process holds a part of it."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from timm.layers.norm_act import convert_sync_batchnorm
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def synchronise_norms(network: nn.Module, device: torch.device) -> None:
    """Replace every BatchNorm by one whose statistics are those of all processes; names of weights stay.

    On a GPU that is torch's SyncBatchNorm, through timm, whose norms carry an activation. It refuses to run on a
    CPU: there `_Synchronised` takes its place.
    """
    if device.type == "cuda":
        convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, _BatchNorm):
                setattr(module, name, _Synchronised(child))


class _Sum(torch.autograd.Function):
    """The sum over processes; its gradient is the sum of their gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        dist.all_reduce(total)
        return total


class _Synchronised(nn.Module):
    """A BatchNorm (with timm's activation, if it has one) over equal parts of a batch in all processes."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__()
        assert norm.momentum is not None
        self.eps, self.momentum = norm.eps, norm.momentum
        self.weight, self.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers():
            self.register_buffer(name, buffer)
        self.act = getattr(norm, "act", nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        shape = (1, -1, *(1,) * (x.ndim - 2))
        if self.training:
            own_var, own_mean = torch.var_mean(x.float(), [0, *range(2, x.ndim)], correction=0)
            mean, square = _Sum.apply(torch.stack([own_mean, own_var + own_mean**2])) / dist.get_world_size()
            var = square - mean**2
            with torch.no_grad():
                count = dist.get_world_size() * x.numel() / x.shape[1]
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * (count / (count - 1)), self.momentum)
                self.num_batches_tracked += 1
        else:
            mean, var = self.running_mean, self.running_var
        scale = torch.rsqrt(var + self.eps)
        y = (x.float() - mean.view(shape)) * scale.view(shape)
        if self.weight is not None:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        result: Tensor = self.act(y.to(x.dtype))
        return result
