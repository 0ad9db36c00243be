"""Attention modules, one file an idea. Each works alone in any convolutional network.

A new one is a file here and a line in ATTENTIONS; the contract test finds it there.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from facelocus.nn.attention.pse import PSEConv, PSEFullyConnected
from facelocus.nn.attention.squeeze_excitation import SqueezeExcitation

#: What a recipe may name: from channels, positions, reduction, squeeze and groups to the module.
ATTENTIONS: dict[str, Callable[[int, tuple[int, int], int, str, int], nn.Module]] = {
    "pse_conv": lambda c, size, r, squeeze, groups: PSEConv(c, r, squeeze, groups=groups),
    "pse_fully_connected": lambda c, size, r, squeeze, groups: PSEFullyConnected(c, size, r, squeeze, groups=groups),
    "squeeze_excitation": lambda c, size, r, squeeze, groups: SqueezeExcitation(c, r, groups=groups),
}

__all__ = ["ATTENTIONS", "PSEConv", "PSEFullyConnected", "SqueezeExcitation"]
