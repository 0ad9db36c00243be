"""Measure packing: speed against plain decoding, and that memory does not grow with the number of faces.

    python benchmarks/pack.py DATA PACK --json results/data/pack.json

Packs DATA into PACK in a process of its own and adds up the private memory of that process and its
workers every 50 ms (Linux only), from the moment the lists are read. Peaks are given for the first quarter,
the first half and the whole of the run. The pages of the file belong to the page cache and do not count.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import time
from multiprocessing.connection import Connection
from pathlib import Path

from facelocus.data import Pack, read_table
from facelocus.data.decode import decode_frame
from facelocus.data.table import FaceTable
from facelocus.provenance import commit, cpu_name, now, versions

PARTS = {"1/4": 4, "1/2": 2, "1/1": 1}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure packing: speed, and peak private memory.")
    parser.add_argument("data", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    table = read_table(options.data)
    cores = len(os.sched_getaffinity(0))
    plain = plain_rate(table) * cores
    seconds, samples = measure(options.data, options.pack)
    record = {
        "what": "pack",
        "source": table.description,
        "images": len(table),
        "seconds": round(seconds, 1),
        "images_per_second": round(len(table) / seconds, 1),
        "decoder_images_per_second": round(plain, 1),
        "peak_private_bytes": {part: max(samples[: len(samples) // divisor]) for part, divisor in PARTS.items()},
        "cores": cores,
        "load_at_start": round(os.getloadavg()[0], 1),
        "date": now(),
        "commit": commit(),
        "versions": versions("numpy", "pillow"),
        "device": cpu_name(),
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=1))


def plain_rate(table: FaceTable, images: int = 2000) -> float:
    """Images a second of one process that reads and decodes in a loop, over rows spread evenly."""
    names = table.names[:: max(1, len(table) // images)]
    start = time.perf_counter()
    for name in names:
        decode_frame(table.images.read(name), name)
    table.images.close()
    return len(names) / (time.perf_counter() - start)


def measure(data: Path, folder: Path) -> tuple[float, list[int]]:
    """Pack in a new process; return seconds and its private bytes at even intervals, workers included."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=build, args=(data, folder, sender))
    process.start()
    sender.close()
    assert process.pid is not None
    receiver.recv()
    samples: list[int] = []
    while not receiver.poll(0.05):
        samples.append(sum(map(private_bytes, family(process.pid))))
    seconds = receiver.recv()
    process.join()
    return seconds, samples


def build(data: Path, folder: Path, sender: Connection) -> None:
    table = read_table(data)
    sender.send("read")
    start = time.perf_counter()
    Pack.build(table, folder)
    sender.send(time.perf_counter() - start)


def family(pid: int) -> list[int]:
    """The process and all its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(member for child in children for member in family(int(child)))]


def private_bytes(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return 1024 * sum(map(int, re.findall(r"^Private_(?:Clean|Dirty): +(\d+) kB", rollup, re.MULTILINE)))


if __name__ == "__main__":
    main()
