"""In what numbers a network computes while it trains."""

from __future__ import annotations

import torch


def precision_on(device: torch.device, precision: str) -> str:
    """Return "bf16" or "fp32": what Recipe.precision is on a device.

    "auto" asks a processor for AVX-512 BF16 or AMX, and a CUDA device for the like: elsewhere bf16 is emulated, slower
    than single precision.
    """
    if precision != "auto":
        return precision
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16" if native else "fp32"
