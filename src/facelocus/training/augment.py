"""Random changes of a batch of frames, on the device, from a generator of its own."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from facelocus.training.compression import compress
from facelocus.training.recipe import Augment

#: A blurred frame is averaged by weights 1 2 1 so many times at most: a deviation of 2.4 pixels.
BLURS = 12

#: Qualities of compression, drawn evenly.
QUALITIES = (15, 95)


def augment(
    frames: Tensor, spec: Augment, generator: torch.Generator, batch: int | None = None, part: slice = slice(None)
) -> Tensor:
    """Return changed frames: B x 3 x H x W floats in 0-255, borders replicated, values kept in range.

    The turn, zoom and move are one bilinear warp; it stands for what a face detector is off by. The colours change
    after it, then comes what a camera and a file do: blur, noise, compression. Numbers are drawn in a fixed order, so
    a generator's seed fixes the result.

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
    if spec.crop != (0, 0):
        corners = [torch.floor(uniform() * (2 * most + 1)).int().tolist() for most in spec.crop]
        y, x = spec.crop
        frames = _windows(F.pad(frames, (x, x, y, y), mode="replicate"), corners, (height, width))
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
    if spec.blur:
        chosen, averages = uniform() < spec.blur, torch.ceil(BLURS * uniform())
        frames = _where(chosen, frames, lambda some: _averaged(some, averages[chosen]))
    if spec.noise:
        # One field of noise for all; each image has a window of its own.
        field = torch.randn((3, 2 * height, 2 * width), generator=generator, device=frames.device)
        corners = [(uniform() * side).int().tolist() for side in (height, width)]
        grain = _windows(field.expand(len(frames), -1, -1, -1), corners, (height, width))
        frames = frames + (spec.noise * uniform()).view(-1, 1, 1, 1) * grain
    if spec.compression:
        chosen, quality = uniform() < spec.compression, QUALITIES[0] + (QUALITIES[1] - QUALITIES[0]) * uniform()
        frames = _where(chosen, frames.clamp(0, 255), lambda some: compress(some, quality[chosen]))
    return frames.clamp(0, 255)


def _windows(frames: Tensor, corners: list[list[int]], size: tuple[int, int]) -> Tensor:
    """Return of each frame the window of a size whose top left corner is given: tops, then lefts."""
    height, width = size
    windows = [frame[:, y : y + height, x : x + width] for frame, y, x in zip(frames, *corners, strict=True)]
    return torch.stack(windows)


def _where(chosen: Tensor, frames: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Return frames of which the chosen ones are changed; the others cost nothing."""
    if not chosen.any():
        return frames
    frames = frames.clone()
    frames[chosen] = change(frames[chosen])
    return frames


def _averaged(frames: Tensor, times: Tensor) -> Tensor:
    """Return frames blurred, each its number of times."""
    order = times.argsort(descending=True)
    sorted_, left = frames[order], times[order]
    for number in range(1, int(left[0]) + 1):
        count = int((left >= number).sum())
        sorted_[:count] = _blurred(sorted_[:count])
    return torch.empty_like(frames).index_copy_(0, order, sorted_)


def _black(frames: Tensor) -> Tensor:
    return torch.zeros_like(frames)


def _mean_colour(frames: Tensor) -> Tensor:
    return frames.mean((1, 2, 3), keepdim=True)


def _grey(frames: Tensor) -> Tensor:
    return frames.mean(1, keepdim=True)


def _blurred(frames: Tensor) -> Tensor:
    """Return frames weighted 1 2 1 over rows and columns, borders replicated."""
    # Sums of neighbours: eight times as fast on a CPU as pooling or a convolution.
    summed = F.pad(frames, (1, 1, 1, 1), mode="replicate")
    for _ in range(2):
        summed = summed[:, :, :-1] + summed[:, :, 1:]
        summed = summed[:, :, :, :-1] + summed[:, :, :, 1:]
    return summed.div_(16)
