"""A training step by part: how long each takes forward and backward.

Between parts stands a layer that does nothing but look at the clock, once on each way.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from facelocus.bench.step import TrainingStep
from facelocus.nn.network import RegionNetwork
from facelocus.reports.figure import GREY, GRID, INK, STYLE, save_figure

#: In the order of the forward pass; the optimiser comes last and has no way back.
PARTS = (
    "frames to floats, resizing",
    "trunk",
    "convolution of the sub-networks",
    "their BatchNorm",
    "ReLU, attention, pooling",
    "hidden layer, BatchNorm, logits",
    "loss",
)
OPTIMISER = "optimiser"


class _Clock:
    """Moments of one step, in the order in which they came."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.moments: dict[tuple[str, str], Any] = {}

    def note(self, way: str, part: str) -> None:
        if self.device.type == "cuda":
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self.moments[way, part] = event
        else:
            self.moments[way, part] = time.perf_counter()

    def milliseconds(self, start: tuple[str, str], end: tuple[str, str]) -> float:
        first, last = self.moments[start], self.moments[end]
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            return float(first.elapsed_time(last))
        return float(1000 * (last - first))


class _Mark(torch.autograd.Function):
    """The end of a part: x as it is."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, clock: _Clock, part: str) -> Tensor:
        ctx.clock, ctx.part = clock, part
        clock.note("forward", part)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        ctx.clock.note("backward", ctx.part)
        return gradients[0], None, None


def step_parts(network: RegionNetwork, step: TrainingStep, rounds: int) -> list[dict[str, Any]]:
    """Return for each part its name and the medians of "forward_milliseconds" and "backward_milliseconds"."""
    found = []
    for _ in range(1 + rounds):
        clock = _Clock(step.device)
        handles = _put_marks(network, clock)
        try:
            found.append(_one(step, clock))
        finally:
            for handle in handles:
                handle.remove()
    middle = np.median(found[1:], 0).round(3)
    return [
        {"part": part, "forward_milliseconds": float(forward), "backward_milliseconds": float(backward)}
        for part, (forward, backward) in zip((*PARTS, OPTIMISER), middle, strict=True)
    ]


def _put_marks(network: RegionNetwork, clock: _Clock) -> list[RemovableHandle]:
    """Put the ends of parts into the network; without a hidden layer pooling ends where the last BatchNorm begins."""
    sub = network.sub_networks
    ends: list[tuple[nn.Module, str]] = [
        (network.resize, PARTS[0]),
        (network.trunk, PARTS[1]),
        (sub.conv, PARTS[2]),
        (sub.norm, PARTS[3]),
        (network, PARTS[5]),
    ]
    handles = [
        module.register_forward_hook(lambda _module, _given, out, part=part: _Mark.apply(out, clock, part))
        for module, part in ends
    ]
    after = sub.out_norm if sub.hidden is None else sub.hidden
    handles.append(after.register_forward_pre_hook(lambda _module, given: _Mark.apply(given[0], clock, PARTS[4])))
    return handles


def _one(step: TrainingStep, clock: _Clock) -> list[tuple[float, float]]:
    clock.note("forward", "begin")
    loss = step.loss(step.logits())
    clock.note("forward", PARTS[-1])
    clock.note("backward", PARTS[-1])
    loss.backward()
    clock.note("backward", "end")
    step.update()
    clock.note("forward", OPTIMISER)
    starts = ("begin", *PARTS[:-1])
    forward = [
        clock.milliseconds(("forward", start), ("forward", part)) for start, part in zip(starts, PARTS, strict=True)
    ]
    # Nothing before the trunk's first layer has a gradient: its way back ends the pass.
    ends = (None, "end", *PARTS[1:-1])
    backward = [
        0.0 if end is None else clock.milliseconds(("backward", part), ("backward", end))
        for part, end in zip(PARTS, ends, strict=True)
    ]
    optimiser = clock.milliseconds(("backward", "end"), ("forward", OPTIMISER))
    return [*zip(forward, backward, strict=True), (optimiser, 0.0)]


def parts_table(record: dict[str, Any]) -> str:
    """Return the parts of a record as lines of text, times a batch."""
    total = sum(part["forward_milliseconds"] + part["backward_milliseconds"] for part in record["parts"])
    lines = [f"{'part':<34}{'forward':>12}{'backward':>12}{'share':>9}"]
    for part in record["parts"]:
        forward, backward = part["forward_milliseconds"], part["backward_milliseconds"]
        share = 100 * (forward + backward) / total
        lines.append(f"{part['part']:<34}{forward:>9.2f} ms{backward:>9.2f} ms{share:>7.1f} %")
    return "\n".join(lines)


def draw_parts(record: dict[str, Any], file: Path) -> None:
    """Write a bar a part, the ways forward and backward side by side on it.

    Raises:
        StorageError: the file cannot be written.
    """
    import matplotlib

    parts = record["parts"]
    forward, backward = (
        np.array([part[f"{way}_milliseconds"] for part in parts]) / record["batch"] for way in ("forward", "backward")
    )
    unit = "milliseconds"
    if (forward + backward).max() < 1:
        unit, forward, backward = "microseconds", 1000 * forward, 1000 * backward
    rows = np.arange(len(parts))[::-1]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 3.4), layout="constrained")
        axes = figure.subplots()
        axes.barh(rows, forward, 0.66, color="#2f6f9f", label="forward")
        axes.barh(rows, backward, 0.66, left=forward, color="#d08a3c", label="backward")
        total = float((forward + backward).sum())
        for row, time_ in zip(rows, forward + backward, strict=True):
            text = f"{time_:.{0 if time_ >= 100 else 1 if time_ >= 10 else 2}f} ({100 * time_ / total:.1f} %)"
            axes.text(time_ + 0.01 * total, row, text, va="center", color=INK, fontsize=9)
        axes.set_yticks(rows, [part["part"] for part in parts])
        axes.set_xlim(0, 1.2 * float((forward + backward).max()))
        axes.set_xlabel(f"{unit} an image")
        axes.grid(axis="x", color=GRID)
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0)
        what = f"{record['recipe']}, a training step of {record['batch']} faces"
        axes.set_title(f"{what}: {record['images_per_second']:,.4g} a second", loc="left", fontsize=10)
        axes.text(
            1, -0.2, f"{record['device_name']}, {record['precision']}, torch {record['torch']}",
            transform=axes.transAxes, ha="right", color=GREY, fontsize=8,
        )  # fmt: skip
        axes.legend(frameon=False, loc="lower right")
        save_figure(figure, file)
