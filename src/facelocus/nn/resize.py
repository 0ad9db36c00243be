"""Resizing as two constant matrix products, the same in training and in the model file."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def resize_matrix(source: int, target: int, crop: int | None = None) -> Tensor:
    """Return the crop x source matrix of antialiased linear resizing, float32.

    Row i holds the weights of the source pixels in target pixel i: a triangle around its centre, as wide as
    the shrinking needs (what Pillow calls BILINEAR). `crop` keeps only the middle rows.
    """
    scale = source / target
    support = max(1.0, scale)
    centres = (torch.arange(target, dtype=torch.float64) + 0.5) * scale
    pixels = torch.arange(source, dtype=torch.float64) + 0.5
    weights = (1 - (pixels[None] - centres[:, None]).abs() / support).clamp(min=0)
    weights = weights / weights.sum(1, keepdim=True)
    if crop is not None:
        first = (target - crop) // 2
        weights = weights[first : first + crop]
    return weights.float()


def blur_matrix(side: int, deviation: float) -> Tensor:
    """Return the side x side matrix of a Gaussian blur, float32; borders are replicated.

    Args:
        side: pixels.
        deviation: of the Gaussian, in pixels; 0 for the identity.
    """
    if not deviation:
        return torch.eye(side)
    reach = math.ceil(4 * deviation)
    steps = torch.arange(-reach, reach + 1)
    weights = torch.exp(-0.5 * (steps.double() / deviation) ** 2)
    at = (torch.arange(side)[:, None] + steps).clamp(0, side - 1)
    matrix = torch.zeros(side, side, dtype=torch.float64)
    matrix.scatter_add_(1, at, (weights / weights.sum()).expand(side, -1))
    return matrix.float()


class Resize(nn.Module):
    """Blur and resize B x 3 x H x W frames to the input of a trunk.

    Args:
        frame: (H, W) it takes.
        size: (h, w) the frame is resized to.
        crop: (h', w') the middle that is kept; None keeps all.
        blur: deviation of a Gaussian blur before it, in pixels of the frame.
    """

    rows: Tensor
    columns: Tensor

    def __init__(
        self, frame: tuple[int, int], size: tuple[int, int], crop: tuple[int, int] | None = None, blur: float = 0.0
    ) -> None:
        super().__init__()
        kept = crop or size
        if kept[0] > size[0] or kept[1] > size[1]:
            raise ValueError(f"a crop of {kept[0]} x {kept[1]} does not fit into {size[0]} x {size[1]}")
        # Constants, not parameters: they follow from the sizes, so checkpoints do not carry them.
        rows, columns = (
            resize_matrix(*sides) @ blur_matrix(sides[0], blur) for sides in zip(frame, size, kept, strict=True)
        )
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns.T.contiguous(), persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        # Whole numbers would be lost to bf16 here: 8 bits do not hold a pixel's neighbourhood.
        with torch.autocast(frames.device.type, enabled=False):
            return self.rows @ frames @ self.columns
