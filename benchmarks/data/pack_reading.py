"""Measure reading a Pack that memory does not hold: random batches whose frames all come from the disk.

    python benchmarks/data/pack_reading.py PACK --json results/data/pack_reading.json

Memory is taken out of the comparison by dropping the file's pages before each run and reading no frame twice; the
record says how many bytes came from the disk. Readers are threads, as in training. The way before, a memory map and
its page faults, is measured beside it, and both again with all pages in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.data import Pack
from facelocus.data.frames import FRAME_BYTES
from facelocus.files import write_record
from facelocus.processes import cores
from facelocus.provenance import commit, cpu_name, now, versions

BATCH = 64
Read = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.uint8]]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure reading random batches of a Pack from the disk.")
    parser.add_argument("pack", type=Path)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    pack, faces = Pack.open(options.pack), options.pack / "faces.npy"
    ways: dict[str, Callable[[], Read]] = {"frames": lambda: pack.frames, "memory_map": lambda: mapped(faces)}
    load, runs = os.getloadavg()[0], []
    for readers in (1, 2, 4, 8):
        for way, read in ways.items():
            for cold in (True, False):
                measured = run(faces, pack, read, readers, cold, options.batches)
                runs.append({"way": way, "readers": readers, "cold": cold} | measured)
                print(json.dumps(runs[-1]))
    record = {
        "what": "reading a Pack",
        "source": pack.description,
        "pack_bytes": faces.stat().st_size,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "batch": BATCH,
        "batches": options.batches,
        "runs": runs,
        "cores": cores(),
        "load_at_start": round(load, 1),
        "date": now(),
        "commit": commit(),
        "versions": versions("numpy"),
        "device": cpu_name(),
    }
    write_record(options.json, record)


def run(faces: Path, pack: Pack, way: Callable[[], Read], readers: int, cold: bool, batches: int) -> dict[str, Any]:
    """Read batches of random rows, none twice; cold from the disk, else for the second time."""
    random = np.random.default_rng()
    rows = random.permutation(len(pack))[: batches * BATCH].reshape(batches, BATCH)
    drop(faces)
    read = way()
    if not cold:
        read(np.sort(rows.ravel()))
    seconds = np.zeros(batches)

    def one(batch: int) -> None:
        start = time.perf_counter()
        read(rows[batch])
        seconds[batch] = time.perf_counter() - start

    before, start = disk_bytes(), time.perf_counter()
    with ThreadPoolExecutor(readers) as pool:
        list(pool.map(one, range(batches)))
    whole = time.perf_counter() - start
    return {
        "images_per_second": round(batches * BATCH / whole),
        "batches_per_second": round(batches / whole, 1),
        "milliseconds_a_batch": {
            "median": round(float(np.median(seconds)) * 1e3, 1),
            "slowest": round(float(seconds.max()) * 1e3, 1),
        },
        "from_disk": round((disk_bytes() - before) / (batches * BATCH * FRAME_BYTES), 2),
    }


def mapped(faces: Path) -> Read:
    """The way before. Opened for each run: the system does not forget pages that are mapped."""
    array = np.load(faces, mmap_mode="r")
    return lambda rows: np.array(array[rows])


def drop(file: Path) -> None:
    """Let the system forget the pages of a file."""
    with file.open("rb") as pages:
        os.posix_fadvise(pages.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def disk_bytes() -> int:
    """Bytes this process has had read from disks."""
    found = re.search(r"^read_bytes: (\d+)", Path("/proc/self/io").read_text(), re.MULTILINE)
    return int(found.group(1)) if found else 0


if __name__ == "__main__":
    main()
