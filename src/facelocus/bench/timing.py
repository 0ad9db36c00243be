"""Time by the clock: things that are compared take turns, so that whatever else the machine does meets them alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

Step = Callable[[], Any]

#: A round of one step lasts at least so many seconds: a shorter one measures the clock.
LEAST = 0.2
WARM = 2


def synchronize(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def alternate(steps: Mapping[str, Step], rounds: int, device: torch.device) -> dict[str, list[float]]:
    """Return the seconds that one call of each takes: one number a round, in which each has its turn."""
    repeats = {}
    for name, step in steps.items():
        for _ in range(WARM):
            step()
        repeats[name] = max(1, math.ceil(LEAST / _seconds(step, 1, device)))
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in tqdm(range(rounds), unit="round", leave=False, disable=None):
        for name, step in steps.items():
            seconds[name].append(_seconds(step, repeats[name], device))
    return seconds


def _seconds(step: Step, repeats: int, device: torch.device) -> float:
    synchronize(device)
    started = time.perf_counter()
    for _ in range(repeats):
        step()
    synchronize(device)
    return (time.perf_counter() - started) / repeats


def rates(seconds: Mapping[str, list[float]], images: int) -> dict[str, Any]:
    """Return what a record says of "ours", "reference" and, where they are there, the same "without" PSE.

    Rates are medians over rounds, with their quartiles; what is compared is compared within rounds.
    """
    record: dict[str, Any] = {}
    for name, prefix in (("ours", ""), ("reference", "reference_")):
        low, middle, high = np.percentile(images / np.array(seconds[name]), (25, 50, 75))
        record[f"{prefix}images_per_second"] = _rounded(middle)
        record[f"{prefix}images_per_second_quartiles"] = [_rounded(low), _rounded(high)]
    quotient = np.array(seconds["reference"]) / np.array(seconds["ours"])
    record["times_the_reference"] = round(float(np.median(quotient)), 3)
    for name, prefix in (("ours", ""), ("reference", "reference_")):
        if f"{name} without" in seconds:
            whole, without = np.array(seconds[name]), np.array(seconds[f"{name} without"])
            cost = 1e6 * (whole - without) / images
            record[f"{prefix}pse_microseconds_an_image"] = _rounded(float(np.median(cost)))
            record[f"{prefix}pse_microseconds_quartiles"] = [_rounded(q) for q in np.percentile(cost, (25, 75))]
            record[f"{prefix}pse_share"] = round(float(np.median((whole - without) / whole)), 4)
    return record


def _rounded(value: float) -> float:
    """Return four significant digits."""
    return float(f"{value:.4g}")
