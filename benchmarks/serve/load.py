"""64 clients at once, one file in twenty broken: answers, times, memory, and the rate against the batch form.

    python benchmarks/serve/load.py --seconds 300 --json results/serve/load.json

The server runs on this machine, its clients too, so that they share the cores: how much the clients take is in the
record. Pictures are the sample portrait in many sizes; what is broken is no picture, cut short, or too large. Every
answer is compared with what the batch form, `facelocus analyze DIR --out`, wrote of the same picture. The batch form
is measured before and after; the time of a run of a few pictures, which is that of the start, is taken off. One client
alone comes first, for a tenth of the time. Memory is what the server and its workers hold for themselves (PSS).
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import matplotlib
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "serve"))

from clients import Asked, Record, bad, crowd, photographs
from facelocus.files import write_record
from facelocus.model import Model
from facelocus.processes import cores
from facelocus.provenance import commit, cpu_name, now, versions
from servers import Server, serving

PORTRAIT = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
CLIENTS, BROKEN, SEED = 64, 0.05, 0

#: Pictures, and those of the small run whose time is that of the start.
PICTURES, FEW = 200, 8

#: Longest that anything is put under load, in seconds; samples of memory that are kept.
LONGEST, SAMPLES = 900, 60


def main() -> None:
    parser = argparse.ArgumentParser(description="Load a server.")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        many, few = drawn(place / "many", PICTURES), drawn(place / "few", FEW)
        batch = [batch_rate(many, few, place / "faces.jsonl")]
        asked = photographs(many, place / "faces.jsonl")
        record = loaded(place / "log", asked, bad(many), min(options.seconds, LONGEST))
        batch.append(batch_rate(many, few, place / "faces.jsonl"))
    record |= {
        "batch_pictures_per_second": [round(rate, 1) for rate in batch],
        "share_of_batch": round(record["pictures_per_second"] / statistics.fmean(batch), 3),
        "pictures": len(asked),
        "workers": cores(),
        "model": Model.load("default").sha256,
        "seed": SEED,
        "device": cpu_name(),
        "commit": commit(),
        "date": now(),
        "versions": versions("numpy", "pillow", "onnxruntime", "fastapi", "starlette", "uvicorn", "python-multipart"),
    }
    print(json.dumps(record, indent=1))
    if options.json:
        write_record(options.json, record)


def drawn(folder: Path, count: int) -> Path:
    """Write the portrait in sizes that are drawn, and return the folder."""
    folder.mkdir()
    random = np.random.default_rng(SEED)
    with Image.open(PORTRAIT) as portrait:
        for number in range(count):
            side = int(random.integers(400, 1400))
            picture = portrait.resize((side, round(side * portrait.height / portrait.width)))
            picture.save(folder / f"{number:03}.jpg", quality=90)
    return folder


def batch_rate(many: Path, few: Path, table: Path) -> float:
    """Return pictures a second of the batch form on all cores; its table stays."""

    def seconds(folder: Path) -> float:
        table.unlink(missing_ok=True)
        start = time.perf_counter()
        words = [sys.executable, "-m", "facelocus", "analyze", str(folder), "--out", str(table)]
        subprocess.run(words, check=True, capture_output=True)
        return time.perf_counter() - start

    start = seconds(few)
    return (len(list(many.iterdir())) - FEW) / (seconds(many) - start)


def loaded(log: Path, asked: list[Asked], refused: list[Asked], seconds: float) -> dict[str, Any]:
    """Put a server under load and return what is seen of it."""
    with serving(log, "--workers", cores(), "--max-mb", 1) as server, ThreadPoolExecutor(1) as threads:

        def run(clients: int, broken: float, seconds: float) -> tuple[Record, Memory, float]:
            stop, memory, start = threading.Event(), Memory(server), time.perf_counter()
            sent = threads.submit(
                crowd, lambda: server.url, asked, refused, clients=clients, broken=broken, stop=stop, seed=SEED
            )
            while (left := start + seconds - time.perf_counter()) > 0 and not sent.done():
                memory.sample()
                time.sleep(min(1.0, left))
            stop.set()
            return sent.result(), memory, time.perf_counter() - start

        alone, _, _ = run(1, 0.0, seconds / 10)
        before = time.process_time()
        record, memory, took = run(CLIENTS, BROKEN, seconds)
        spent = time.process_time() - before
        counts = httpx.get(f"{server.url}/metrics", trust_env=False).text
    batches = [counted(counts, f"facelocus_batch_pictures_{what}") for what in ("sum", "count")]
    found = record.seconds["picture"]
    return {
        "what": "serving",
        "clients": CLIENTS,
        "seconds": round(took),
        "requests": sum(ends.total() for ends in record.counts.values()),
        "answers": {kind: dict(ends) for kind, ends in record.counts.items()},
        "lost": record.total("lost"),
        "pictures_per_second": round(len(found) / took, 2),
        "p50_seconds": round(float(np.quantile(found, 0.5)), 3),
        "p99_seconds": round(float(np.quantile(found, 0.99)), 3),
        "p50_seconds, one client": round(float(np.quantile(alone.seconds["picture"], 0.5)), 3),
        "pictures_given_to_a_worker_at_once": round(batches[0] / batches[1], 2),
        "clients_share_of_the_cores": round(spent / took / cores(), 3),
        "memory_mb": memory.told(),
    }


class Memory:
    """What a server and its workers hold, in MB, over time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._samples: list[tuple[float, float]] = []

    def sample(self) -> None:
        workers = sum(held(worker) for worker in self._server.workers())
        self._samples.append((held(self._server.process.pid), workers))

    def told(self) -> dict[str, Any]:
        """Return medians of the second tenth and of the last, the most, and both parts over time."""
        whole = [sum(sample) for sample in self._samples]
        part, every = max(1, len(whole) // 10), -(-len(whole) // SAMPLES)
        return {
            "first_tenth": round(statistics.median(whole[part : 2 * part] or whole)),
            "last_tenth": round(statistics.median(whole[-part:])),
            "highest": round(max(whole)),
            "server": [round(server) for server, _ in self._samples[::every]],
            "workers": [round(workers) for _, workers in self._samples[::every]],
        }


def held(process: int) -> float:
    """Return the memory of a process in MB, its part of what it shares; 0 where it has ended."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def counted(text: str, name: str) -> float:
    """Return a number of /metrics."""
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE)[1])  # type: ignore[index]


if __name__ == "__main__":
    main()
