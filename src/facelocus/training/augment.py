"""Random changes of a batch of frames, on the device, from a generator of its own."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from facelocus.training.recipe import Augment


def augment(
    frames: Tensor, spec: Augment, generator: torch.Generator, batch: int | None = None, part: slice = slice(None)
) -> Tensor:
    """Return changed frames: B x 3 x H x W floats in 0-255, borders replicated, values kept in range.

    The turn, zoom and move are one bilinear warp; it stands for what a face detector is off by. The colours
    change after it. Numbers are drawn in a fixed order, so a generator's seed fixes the result.

    Args:
        frames: B x 3 x H x W floats in 0-255.
        spec: how much may change.
        generator: on the frames' device.
        batch: size of the whole batch where `frames` are only its `part`: each gets the same numbers as in the whole.
        part: which of the batch they are.
    """
    height, width = frames.shape[2:]
    batch = batch or len(frames)

    def uniform() -> Tensor:
        return torch.rand(batch, generator=generator, device=frames.device)[part]

    def normal() -> Tensor:
        return torch.randn(batch, generator=generator, device=frames.device)[part]

    mirror = torch.where(uniform() < spec.flip, -1.0, 1.0)
    angle = normal() * math.radians(spec.rotation)
    zoom = torch.exp(normal() * spec.scale)
    shift_x, shift_y = normal() * spec.shift, normal() * spec.shift
    if spec.scale or spec.rotation or spec.shift:
        # In the sampler's coordinates both sides run from -1 to 1, so a turn mixes them by the frame's aspect.
        cos, sin, aspect = torch.cos(angle) / zoom, torch.sin(angle) / zoom, width / height
        theta = torch.stack(
            [
                torch.stack([cos * mirror, -sin / aspect, 2 * shift_x / width], 1),
                torch.stack([sin * aspect * mirror, cos, 2 * shift_y / height], 1),
            ],
            1,
        )
        grid = F.affine_grid(theta, list(frames.shape), align_corners=False)
        frames = F.grid_sample(frames, grid, padding_mode="border", align_corners=False)
    elif spec.flip:
        frames = torch.where(mirror.view(-1, 1, 1, 1) < 0, frames.flip(3), frames)
    for amount, centre_of in (
        (spec.brightness, _black),
        (spec.contrast, _mean_colour),
        (spec.saturation, _grey),
        (spec.sharpness, _blurred),
    ):
        if amount:
            factor = (1 + amount * (2 * uniform() - 1)).view(-1, 1, 1, 1)
            centre = centre_of(frames)
            frames = centre + (frames - centre) * factor
    return frames.clamp(0, 255)


def _black(frames: Tensor) -> Tensor:
    return torch.zeros_like(frames)


def _mean_colour(frames: Tensor) -> Tensor:
    return frames.mean((1, 2, 3), keepdim=True)


def _grey(frames: Tensor) -> Tensor:
    return frames.mean(1, keepdim=True)


def _blurred(frames: Tensor) -> Tensor:
    """Return frames weighted 1 2 1 over rows and columns, borders replicated."""
    padded = F.pad(frames, (1, 1, 1, 1), mode="replicate")
    return F.avg_pool2d(F.avg_pool2d(padded, 2, 1), 2, 1)
