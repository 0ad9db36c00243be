"""Measure whether training waits for its faces: from a Pack larger than the memory it may use, and from one that fits.

    python benchmarks/data/pack_training.py PACK --json results/bench/training_data_cpu.json
    python benchmarks/data/pack_training.py PACK --json FILE --memory GIGABYTES

Trains the recipe `default` at its small size, where it is fastest, on random batches of PACK, the file's pages dropped
before; with --memory once more in a memory cgroup (version 1, needs root) that holds less than the Pack. The pages of
the file count towards the group's limit. What a step waits for is the read batch; the random changes, which the
training process makes itself, stand beside it. In the same process before: the same batches with nothing done to them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facelocus.data import Pack
from facelocus.files import write_record
from facelocus.processes import cores
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.recipes import load_recipe
from facelocus.training.batches import Batches
from facelocus.training.loop import attribute_losses
from facelocus.training.memory import keep_freed_memory
from facelocus.training.optimizer import build_optimizer
from facelocus.training.precision import precision_on
from facelocus.training.stage import Stage
from facelocus.training.world import World

STEPS = 20
WARM_UP = 4
#: Batches read when nothing is done with them.
ALONE = 400
GROUP = Path("/sys/fs/cgroup/memory/facelocus-bench")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure training from a Pack larger than memory.")
    parser.add_argument("pack", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--memory", type=float, help="gigabytes of a second run")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(train(options.pack)))
        return
    runs, limit = {"all memory": launch(options.pack, None)}, None
    if options.memory:
        limit = round(options.memory * 2**30)
        runs["less memory than the Pack"] = launch(options.pack, limit)
    recipe = load_recipe("default")
    record = {
        "what": "training_data",
        "device": "cpu",
        "recipe": "default",
        "size": recipe.phases[0].size,
        "precision": precision_on(torch.device("cpu"), recipe.precision),
        "source": Pack.open(options.pack).description,
        "pack_bytes": sum(file.stat().st_size for file in options.pack.iterdir()),
        "steps": STEPS,
        "batch": recipe.batch_size,
        "runs": runs,
        "memory_limit_bytes": limit,
        "commit": commit(),
        "date": now(),
        "cores": cores(),
        "device_name": cpu_name(),
        "torch": torch.__version__,
        "load_at_start": round(os.getloadavg()[0], 1),
        "versions": versions("torch", "numpy"),
    }
    write_record(options.json, record)
    print(json.dumps(record, indent=1))


def launch(pack: Path, limit: int | None) -> dict[str, Any]:
    """Train in a process of its own, in the cgroup where there is a limit."""
    with (pack / "faces.npy").open("rb") as faces:
        os.posix_fadvise(faces.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if limit is not None:
        GROUP.mkdir(exist_ok=True)
        (GROUP / "memory.limit_in_bytes").write_text(str(limit))

    def join() -> None:
        if limit is not None:
            (GROUP / "cgroup.procs").write_text(str(os.getpid()))

    command = [sys.executable, __file__, str(pack), "--worker"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=join)
    if limit is not None:
        GROUP.rmdir()
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


class WatchedBatches(Batches):
    """Batches that keep the moments when one was asked for and when it was there."""

    def steps(self, first: int, last: int) -> Iterator[tuple[int, Tensor, Tensor]]:
        self.asked, self.there = [time.perf_counter()], []
        for given in super().steps(first, last):
            self.there.append(time.perf_counter())
            yield given
            self.asked.append(time.perf_counter())


def train(folder: Path) -> dict[str, Any]:
    """Read ALONE batches; take WARM_UP and STEPS steps; return speed and waits."""
    keep_freed_memory()
    pack, recipe, device = Pack.open(folder), load_recipe("default"), torch.device("cpu")
    network = recipe.network.build(pack.attributes)
    network.trunk.to(memory_format=torch.channels_last)
    optimizer = build_optimizer(network, recipe.optimizer)
    batches = WatchedBatches(pack, pack.rows("train"), recipe.batch_size, recipe.seed, device, World())
    # Of the same epoch's far end: nothing that training reads later.
    last = len(batches.rows) // recipe.batch_size
    alone = min(ALONE, last)
    began = time.perf_counter()
    for _ in batches.steps(last - alone, last):
        pass
    reading = time.perf_counter() - began
    stage = Stage(network, recipe, 0, STEPS, batches)
    changed = []
    for _, batch, labels in stage.steps(0, WARM_UP + STEPS):
        changed.append(time.perf_counter())
        (attribute_losses(stage(batch)[0], labels).sum() / len(labels)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    end = time.perf_counter()
    asked, there = (np.array(moments[WARM_UP : WARM_UP + STEPS]) for moments in (batches.asked, batches.there))
    seconds, waits, changes = end - asked[0], there - asked, np.array(changed[WARM_UP:]) - there
    return {
        "images_per_second": round(STEPS * recipe.batch_size / seconds, 1),
        "batches_alone_images_per_second": round(alone * recipe.batch_size / reading, 1),
        "wait_milliseconds": {
            "median": round(1e3 * float(np.median(waits)), 3),
            "slowest": round(1e3 * float(waits.max()), 3),
            "share_of_time": round(float(waits.sum()) / seconds, 5),
        },
        "random_changes_share_of_time": round(float(changes.sum()) / seconds, 4),
        "read_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_inblock * 512,
        "peak_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


if __name__ == "__main__":
    main()
