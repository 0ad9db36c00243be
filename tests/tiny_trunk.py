"""A trunk of two convolutions, for tests of everything around it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TinyTrunk(nn.Module):
    """B x 3 x H x W in 0-255 -> B x 6 x ceil(H / 4) x ceil(W / 4)."""

    channels, stride = 6, 4

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 6, 3, stride=2, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.first(images / 255 - 0.5)))
        return torch.relu(self.second(x))
