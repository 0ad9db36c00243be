"""What may be asked of masks beside right answers: that they differ, and that each stays on its region."""

from __future__ import annotations

import torch
from torch import Tensor

from facelocus.training.recipe import Penalty


def mask_penalty(masks: Tensor, regions: Tensor, spec: Penalty) -> Tensor:
    """Return what a recipe's Penalty adds to the loss of an image, mean over the batch: a scalar.

    Args:
        masks: B x R x h x w.
        regions: R x h x w in [0, 1], how far each cell belongs to each region (images.regions).
        spec: the weights.
    """
    above = masks - masks.amin((2, 3), keepdim=True)
    total = masks.new_zeros(())
    if spec.overlap:
        flat = (above - above.mean((2, 3), keepdim=True)).flatten(2)
        unit = flat / flat.norm(dim=2, keepdim=True).clamp_min(1e-6)
        alike = torch.einsum("brp,bsp->brs", unit, unit).clamp_min(0)
        pairs = alike.triu(1).sum((1, 2)) / (masks.shape[1] * (masks.shape[1] - 1) / 2)
        total = total + spec.overlap * pairs.mean()
    if spec.outside:
        mass = above.sum((2, 3))
        outside = (above * (1 - regions)).sum((2, 3)) / mass.clamp_min(1e-6)
        total = total + spec.outside * outside.mean()
    return total
