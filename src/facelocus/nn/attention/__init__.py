"""Attention modules, one file an idea. Each works alone in any convolutional network.

A new one is a file here and a line in ATTENTIONS; the contract test finds it there.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from facelocus.nn.attention.pse import PSEConv, PSEFullyConnected
from facelocus.nn.attention.pse_forms import PSENormalised, PSEOpen, PSEResidual, PSESharp, PSESoftmax
from facelocus.nn.attention.squeeze_excitation import SqueezeExcitation

#: What a recipe may name: from channels, positions, reduction, squeeze and groups to the module.
ATTENTIONS: dict[str, Callable[[int, tuple[int, int], int, str, int], nn.Module]] = {
    "pse_conv": lambda c, size, r, squeeze, groups: PSEConv(c, r, squeeze, groups=groups),
    "pse_fully_connected": lambda c, size, r, squeeze, groups: PSEFullyConnected(c, size, r, squeeze, groups=groups),
    "pse_residual": lambda c, size, r, squeeze, groups: PSEResidual(c, r, squeeze, groups=groups),
    "pse_normalised": lambda c, size, r, squeeze, groups: PSENormalised(c, r, squeeze, groups=groups),
    "pse_softmax": lambda c, size, r, squeeze, groups: PSESoftmax(c, r, squeeze, groups=groups),
    "pse_sharp": lambda c, size, r, squeeze, groups: PSESharp(c, r, squeeze, groups=groups),
    "pse_open": lambda c, size, r, squeeze, groups: PSEOpen(c, r, squeeze, groups=groups),
    "squeeze_excitation": lambda c, size, r, squeeze, groups: SqueezeExcitation(c, r, groups=groups),
}

__all__ = [
    "ATTENTIONS",
    "PSEConv",
    "PSEFullyConnected",
    "PSENormalised",
    "PSEOpen",
    "PSEResidual",
    "PSESharp",
    "PSESoftmax",
    "SqueezeExcitation",
]
