"""SGD with momentum on one large weight that products read in 16 bits: it, its momentum and its copy in one pass."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor, nn


@triton.jit
def _update(weight, momentum, gradient, working, count, rate, keep, decay, SIZE: tl.constexpr):  # noqa: N803
    at = tl.program_id(0) * SIZE + tl.arange(0, SIZE)
    there = at < count
    w = tl.load(weight + at, there, 0.0)
    d = tl.load(gradient + at, there, 0.0).to(tl.float32) + decay * w
    m = keep * tl.load(momentum + at, there, 0.0) + d
    w -= rate * m
    tl.store(momentum + at, m, there)
    tl.store(weight + at, w, there)
    tl.store(working + at, w.to(working.dtype.element_ty), there)


class WorkingWeight:
    """A float32 weight and its copy in another dtype, which learns.

    Attributes:
        working: the copy; its gradient, in its dtype, is what `step` takes.
    """

    def __init__(self, weight: Tensor, dtype: torch.dtype, rate: float, momentum: float, decay: float) -> None:
        self.weight, self.momentum = weight.detach().clone(), torch.zeros_like(weight)
        self.working = nn.Parameter(self.weight.to(dtype))
        self.settings = (rate, momentum, decay)

    def step(self) -> None:
        """Do what torch.optim.SGD does, and forget the gradient."""
        assert self.working.grad is not None
        count = self.weight.numel()
        _update[(triton.cdiv(count, 1024),)](
            self.weight, self.momentum, self.working.grad, self.working, count, *self.settings, SIZE=1024
        )
        self.working.grad = None
