"""Position squeeze: from C channels to one or two maps (section 3.2.1, equation 1).

The paper takes the mean and adds that "other classic aggregation strategies can be used"; the
others here are that sentence spelled out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: How many maps each squeeze returns.
SQUEEZES = {"mean": 1, "max": 1, "mean_max": 2, "weighted": 1}


class PositionSqueeze(nn.Module):
    """Aggregate over channels at every position.

    Args:
        channels: C, channels of one group.
        kind: "mean" (the paper's), "max", "mean_max" (both maps) or "weighted" (a learned weight a channel,
            started at the mean).
        groups: G, independent modules side by side.

    Shapes: B x G x C x H x W -> B x G x S x H x W, with S = SQUEEZES[kind].
    """

    def __init__(self, channels: int, kind: str = "mean", groups: int = 1) -> None:
        super().__init__()
        if kind not in SQUEEZES:
            raise ValueError(f"squeeze {kind!r} is not one of {', '.join(SQUEEZES)}")
        self.kind = kind
        self.maps = SQUEEZES[kind]
        if kind == "weighted":
            self.weight = nn.Parameter(torch.full((groups, channels), 1 / channels))

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "mean":
            return x.mean(2, keepdim=True)
        if self.kind == "max":
            return x.amax(2, keepdim=True)
        if self.kind == "mean_max":
            return torch.cat([x.mean(2, keepdim=True), x.amax(2, keepdim=True)], 2)
        return torch.einsum("bgchw,gc->bghw", x, self.weight).unsqueeze(2)
