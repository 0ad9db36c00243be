"""A server that is killed and started again while 64 clients send pictures and search, and its library grows.

    python benchmarks/serve/kills.py --json results/serve/kills.json

The library is of drawn faces; before each kill (SIGKILL) one more is indexed. Clients whose server is gone get errors
and go on with the next. What the library holds is read before and after.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "serve"))

from clients import AGREE, Asked, crowd, upload
from facelocus.files import write_record
from facelocus.model import Model
from facelocus.photos.analyze import analyze
from facelocus.processes import cores
from facelocus.provenance import commit, cpu_name, now, versions
from libraries import described, draw, index
from servers import serving

CLIENTS, SEED = 64, 0

#: How often, and the seconds that a server has before; faces of the library at first.
KILLS, BETWEEN, FACES = 5, 10.0, 24


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill servers under load.")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        record = measured(Path(place), Model.load("default"), min(options.kills, KILLS))
    record |= {
        "workers": cores(),
        "seed": SEED,
        "date": now(),
        "commit": commit(),
        "device": cpu_name(),
        "versions": versions("numpy", "pillow", "onnxruntime", "fastapi", "uvicorn"),
    }
    print(json.dumps(record, indent=1))
    if options.json:
        write_record(options.json, record)


def measured(place: Path, model: Model, kills: int) -> dict[str, Any]:
    """Kill servers of a new library, and compare what is in it with what was."""
    faces, library = place / "faces", place / "library"
    for number in range(FACES):
        draw(faces / f"{number}.png", number)
    index(faces, library, model)
    before, asked = described(library), [search(), *(face(file, model) for file in sorted(faces.iterdir()))]
    where, stop, times = [""], threading.Event(), dict[str, list[float]](back=[], workers=[])
    with ThreadPoolExecutor(1) as threads:
        try:
            for number in range(kills + 1):
                died = time.perf_counter()
                with serving(place / "log", library, "--workers", cores()) as server:
                    where[0] = server.url
                    if number == 0:
                        sent = threads.submit(
                            crowd, lambda: where[0], asked, [], clients=CLIENTS, broken=0.0, stop=stop, seed=SEED
                        )
                    else:
                        times["back"].append(time.perf_counter() - died)
                    time.sleep(BETWEEN / 2)
                    draw(faces / f"{FACES + number}.png", FACES + number)
                    index(faces, library, model)
                    time.sleep(BETWEEN / 2)
                    if number < kills:
                        workers = server.workers()
                        server.process.kill()
                        died = time.perf_counter()
                        while any(Path(f"/proc/{worker}").exists() for worker in workers):
                            time.sleep(0.05)
                        times["workers"].append(time.perf_counter() - died)
                    else:
                        stop.set()
                        record = sent.result()
        finally:
            stop.set()
    after = described(library)
    return {
        "what": "servers killed under load and started again",
        "clients": CLIENTS,
        "kills": kills,
        "requests": {
            kind: {end: record.counts[kind][end] for end in ("right", "wrong", "lost", "sent away")}
            for kind in ("picture", "search")
        },
        "most seconds until a new server answers": round(max(times["back"]), 1),
        "most seconds until its workers have ended": round(max(times["workers"]), 2),
        "library": {
            "pictures before": len(before),
            "as they were": sum(after.get(path) == told for path, told in before.items()),
            "indexed meanwhile": len(after) - len(before),
        },
    }


def search() -> Asked:
    """Return a search that must find every face that was there at first."""
    names = {f"{number}.png" for number in range(FACES)}
    request = httpx.Request("GET", "http://server/search", params={"q": "by young", "limit": 200})
    return Asked("search", request, 200, lambda answer: names <= {found["name"] for found in answer["results"]})


def face(file: Path, model: Model) -> Asked:
    """Return a request for a crop, whose answer must be that of `analyze`."""
    (wanted,) = analyze(file, model=model, aligned=True)

    def fits(answer: Any) -> bool:
        ((found,),) = (picture["faces"] for picture in answer["pictures"])
        return all(abs(found["attributes"][name] - value) <= AGREE for name, value in wanted.attributes.items())

    return Asked("picture", upload(file.name, file.read_bytes(), aligned="true"), 200, fits)


if __name__ == "__main__":
    main()
