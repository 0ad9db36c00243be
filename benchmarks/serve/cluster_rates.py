"""Photographs a second of `facelocus analyze --ray` beside the local form, and the bytes that both write.

    python benchmarks/serve/cluster_rates.py LFW.zip --to results/serve/cluster_rates.json

Both work in turn, ROUNDS times, on the same photographs of 250 x 250 with as many workers as there are cores. Each also
does a run of a few photographs, which is taken off with its time, most of which is that of the start. Rates of larger
photographs are in results/photographs/speed.json.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import statistics
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet
import ray
from tqdm import tqdm

from facelocus.cluster.run import analyze_partitions
from facelocus.files import write_record
from facelocus.model import Model
from facelocus.photos.folder import analyze_folder
from facelocus.photos.listing import Arguments
from facelocus.photos.request import Options, Request
from facelocus.processes import cores
from facelocus.provenance import commit, cpu_name, now, versions

ROUNDS = 3

#: Photographs, those of the small run, and those of a partition.
PHOTOGRAPHS, FEW, PARTITION = 600, 8, 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lfw", type=Path, help="LFW as a zip")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="of the photographs, for a trial")
    options = parser.parse_args()
    count = max(2 * FEW, round(PHOTOGRAPHS * options.share))
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112, Ray's own name; the local form's is 0
    began = time.monotonic()
    ray.init(
        "local",
        num_cpus=cores(),
        include_dashboard=False,
        object_store_memory=80_000_000,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    start = time.monotonic() - began
    with tempfile.TemporaryDirectory() as place:
        record = measured(Path(place), options.lfw, count)
    ray.shutdown()
    record |= {
        "start of Ray, seconds": round(start, 1),
        "cores": cores(),
        "model": Model.load("default").sha256,
        "date": now(),
        "commit": commit(),
        "device_name": cpu_name(),
        "versions": versions("numpy", "pillow", "onnxruntime", "ray", "pyarrow"),
    }
    write_record(options.to, record)
    print(json.dumps(record, indent=1))


def measured(place: Path, lfw: Path, count: int) -> dict[str, Any]:
    """Run both forms in turn and weigh what they wrote."""
    many, few = written(place / "many", lfw, count), written(place / "few", lfw, FEW)
    request = Request.of(Model.load("default"), Options())
    seconds: dict[str, list[float]] = {"local": [], "on Ray": [], "start of a run, on Ray": []}
    for _ in tqdm(range(ROUNDS), desc="rounds", disable=None):
        for form, run in (("local", local), ("on Ray", on_ray)):
            start = run(few, place / "few.parquet", request)
            seconds[form].append(run(many, place / "many.parquet", request) - start)
        seconds["start of a run, on Ray"].append(start)
    tables = {folder: local_table(folder, place / f"{folder.name}.parquet", request) for folder in (many, few)}
    (rows, size), (few_rows, few_size) = tables[many], tables[few]
    a_row = (size - few_size) / (rows - few_rows)
    return {
        "what": "photographs a second on Ray beside the local form; bytes of what is written",
        "unit": "medians of rounds with the least and the most; the small run taken off",
        "rounds": ROUNDS,
        "photographs": count,
        "photographs of the small run": FEW,
        "partition": PARTITION,
        "photographs_per_second": {
            form: spread([(count - FEW) / s for s in seconds[form]]) for form in ("local", "on Ray")
        },
        "start of a run on Ray, seconds": spread(seconds["start of a run, on Ray"]),
        "rows a photograph": round(rows / count, 3),
        "bytes": {"a row": round(a_row, 1), "a file, beside its rows": round(few_size - few_rows * a_row)},
    }


def written(folder: Path, lfw: Path, count: int) -> Path:
    """Write the first pictures of an archive and return their folder."""
    folder.mkdir()
    with zipfile.ZipFile(lfw) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        for number in range(count):
            (folder / f"{number:05}.jpg").write_bytes(archive.read(names[number % len(names)]))
    return folder


def local(folder: Path, out: Path, request: Request) -> float:
    out.unlink(missing_ok=True)
    began = time.monotonic()
    analyze_folder(Arguments([str(folder)]), out, request, cores())
    return time.monotonic() - began


def on_ray(folder: Path, out: Path, request: Request) -> float:
    parts = out.with_suffix("")
    parts = parts.with_name(f"{parts.name}-parts")
    shutil.rmtree(parts, ignore_errors=True)
    began = time.monotonic()
    # A worker of each form has something to do in the small run too.
    analyze_partitions(
        Arguments([str(folder)]), str(parts), request, PARTITION if folder.name == "many" else 1, cores()
    )
    return time.monotonic() - began


def local_table(folder: Path, out: Path, request: Request) -> tuple[int, int]:
    """Return rows and bytes of the Parquet file of a folder's photographs."""
    local(folder, out, request)
    return pyarrow.parquet.read_metadata(out).num_rows, out.stat().st_size


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "least": round(min(values), 2),
        "most": round(max(values), 2),
    }


if __name__ == "__main__":
    main()
