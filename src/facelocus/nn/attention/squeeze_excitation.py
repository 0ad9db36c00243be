"""Squeeze-and-Excitation (Hu et al. 2018), for comparison with PSE (figure 1a of the paper).

    z = mean of x over its positions            C
    s = sigmoid(W2 relu(W1 z))                  C      with C / 16 hidden units
    y = s * x, one weight a channel             C x H x W

The bottleneck is exactly C / reduction; nothing is rounded to multiples of eight.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from facelocus.nn.attention.pse import hidden_units, split_groups


class SqueezeExcitation(nn.Module):
    """One weight a channel, from the mean over positions; takes any H and W.

    Args:
        channels: C.
        reduction: C / reduction hidden units.
        groups: G independent modules side by side on G * C channels.
    """

    #: It weighs channels, not positions: there is no mask to draw.
    has_masks = False

    def __init__(self, channels: int, reduction: int = 16, *, groups: int = 1) -> None:
        super().__init__()
        self.channels = channels
        self.groups = groups
        hidden = hidden_units(channels, reduction)
        self.reduce_weight = nn.Parameter(torch.empty(groups, hidden, channels))
        self.reduce_bias = nn.Parameter(torch.empty(groups, hidden))
        self.expand_weight = nn.Parameter(torch.empty(groups, channels, hidden))
        self.expand_bias = nn.Parameter(torch.empty(groups, channels))
        for weight, bias in ((self.reduce_weight, self.reduce_bias), (self.expand_weight, self.expand_bias)):
            bound = 1 / math.sqrt(weight.shape[2])  # as torch starts nn.Linear
            nn.init.uniform_(weight, -bound, bound)
            nn.init.uniform_(bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Return the excited x, B x (G*C) x H x W.

        Raises:
            ValueError: x is not B x (G*C) x H x W.
        """
        x = split_groups(x, self.groups, self.channels)
        hidden = torch.relu(torch.einsum("bgc,ghc->bgh", x.mean((3, 4)), self.reduce_weight) + self.reduce_bias)
        weights = torch.sigmoid(torch.einsum("bgh,gch->bgc", hidden, self.expand_weight) + self.expand_bias)
        return (x * weights[..., None, None]).flatten(1, 2)
