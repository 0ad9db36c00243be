"""Measure how time and memory grow with the number of images: packing, reading, training's batches, scores.

    python benchmarks/cost/images.py DATA FOLDER --to results/bench

DATA is official CelebA; Packs are made below FOLDER and deleted. Each point has a process of its own, in which the
other panel's memory is added. Where every image is a picture of its own, there are no more than DATA has; otherwise the
rows share PICTURES pictures, so that a million rows take the disk of a thousand. The network takes milliseconds a face:
it goes no further than SCORED, and training's batches no further than an EPOCH.

- packing, distinct pictures: every picture decoded and written;
- packing, shared pictures: the same, where a row more is no picture more;
- rows in random order: read from the Pack, 64 at a time, nothing done with them;
- training's batches: the same through facelocus.training.batches, a fresh order every epoch;
- probabilities: rows read and scored by the shipped model.
"""

from __future__ import annotations

import argparse
import runpy
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facelocus.data import FaceTable, Pack, read_table
from facelocus.model import Model
from facelocus.training.batches import Batches
from facelocus.training.world import World
from growth import alone, keep_costs

IMAGES = tuple(2**power for power in (10, 12, 14, 16, 18, 20))
PICTURES = 1000
SCORED = 2**12
EPOCH = 2**18
BATCH = 64
#: Short works are done again: the median of so many is taken where one takes less than a second.
AGAIN = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--to", type=Path, required=True, help="folder of the record and its picture")
    parser.add_argument("--most", type=int, default=IMAGES[-1], help="images, for a trial")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    images = [count for count in IMAGES if count <= options.most]
    distinct = len(read_table(options.data))
    seconds: dict[str, dict[int, float]] = {}
    peaks: dict[str, dict[int, float]] = {}

    def point(name: str, count: int, work: Callable[..., float], *arguments: object) -> None:
        seconds.setdefault(name, {})[count], peaks.setdefault(name, {})[count] = alone(work, *arguments)
        print(name, count, round(seconds[name][count], 3), peaks[name][count], flush=True)

    for count in images:
        pack = options.folder / f"rows-{count}"
        if count <= distinct:
            point("packing, distinct pictures", count, packing, options.data, options.folder / "own", count, None)
            shutil.rmtree(options.folder / "own")
        point("packing, shared pictures", count, packing, options.data, pack, min(PICTURES, distinct), count)
        point("rows in random order", count, reading, pack)
        if count <= EPOCH:
            point("training's batches", count, batches, pack)
        if count <= SCORED:
            point("probabilities", count, scoring, pack)
        shutil.rmtree(pack)
    about = {
        "axis": "images",
        "about": "memory without that of packing's workers, which does not grow",
        "precision": "fp32",
        "batch": BATCH,
        "pictures_shared": min(PICTURES, distinct),
        "model": Model.load("default").sha256,
    }
    keep_costs(options.to / "cost_images.json", about, seconds, peaks)


def packing(data: Path, folder: Path, images: int, rows: int | None) -> float:
    """Return the seconds of packing the first images, repeated up to a number of rows; the table is there already."""
    rows_of: Callable[..., FaceTable] = runpy.run_path(str(Path(__file__).parents[1] / "data" / "pack.py"))["rows_of"]
    table = rows_of(read_table(data), images, rows)
    started = time.perf_counter()
    Pack.build(table, folder)
    return time.perf_counter() - started


def timed(work: Callable[[], Any]) -> float:
    found: list[float] = []
    while not found or (found[0] < 1 and len(found) < AGAIN):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return float(np.median(found))


def reading(folder: Path) -> float:
    """Return the seconds of reading all rows, opening the Pack included."""

    def read() -> None:
        pack = Pack.open(folder)
        order = np.random.default_rng(0).permutation(len(pack))
        for start in range(0, len(order), BATCH):
            pack.frames(order[start : start + BATCH])

    return timed(read)


def batches(folder: Path) -> float:
    """Return the seconds of an epoch of training batches that nobody computes with."""

    def epoch() -> None:
        pack = Pack.open(folder)
        found = Batches(pack, np.arange(len(pack)), BATCH, 0, torch.device("cpu"), World())
        for _ in found.steps(0, len(pack) // BATCH):
            pass

    return timed(epoch)


def scoring(folder: Path) -> float:
    """Return the seconds of reading and scoring all rows."""
    model, pack = Model.load("default"), Pack.open(folder)

    def score() -> None:
        for start in range(0, len(pack), BATCH):
            model.predict(pack.frames(np.arange(start, min(start + BATCH, len(pack)))))

    return timed(score)


if __name__ == "__main__":
    main()
