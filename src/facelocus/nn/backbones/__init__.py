"""Trunks: the shared layers of a RegionNetwork, one file each.

The contract: a module with `channels` (C) and `stride` whose forward takes B x 3 x h x w RGB in 0-255 at its input
size, owns channel order and normalisation, and returns B x C x h' x w' features.

A new trunk that is not in timm is a file here and a line in TRUNKS; the contract test finds it there. Any name that is
not in TRUNKS is a timm network.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from facelocus.nn.backbones.alexnet_cvgj import AlexNetCVGJ
from facelocus.nn.backbones.timm_trunk import TimmTrunk

TRUNKS: dict[str, Callable[[], nn.Module]] = {"alexnet_cvgj": AlexNetCVGJ}

__all__ = ["TRUNKS", "AlexNetCVGJ", "TimmTrunk"]
