"""What bounds a step: the operations it has, and how many of them this machine does a second at its best."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from facelocus.bench.timing import Step, synchronize

#: Side of the matrices whose product is this machine's best.
SIDES = {"cpu": 2048, "cuda": 8192}
PRODUCTS = 7


def operations(step: Step) -> int:
    """Return the multiplications and additions of a call's convolutions and matrix products on its way forward.

    A way back has twice as many, one product for the inputs' gradient and one for the weights'; torch's counter takes
    grouped convolutions there for whole ones, so only forward is counted.
    """
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        step()
    return int(counter.get_total_flops())


def operations_a_second(device: torch.device, precision: str) -> float:
    """Return the rate of a large matrix product of random numbers in "fp32" or "bf16", the fastest of PRODUCTS."""
    side = SIDES[device.type]
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = torch.randn(2, side, side, device=device).to(dtype)
    found = []
    for _ in range(PRODUCTS):
        synchronize(device)
        started = time.perf_counter()
        left @ right
        synchronize(device)
        found.append(time.perf_counter() - started)
    return 2 * side**3 / min(found)


def share_of_limit(
    record: dict[str, Any], flops_an_image: float, device: torch.device, before: float
) -> dict[str, Any]:
    """Return the fields of a record about its share of the arithmetic limit.

    Args:
        record: its rate and precision.
        flops_an_image: operations.
        device: where it was measured.
        before: operations_a_second before that; what disturbs the machine rarely lasts until after it.
    """
    best = max(before, operations_a_second(device, record["precision"]))
    return {
        "flops_an_image": round(flops_an_image),
        "matrix_flops_per_second": float(f"{best:.4g}"),
        "share_of_arithmetic_limit": round(record["images_per_second"] * flops_an_image / best, 4),
    }
