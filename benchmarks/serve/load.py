"""64 clients at once, one file in twenty broken: answers, times, memory, and the rate against the batch form.

    python benchmarks/serve/load.py --seconds 300 --json results/serve/load.json

The server runs on this machine, its clients too, so that they share the cores. Pictures are the sample portrait in many
sizes. The batch form, `facelocus analyze` of the same pictures, is measured before and after. Memory is what the server
and its workers hold for themselves (PSS), twice a second.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import matplotlib
import numpy as np
from PIL import Image

sys.path[:0] = [str(Path(__file__).parents[2] / "tests" / "serve")]

from servers import Server, serving  # noqa: E402

from facelocus.files import write_atomically  # noqa: E402
from facelocus.model import Model  # noqa: E402
from facelocus.photos.folder import analyze_folder  # noqa: E402
from facelocus.photos.listing import Arguments  # noqa: E402
from facelocus.photos.request import Options, Request  # noqa: E402
from facelocus.processes import cores  # noqa: E402
from facelocus.provenance import commit, cpu_name, now, versions  # noqa: E402

PORTRAIT = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
CLIENTS = 64
PICTURES = 200
#: Of twenty files one is broken.
BROKEN = 20
_BOUNDARY = "facelocus-load"


@dataclass
class Seen:
    """What the clients saw."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: str, seconds: float) -> None:
        with self.lock:
            self.statuses[status] += 1
            self.seconds.append(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description="Load a server.")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        bodies = drawn(place / "pictures")
        before = batch_rate(place, "before")
        with serving(place / "log", "--workers", cores()) as server:
            seen, memory = loaded(server, bodies, options.seconds)
        after = batch_rate(place, "after")
    record = summary(seen, memory, options.seconds, (before, after))
    print(json.dumps(record, indent=2))
    if options.json:
        write_atomically(options.json, json.dumps(record, indent=2) + "\n")


def drawn(folder: Path) -> list[tuple[bool, bytes]]:
    """Write the pictures; return the body of a request with each, and whether it is whole."""
    folder.mkdir()
    random = np.random.default_rng(0)
    bodies = []
    with Image.open(PORTRAIT) as portrait:
        for k in range(PICTURES):
            side = int(random.integers(400, 1400))
            file = folder / f"{k:03}.jpg"
            portrait.resize((side, round(side * portrait.height / portrait.width))).save(file, quality=90)
            whole = k % BROKEN != BROKEN - 1
            content = file.read_bytes()
            if not whole:
                content = content[: len(content) // 7]
                file.unlink()
            head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{file.name}"\r\n\r\n'
            bodies.append((whole, head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()))
    return bodies


def batch_rate(place: Path, name: str) -> float:
    """Return the pictures a second of the batch form on all cores, its start included."""
    request = Request.of(Model.load(), Options())
    started = time.perf_counter()
    summary = analyze_folder(Arguments([str(place / "pictures")]), place / f"{name}.csv", request, cores())
    return summary.photographs / (time.perf_counter() - started)


def loaded(server: Server, bodies: list[tuple[bool, bytes]], seconds: int) -> tuple[Seen, list[float]]:
    """Let the clients send for so many seconds; return what they saw, and the memory in MB over time."""
    seen, memory, end = Seen(), [], time.monotonic() + seconds
    address = urlsplit(server.url)

    def client(number: int) -> None:
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=120)
        at = number * 7
        while time.monotonic() < end:
            whole, body = bodies[at % len(bodies)]
            at += 1
            started = time.perf_counter()
            status = asked(connection, body, whole)
            seen.note(status, time.perf_counter() - started)
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        memory.append(held([server.process.pid, *server.workers()]))
        time.sleep(0.5)
    return seen, memory


def asked(connection: http.client.HTTPConnection, body: bytes, whole: bool) -> str:
    """Send one picture; return "right", or what was not as it should be."""
    try:
        connection.request("POST", "/analyze", body, {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"})
        answer = connection.getresponse()
        told = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        connection.close()
        return f"lost ({type(error).__name__})"
    if whole and answer.status == 200 and len(told["pictures"][0]["faces"]) == 1:
        return "right"
    if not whole and answer.status == 422 and told["error"]["type"] == "ImageError":
        return "right"
    return f"sent away ({answer.status})" if answer.status in (429, 503) else f"wrong ({answer.status})"


def held(processes: list[int]) -> float:
    """Return the memory of processes in MB, what they share counted once."""
    total = 0.0
    for process in processes:
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
    return total


def summary(seen: Seen, memory: list[float], seconds: int, batch: tuple[float, float]) -> dict[str, Any]:
    part = max(1, len(memory) // 10)
    rate = len(seen.seconds) / seconds
    return {
        "what": "serving",
        "clients": CLIENTS,
        "seconds": seconds,
        "requests": len(seen.seconds),
        "answers": dict(seen.statuses),
        "lost": sum(count for status, count in seen.statuses.items() if status.startswith("lost")),
        "pictures_per_second": round(rate, 1),
        "batch_pictures_per_second": [round(each, 1) for each in batch],
        "share_of_batch": round(rate / statistics.fmean(batch), 3),
        "p50_seconds": round(float(np.quantile(seen.seconds, 0.5)), 3),
        "p99_seconds": round(float(np.quantile(seen.seconds, 0.99)), 3),
        "memory_mb": {
            "first_tenth": round(statistics.median(memory[part : 2 * part] or memory)),
            "last_tenth": round(statistics.median(memory[-part:])),
            "highest": round(max(memory)),
        },
        "workers": cores(),
        "device": cpu_name(),
        "commit": commit(),
        "date": now(),
        "versions": versions("numpy", "pillow", "onnxruntime", "fastapi", "uvicorn"),
    }


if __name__ == "__main__":
    main()
