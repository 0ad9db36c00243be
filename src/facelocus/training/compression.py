"""What JPEG leaves of a picture, on any device: rounding of the cosine transform, without the coding."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# The tables of the standard (ITU-T T.81, annex K): by how much each coefficient is divided at quality 50.
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)

# RGB to luminance and two differences of colour (JFIF).
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


def compress(frames: Tensor, quality: Tensor) -> Tensor:
    """Return frames as a JPEG file of a quality would give them back, colours at half the resolution.

    Args:
        frames: B x 3 x H x W floats in 0-255, RGB.
        quality: B numbers from 1 to 100, as encoders count it.
    """
    height, width = frames.shape[2:]
    padded = F.pad(frames, (0, -width % 16, 0, -height % 16), mode="replicate")
    to_ycc = torch.tensor(_TO_YCC, device=frames.device, dtype=frames.dtype)
    ycc = torch.einsum("yc,bchw->byhw", to_ycc, padded)
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality).to(frames)
    luminance = 128 + _rounded(ycc[:, :1] - 128, scale, _LUMINANCE)
    colour = F.interpolate(_rounded(F.avg_pool2d(ycc[:, 1:], 2), scale, _CHROMINANCE), scale_factor=2, mode="bilinear")
    back = torch.einsum("cy,byhw->bchw", torch.linalg.inv(to_ycc), torch.cat([luminance, colour], 1))
    return back[:, :, :height, :width].clamp(0, 255)


def _rounded(planes: Tensor, scale: Tensor, table: tuple[tuple[int, ...], ...]) -> Tensor:
    """Round the cosine transform of each 8 x 8 block to multiples of its table, scaled in percent for each image."""
    batch, channels, height, width = planes.shape
    at = torch.arange(8, device=planes.device, dtype=planes.dtype)
    cosine = torch.cos((at + 0.5) * at[:, None] * (math.pi / 8)) / 2
    cosine[0] *= math.sqrt(0.5)
    step = (torch.tensor(table, device=planes.device) * scale.view(-1, 1, 1) + 50).div(100).floor().clamp(1, 255)
    step = step.view(batch, 1, 1, 8, 1, 8)
    blocks = planes.reshape(batch, channels, height // 8, 8, width // 8, 8)
    transformed = torch.einsum("ui,bcminj,vj->bcmunv", cosine, blocks, cosine)
    kept = (transformed / step).round() * step
    return torch.einsum("ui,bcmunv,vj->bcminj", cosine, kept, cosine).reshape(batch, channels, height, width)
