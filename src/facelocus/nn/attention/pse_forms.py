"""Other ways to use PSE(b)'s mask; the paper's own is in pse.py and stays as it is.

With e = W2 relu(W1 z), the excitation before its sigmoid, and s = sigmoid(e):

    PSEResidual     y = (1 + s) x                       no position can be shut out
    PSENormalised   y = s / mean(s) x                   the level of a mask cannot matter, only where it is higher
    PSESoftmax      y = exp(e) / mean(exp(e)) x         with mean pooling: attention pooling over positions
    PSESharp        y = sigmoid(4 e) x                  a temperature of 1/4: masks nearer to 0 and 1
    PSEOpen         y = s x, where s begins at 0.88     a sub-network begins as one without a mask

Means are over positions. All have as many parameters as PSEConv, PSESoftmax one less.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facelocus.nn.attention.pse import PSEConv


class PSEResidual(PSEConv):
    """Masks add to a position and never take away."""

    def weights(self, masks: Tensor) -> Tensor:
        return 1 + masks


class PSENormalised(PSEConv):
    """Masks of one level: their mean over positions is divided out."""

    def weights(self, masks: Tensor) -> Tensor:
        return _level(masks)


class PSESoftmax(PSEConv):
    """Masks that positions compete for, relative to the highest, which is 1; a last bias would change nothing."""

    def __init__(self, channels: int, reduction: int = 16, squeeze: str = "mean", *, groups: int = 1) -> None:
        super().__init__(channels, reduction, squeeze, groups=groups)
        self.expand.bias = None

    def masks(self, x: Tensor) -> Tensor:
        e = self.logits(x)
        return torch.exp(e - e.amax((2, 3), keepdim=True))

    def weights(self, masks: Tensor) -> Tensor:
        return _level(masks)


class PSESharp(PSEConv):
    """Masks with a temperature of 1/4."""

    def masks(self, x: Tensor) -> Tensor:
        return torch.sigmoid(4 * self.logits(x))


class PSEOpen(PSEConv):
    """Masks that begin open: the last bias is 2, not about 0."""

    def __init__(self, channels: int, reduction: int = 16, squeeze: str = "mean", *, groups: int = 1) -> None:
        super().__init__(channels, reduction, squeeze, groups=groups)
        assert self.expand.bias is not None
        nn.init.constant_(self.expand.bias, 2.0)


def _level(masks: Tensor) -> Tensor:
    return masks / masks.mean((2, 3), keepdim=True).clamp_min(1e-6)
