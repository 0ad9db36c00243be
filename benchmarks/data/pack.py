"""Measure packing: speed beside the decoder's own, and that memory does not grow with the number of rows.

    python benchmarks/data/pack.py DATA FOLDER --json results/bench/pack_disk_cpu.json
    python benchmarks/data/pack.py DATA /dev/shm/packing --images 20000 --json results/bench/pack_memory_cpu.json

Packs DATA below FOLDER, in a process of its own, adding up the private memory of that process and its workers every
50 ms (Linux only) from the moment the lists are read. Peaks are given up to each quarter of the run. The pages of the
file belong to the page cache and do not count. Beside it, in the same run: the same decoder in as many processes
without writing, over half of the pictures before packing and the other half after, and the disk's own rate of writing.

--repeat-to packs a stand-in for a larger source: a zip of as many members, made of DATA's by repeating them under new
names. --images packs the first of DATA only, so that it fits into a file system in memory and the disk is out of the
comparison. --rows repeats the rows: they share pictures. Everything made is deleted, unless --keep.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import re
import shutil
import time
import zipfile
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from facelocus.data import FaceTable, Pack, read_table
from facelocus.data.decode import FrameTask, decode_frame
from facelocus.data.frames import FRAME_BYTES
from facelocus.files import write_record
from facelocus.processes import cores, in_processes
from facelocus.provenance import commit, cpu_name, now, versions

CHUNK = 64


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure packing: speed, and peak private memory.")
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeat-to", type=int, help="distinct pictures of a stand-in made from DATA")
    parser.add_argument("--images", type=int, help="the first of DATA; default: all")
    parser.add_argument("--rows", type=int, help="rows, sharing pictures")
    parser.add_argument("--keep", action="store_true", help="leave the Pack in FOLDER/pack")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    data, table = options.data, read_table(options.data)
    source = table.description
    if options.repeat_to:
        data = options.folder / "stand_in.zip"
        repeat(table, data, options.repeat_to)
        source += f"; {len(table):,} images repeated to {options.repeat_to:,}"
        table = read_table(data)
    if options.images:
        source += f"; the first {options.images:,} images"
    table = rows_of(table, options.images, options.rows)
    if options.rows:
        source += f"; rows repeated to {options.rows:,}"
    load = os.getloadavg()[0]
    before = decoding(table, 0)
    pack = options.folder / "pack"
    (seconds, spent), at_start, samples = measure(build, data, pack, options.images, options.rows)
    after = decoding(table, 1)
    pictures = len(set(table.names))
    record = {
        "what": "pack",
        "source": source,
        "rows": len(table),
        "images": pictures,
        "pack_bytes": sum(file.stat().st_size for file in pack.iterdir()),
        "seconds": round(seconds, 1),
        "images_per_second": round(pictures / seconds, 1),
        "cpu_seconds": round(spent, 1),
        "reference_images_per_second": round(pictures / (before[0] + after[0]), 1),
        "share_of_decoder": round((before[0] + after[0]) / seconds, 3),
        "decoder_alone": {
            "processes": cores(),
            "seconds": [round(before[0], 1), round(after[0], 1)],
            "cpu_seconds": round(before[1] + after[1], 1),
        },
        "disk_megabytes_per_second": {
            "packing": round(pictures * FRAME_BYTES / 1e6 / seconds, 1),
            "writing_alone": round(disk_rate(options.folder / "written"), 1),
        },
        "file_system": file_system(options.folder),
        "private_bytes_before": at_start,
        "peak_private_bytes": {f"{part}/4": max(samples[: len(samples) * part // 4]) for part in (1, 2, 3, 4)},
        "cores": cores(),
        "load_at_start": round(load, 1),
        "load_at_end": round(os.getloadavg()[0], 1),
        "date": now(),
        "commit": commit(),
        "versions": versions("numpy", "pillow"),
        "device_name": cpu_name(),
    }
    if options.repeat_to:
        data.unlink()
    if not options.keep:
        shutil.rmtree(pack)
    write_record(options.json, record)
    print(json.dumps(record, indent=1))


def repeat(table: FaceTable, target: Path, count: int) -> None:
    """Write official CelebA of `count` images into a zip, repeating those of a table."""
    names = [f"{number + 1:06d}.jpg" for number in range(count)]
    rows = np.arange(count) % len(table)
    labels = np.where(table.labels == 1, " 1", "-1")
    with zipfile.ZipFile(target, "w") as archive:
        lines = [str(count), " ".join(table.attributes.names)]
        lines += [" ".join((name, *labels[row])) for name, row in zip(names, rows, strict=True)]
        archive.writestr("list_attr_celeba.txt", "\n".join(lines) + "\n")
        partition = [f"{name} {table.splits[row]}" for name, row in zip(names, rows, strict=True)]
        archive.writestr("list_eval_partition.txt", "\n".join(partition) + "\n")
        for name, row in zip(names, rows, strict=True):
            archive.writestr(f"img_align_celeba/{name}", table.images.read(table.names[row]))
    table.images.close()


def rows_of(table: FaceTable, images: int | None, rows: int | None) -> FaceTable:
    """Return the first images of a table, all by default, repeated up to a number of rows."""
    images = min(images or len(table), len(table))
    index = np.arange(rows or images) % images
    return dataclasses.replace(
        table,
        names=tuple(table.names[row] for row in index),
        labels=table.labels[index],
        splits=table.splits[index],
        people=None if table.people is None else table.people[index],
        lines=None,
    )


def decoding(table: FaceTable, half: int) -> tuple[float, float]:
    """Read and decode every second task, with all cores, and do nothing else; return seconds and CPU seconds."""
    pictures = tuple(dict.fromkeys(table.names))
    starts: Sequence[int] = range(0, len(pictures), CHUNK)[half::2]
    chunks = (pictures[start : start + CHUNK] for start in starts)
    tasks = (FrameTask(Path(), 0, 0, names, table.images.only(names), True) for names in chunks)
    started, spent = time.perf_counter(), cpu_seconds()
    for _ in in_processes(decode_only, tasks, cores()):
        pass
    return time.perf_counter() - started, cpu_seconds() - spent


def cpu_seconds() -> float:
    """CPU time of this process and of those it has waited for; load beside the run does not change it much."""
    return sum(os.times()[:4])


def decode_only(task: FrameTask) -> int:
    for name in task.names:
        decode_frame(task.images.read(name), name)
    task.images.close()
    return len(task.names)


def disk_rate(file: Path, bytes_written: int = 4_000_000_000) -> float:
    """Megabytes a second of one process that writes a file's reserved space, until it is on the disk."""
    part = np.random.default_rng(0).bytes(CHUNK * FRAME_BYTES)
    with file.open("wb", buffering=0) as out:
        os.posix_fallocate(out.fileno(), 0, bytes_written)
        started = time.perf_counter()
        for position in range(0, bytes_written, len(part)):
            os.pwrite(out.fileno(), part, position)
        os.fdatasync(out.fileno())
        seconds = time.perf_counter() - started
    file.unlink()
    return bytes_written / 1e6 / seconds


