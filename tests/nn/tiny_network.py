"""A network of six attributes on three regions, and drawn faces for it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facelocus.attributes import AttributeSet
from facelocus.nn import NetworkSpec, RegionNetwork
from faces import draw_face
from tiny_trunk import TinyTrunk

#: Regions of 3, 1 and 2 attributes, mixed in the attributes' order.
MIXED = AttributeSet(("a", "b", "c", "d", "e", "f"), ("eye", "ear", "lip"), ("lip", "eye", "ear", "eye", "lip", "eye"))
#: Makes 7 x 6 positions of TinyTrunk.
SIZE = (26, 22)


def tiny(attributes: AttributeSet = MIXED, **changes: Any) -> RegionNetwork:
    torch.manual_seed(3)
    spec = dataclasses.replace(NetworkSpec(trunk="tiny", size=SIZE, channels=4, reduction=2), **changes)
    return RegionNetwork(TinyTrunk(), attributes, spec)


def frames(count: int = 4) -> Tensor:
    return torch.from_numpy(np.stack([draw_face(seed) for seed in range(count)]))


def as_float(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2).double()
