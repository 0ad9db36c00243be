"""BatchNorm over the whole batch where each process holds a part of it."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
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


class _Norm(torch.autograd.Function):
    """Batch normalisation with the statistics of equal parts of a batch, one in each process.

    What is summed over processes is two numbers a channel, forward and backward. The rest is torch's own kernels: the
    backward one takes means over this part alone, and what they differ by from those over all is linear in x.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        none = torch.zeros_like(weight)
        own_mean, own_var = torch.batch_norm_update_stats(x, none, none.clone(), 0.0)
        mean, square = _mean_of_all(torch.stack([own_mean, own_var + own_mean**2]))
        var = square - mean**2
        ctx.save_for_backward(x, weight, mean, torch.rsqrt(var + eps))
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, var)
        return F.batch_norm(x, mean, var, weight, bias, False, 0.0, eps), mean, var

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, scale = ctx.saved_tensors
        by_x, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            gradients[0], x, weight, None, None, mean, scale, True, ctx.eps, [True, True, True]
        )
        here = torch.stack([by_bias, by_weight]) * (x.shape[1] / x.numel())
        plain, along = here - _mean_of_all(here.clone())
        slope = weight * scale**2 * along
        offset = weight * scale * plain - slope * mean
        one = torch.ones_like(weight)
        by_x += F.batch_norm(x, torch.zeros_like(one), one, slope, offset, False, 0.0, 0.0)
        return by_x, by_weight, by_bias, None


def _mean_of_all(values: Tensor) -> Tensor:
    dist.all_reduce(values)
    return values / dist.get_world_size()


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
        if not self.training:
            y = F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
            return self.act(y)  # type: ignore[no-any-return]
        weight = torch.ones_like(self.running_mean) if self.weight is None else self.weight
        bias = torch.zeros_like(self.running_mean) if self.bias is None else self.bias
        y, mean, var = _Norm.apply(x, weight, bias, self.eps)
        with torch.no_grad():
            count = dist.get_world_size() * x.numel() / x.shape[1]
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * (count / (count - 1)), self.momentum)
            self.num_batches_tracked += 1
        return self.act(y)  # type: ignore[no-any-return]
