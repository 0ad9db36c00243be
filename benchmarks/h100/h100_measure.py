"""What the variants of h100.py share: faces, a step, its timing and its record."""

from __future__ import annotations

import contextlib
import copy
import fcntl
import gc
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facelocus.attributes import CELEBA, FRAME
from facelocus.files import write_record
from facelocus.nn.network import RegionNetwork
from facelocus.provenance import commit, now
from facelocus.recipes import load_recipe
from facelocus.training.loop import attribute_losses
from facelocus.training.optimizer import build_optimizer
from h100_count import least_bytes, training_flops

FOLDER, DEVICE, BATCH, WORKER = Path(sys.argv[1]), torch.device(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
STARTED, SECONDS = float(os.environ["H100_STARTED"]), float(os.environ["H100_SECONDS"])
CUDA = DEVICE.type == "cuda"
ROUNDS, STEPS = (9, 6) if CUDA else (1, 1)
RECIPE = load_recipe("paper_alex")
BEST = frozenset({"frames", "split", "no_bias", "norms", "tail"})

Step = Callable[[], None]


class Faces:
    """Resident frames of noise with labels, and one static batch that `draw` fills from them."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        count = 8 * BATCH
        self.frames = torch.randint(0, 256, (count, *FRAME), generator=generator, dtype=torch.uint8).to(DEVICE)
        self.labels = torch.randint(0, 2, (count, len(CELEBA)), generator=generator, dtype=torch.int8).to(DEVICE)
        self.flips = torch.randint(0, 2, (count,), generator=generator, dtype=torch.uint8).to(DEVICE)
        self.rows = torch.randperm(count, generator=generator).view(8, BATCH).to(DEVICE)
        self.at = 0
        self.batch, self.its_labels, self.flip = (x[:BATCH].clone() for x in (self.frames, self.labels, self.flips))

    def draw(self) -> None:
        rows = self.rows[self.at % 8]
        self.at += 1
        for source, to in ((self.frames, self.batch), (self.labels, self.its_labels), (self.flips, self.flip)):
            torch.index_select(source, 0, rows, out=to)


@cache
def _first(attention: str) -> RegionNetwork:
    torch.manual_seed(0)
    return replace(RECIPE.network, attention=attention).build(CELEBA).to(DEVICE).train()


def network_of(attention: str) -> RegionNetwork:
    """Return paper_alex's network on the device, always with the same weights."""
    return copy.deepcopy(_first(attention))


def plain_logits(network: nn.Module, autocast: bool, channels_last: bool) -> Callable[[Tensor, Tensor], Tensor]:
    def logits(frames: Tensor, flip: Tensor) -> Tensor:
        x = frames.permute(0, 3, 1, 2).float()
        x = torch.where(flip.view(-1, 1, 1, 1) != 0, x.flip(3), x)
        if channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        # Without its cache: weights cast inside a captured graph must not be found outside it.
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=autocast, cache_enabled=False):
            result: Tensor = network(x)
        return result

    return logits


