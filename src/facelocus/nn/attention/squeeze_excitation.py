"""Squeeze-and-Excitation (Hu et al. 2018), for comparison with PSE (figure 1a of the paper).

    z = mean of x over its positions            C
    s = sigmoid(W2 relu(W1 z))                  C      with C / 16 hidden units
    y = s * x, one weight a channel             C x H x W

The bottleneck is exactly C / reduction; nothing is rounded to multiples of eight.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facelocus.nn.attention.pse import hidden_units, split_groups
from facelocus.nn.grouped import GroupedLinear


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
        self.reduce = GroupedLinear(groups, channels, hidden)
        self.expand = GroupedLinear(groups, hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the excited x, B x (G*C) x H x W.

        Raises:
            ValueError: x is not B x (G*C) x H x W.
        """
        x = split_groups(x, self.groups, self.channels)
        weights = torch.sigmoid(self.expand(torch.relu(self.reduce(x.mean((3, 4))))))
        return (x * weights[..., None, None]).flatten(1, 2)
