"""Check labelled faces and record the counts with what the check took: seconds, and peak private memory.

    python benchmarks/data/check.py DATA --json results/own-data/check-celeba-37.json

Names of pictures are left out. Seconds run from the moment the lists are read; memory is measured as in pack.py,
of the process that checks and its workers, beside the speed of decoding alone.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facelocus.data import FaceTable, read_table
from facelocus.data.check import check
from facelocus.files import write_record
from facelocus.images.read import read_image
from facelocus.processes import cores
from facelocus.provenance import commit, cpu_name, now, versions
from pack import measure

PARTS = {"1/4": 4, "1/2": 2, "1/1": 1}


def main() -> None:
    parser = argparse.ArgumentParser(description="Check labelled faces; record counts, speed and peak private memory.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    table = read_table(options.data, strict=False)
    load = os.getloadavg()[0]
    plain = plain_rate(table) * cores()
    (report, seconds), _, samples = measure(checked, options.data)
    for problem in report["problems"]:
        problem["count"] = len(problem.pop("items"))
    record = {
        "what": "check",
        **report,
        "seconds": round(seconds, 1),
        "pictures_per_second": round(len(set(table.names)) / seconds, 1),
        "decoder_pictures_per_second": round(plain, 1),
        "peak_private_bytes": {part: max(samples[: len(samples) // divisor]) for part, divisor in PARTS.items()},
        "cores": cores(),
        "load_at_start": round(load, 1),
        "date": now(),
        "commit": commit(),
        "versions": versions("numpy", "pillow"),
        "device": cpu_name(),
    }
    write_record(options.json, record)


def plain_rate(table: FaceTable, pictures: int = 2000) -> float:
    """Pictures a second of one process that reads and decodes in a loop, over rows spread evenly."""
    names = table.names[:: max(1, len(table) // pictures)]
    start = time.perf_counter()
    for name in names:
        read_image(table.images.read(name))
    table.images.close()
    return len(names) / (time.perf_counter() - start)


def checked(data: Path, ready: Callable[[], None]) -> tuple[dict[str, Any], float]:
    """Check; return the report and seconds."""
    table = read_table(data, strict=False)
    ready()
    start = time.perf_counter()
    report = check(table, cores())
    return report.to_json(), time.perf_counter() - start


if __name__ == "__main__":
    main()