def step_of(module: nn.Module, owner: Any, logits: Callable[[Tensor, Tensor], Tensor], faces: Faces) -> Step:
    """Return forward, loss, backward and SGD of a module on the static batch."""
    optimizer = optimizer_of(module, owner)

    def step() -> None:
        loss = attribute_losses(logits(faces.batch, faces.flip), faces.its_labels).sum() / BATCH
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def optimizer_of(module: nn.Module, owner: Any) -> torch.optim.Optimizer:
    if isinstance(owner, RegionNetwork):
        return build_optimizer(owner, RECIPE.optimizer)
    spec = RECIPE.optimizer
    biases = [p for n, p in module.named_parameters() if n.endswith("bias")]
    others = [p for n, p in module.named_parameters() if not n.endswith("bias")]
    groups = [{"params": others}, {"params": biases, "lr": spec.rate * spec.bias_rate, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=spec.rate, momentum=spec.momentum, weight_decay=spec.weight_decay, fused=True)


def captured(step: Step) -> Step:
    """Return the replay of a step captured as one CUDA graph."""
    if not CUDA:
        return step
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def replay(_held: Step = step) -> None:
        # The step owns the weights that the graph reads and writes: it must live as long.
        graph.replay()

    return replay


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the device: no other process measures meanwhile. What waits for it does not use up its own `at_most`."""
    with (FOLDER / "lock").open("w") as file:
        remaining, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        fcntl.flock(file, fcntl.LOCK_EX)
        if remaining:
            signal.setitimer(signal.ITIMER_REAL, max(0.01, min(remaining, left() - 1)))
        yield
        if CUDA:
            torch.cuda.synchronize()


def synchronize() -> None:
    if CUDA:
        torch.cuda.synchronize()


def timed(steps: dict[str, Step], faces: Faces) -> dict[str, list[float]]:
    """Return seconds a step of each, one number a round; rounds alternate."""
    for step in steps.values():
        for _ in range(3 if CUDA else 1):
            faces.draw()
            step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            synchronize()
            started = time.perf_counter()
            for _ in range(STEPS):
                faces.draw()
                step()
            synchronize()
            seconds[name].append((time.perf_counter() - started) / STEPS)
    return seconds


def left() -> float:
    return SECONDS - (time.time() - STARTED)


def write(name: str, record: dict[str, Any]) -> None:
    write_record(FOLDER / f"{name}.json", record)


def read(name: str) -> dict[str, Any]:
    file = FOLDER / f"{name}.json"
    return json.loads(file.read_text()) if file.is_file() else {}


def say(text: str) -> None:
    print(f"[{time.time() - STARTED:5.1f} s] {text}", flush=True)


def about() -> dict[str, Any]:
    """Return what every record says of what was measured, and on what."""
    return {
        "recipe": "paper_alex",
        "device": DEVICE.type,
        "device_name": torch.cuda.get_device_name() if CUDA else "cpu",
        "torch": torch.__version__,
        "batch": BATCH,
        "commit": commit(),
        "date": now(),
    }


def record_of(name: str, seconds: list[float], pse: bool, precision: str) -> dict[str, Any]:
    middle = statistics.median(seconds)
    ceilings, flops, least = read("ceilings"), training_flops(pse), least_bytes(BATCH)
    arithmetic = flops / ceilings["flops_a_second"] if ceilings else None
    moving = least / ceilings["bytes_a_second"] / BATCH if ceilings else None
    return {
        "what": "training_step",
        "variant": name,
        **about(),
        "network": "PSE(b)-Alexnet-cvgj, 227 x 227" if pse else "Alexnet-cvgj without PSE, 227 x 227",
        "precision": precision,
        "images_per_second": round(BATCH / middle, 1),
        "images_per_second_quartiles": [round(BATCH / x, 1) for x in np.percentile(seconds, (75, 25)).tolist()],
        "rounds": len(seconds),
        "step_milliseconds": [round(1000 * x, 4) for x in sorted(seconds)],
        "flops_an_image": flops,
        "least_bytes_an_image": round(least / BATCH),
        "share_of_arithmetic_limit": arithmetic and round(arithmetic * BATCH / middle, 4),
        "share_of_memory_limit": moving and round(moving * BATCH / middle, 4),
        "peak_bytes": torch.cuda.max_memory_allocated() if CUDA else None,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "notes": [],  # of what a reader has to know besides
    }


def pse_cost(with_pse: list[float], without: list[float]) -> dict[str, Any]:
    """Return PSE's cost from paired rounds."""
    differences = [1e6 * (a - b) / BATCH for a, b in zip(with_pse, without, strict=True)]
    return {
        "pse_microseconds_an_image": round(statistics.median(differences), 4),
        "pse_microseconds_by_round": [round(x, 4) for x in differences],
        "pse_share": round(statistics.median((a - b) / a for a, b in zip(with_pse, without, strict=True)), 4),
    }


class LateError(Exception):
    """A variant took longer than it may."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise LateError(f"longer than {seconds:.0f} s")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(1.0, min(seconds if CUDA else left(), left() - 1)))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def begin(name: str, least: float) -> bool:
    """Whether a variant is to be run: in time, and not yet begun by a process that ended over it."""
    mark = FOLDER / f".begun-{name}"
    if mark.exists() or left() < least:
        return False
    mark.touch()
    return True


def attempt(name: str, bound: float, run: Callable[[], None], least: float = 4) -> None:
    """Run one variant; whatever it raises costs that variant alone, unless the device itself is lost."""
    if not begin(name, least):
        return
    try:
        with at_most(bound):
            run()
    except Exception as error:  # the next variant must have its turn whatever this one did
        reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:300] if str(error).strip() else ''}"
        write(name, {"variant": name, "failed": reason})
        say(f"{name}: failed, {reason}")
        if CUDA and ("CUDA error" in str(error) or "illegal" in str(error) or "unspecified launch" in str(error)):
            os._exit(3)
    finally:
        gc.collect()
        if CUDA:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


def show(record: dict[str, Any]) -> None:
    share = record["share_of_arithmetic_limit"]
    text = f"{record['variant']}: {record['images_per_second']:,.0f} images/s"
    if share:
        text += f", {100 * share:.1f} % of arithmetic"
    if "pse_share" in record:
        text += f", PSE {record['pse_microseconds_an_image']:.2f} us an image, {100 * record['pse_share']:.1f} %"
    say(text)


def backends(tf32: bool, benchmark: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = benchmark