def file_system(folder: Path) -> str:
    """What kind of file system a folder lies in, as Linux calls it: tmpfs is memory."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    return max((len(place), kind) for place, kind in mounts if folder.resolve().is_relative_to(place))[1]


def measure(work: Callable[..., Any], *arguments: object) -> tuple[Any, int, list[int]]:
    """Do some work in a new process; return its result, its private bytes before, and samples with its workers.

    `work` takes the arguments and a function to call when it is ready: what follows is measured.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(work, arguments, sender))
    process.start()
    sender.close()
    assert process.pid is not None
    receiver.recv()
    at_start = private_bytes(process.pid)
    samples: list[int] = []
    while not receiver.poll(0.05):
        samples.append(sum(map(private_bytes, family(process.pid))))
    result = receiver.recv()
    process.join()
    return result, at_start, samples


def _send(work: Callable[..., Any], arguments: tuple[object, ...], sender: Connection) -> None:
    def ready() -> None:
        sender.send("ready")
        time.sleep(0.5)  # the memory before is looked up

    sender.send(work(*arguments, ready))


def build(
    data: Path, folder: Path, images: int | None, rows: int | None, ready: Callable[[], None]
) -> tuple[float, float]:
    """Pack; return seconds and CPU seconds."""
    table = rows_of(read_table(data), images, rows)
    ready()
    start, spent = time.perf_counter(), cpu_seconds()
    Pack.build(table, folder)
    return time.perf_counter() - start, cpu_seconds() - spent


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
