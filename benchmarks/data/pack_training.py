"""Measure whether training waits for its faces: from a Pack larger than the memory it may use, and from one that fits.

    python benchmarks/data/pack_training.py PACK --json results/data/pack_training.json [--memory GIGABYTES]

Trains the recipe `default` at its small size, where it is fastest, on random batches of PACK, once with all memory and
once in a memory cgroup (version 1, needs root) that holds less than the Pack, its pages dropped before. The pages of
the file count towards the group's limit. A step's wait is the time until its batch is there, random changes included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from facelocus.data import Pack
from facelocus.files import write_atomically
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.recipes import load_recipe
from facelocus.training.batches import Batches
from facelocus.training.loop import attribute_losses
from facelocus.training.memory import keep_freed_memory
from facelocus.training.optimizer import build_optimizer
from facelocus.training.stage import Stage
from facelocus.training.world import World

STEPS = 150
WARM_UP = 10
GROUP = Path("/sys/fs/cgroup/memory/facelocus-bench")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure training from a Pack larger than memory.")
    parser.add_argument("pack", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--memory", type=float, default=4.0)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(train(options.pack)))
        return
    limit = round(options.memory * 2**30)
    record = {
        "what": "training from a Pack",
        "source": Pack.open(options.pack).description,
        "pack_bytes": sum(file.stat().st_size for file in options.pack.iterdir()),
        "steps": STEPS,
        "batch": load_recipe("default").batch_size,
        "runs": {"all memory": launch(options.pack, None), "less memory than the Pack": launch(options.pack, limit)},
        "memory_limit_bytes": limit,
        "commit": commit(),
        "date": now(),
        "device": cpu_name(),
        "load_at_start": round(os.getloadavg()[0], 1),
        "versions": versions("torch", "numpy"),
    }
    write_atomically(options.json, json.dumps(record, indent=1) + "\n")
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


def train(folder: Path) -> dict[str, Any]:
    """Take WARM_UP and STEPS steps; return speed and waits."""
    keep_freed_memory()
    pack, recipe, device = Pack.open(folder), load_recipe("default"), torch.device("cpu")
    network = recipe.network.build(pack.attributes)
    network.trunk.to(memory_format=torch.channels_last)
    optimizer = build_optimizer(network, recipe.optimizer)
    batches = Batches(pack, pack.rows("train"), recipe.batch_size, recipe.seed, device, World())
    stage = Stage(network, recipe, 0, STEPS, batches, World())
    waits, began, asked = [], time.perf_counter(), time.perf_counter()
    for step, batch, labels in stage.steps(0, WARM_UP + STEPS):
        waits.append(time.perf_counter() - asked)
        if step == WARM_UP:
            began = asked
        (attribute_losses(stage(batch)[0], labels).sum() / len(labels)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        asked = time.perf_counter()
    seconds, waits = asked - began, waits[WARM_UP:]
    return {
        "images_per_second": round(STEPS * recipe.batch_size / seconds, 1),
        "wait_milliseconds": {
            "median": round(1e3 * statistics.median(waits), 1),
            "slowest": round(1e3 * max(waits), 1),
            "share_of_time": round(sum(waits) / seconds, 4),
        },
        "read_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_inblock * 512,
        "peak_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


if __name__ == "__main__":
    main()
