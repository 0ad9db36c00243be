"""How soon the page is there, with a library of 100,000 faces.

    python benchmarks/serve/page_paint.py --json results/serve/page.json

The library's probabilities are drawn, its thumbnails are a drawn face. Every round opens the page in a new browser's
context, so that nothing is kept from the round before. Needs playwright, a Chromium and duckdb.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from contextlib import closing
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parents[2]
sys.path[:0] = [str(HERE / "tests"), str(HERE / "tests" / "serve"), str(HERE / "benchmarks" / "search")]

from facelocus.files import write_record  # noqa: E402
from facelocus.library.reader import Library  # noqa: E402
from facelocus.library.store import open_store, transaction  # noqa: E402
from facelocus.model import Model  # noqa: E402
from facelocus.provenance import commit, cpu_name, now, versions  # noqa: E402
from facelocus.search.find import find  # noqa: E402
from facelocus.search.parse import parse  # noqa: E402
from faces import draw_face  # noqa: E402
from search_speed import made  # noqa: E402
from servers import serving  # noqa: E402

QUERY = "smiling woman, no glasses"
SHOWN = 60

PAINT = """() => performance.getEntriesByName("first-contentful-paint")[0].startTime"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the page's first paint and first search.")
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        library = Path(folder) / "library"
        write_library(library, options.faces)
        browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with serving(Path(folder) / "log", library, "--workers", 1) as server:
            rounds = [opened(browser, server.url) for _ in range(options.rounds)]
        version = browser.version
    record = {
        "what": "the page's first paint",
        "unit": "milliseconds: median, least and most",
        "faces": options.faces,
        "rounds": options.rounds,
        "first_paint": spread([each[0] for each in rounds]),
        "search_to_results": spread([each[1] for each in rounds]),
        "bytes_before_a_search": rounds[0][2],
        "browser": f"Chromium {version}",
        "device": cpu_name(),
        "commit": commit(),
        "date": now(),
        "versions": versions("fastapi", "uvicorn"),
    }
    print(json.dumps(record, indent=2))
    if options.json:
        write_record(options.json, record)


def write_library(folder: Path, faces: int) -> None:
    """Write so many faces, with thumbnails of what QUERY finds."""
    model = Model.load()
    made(folder, model, np.random.default_rng(0).beta(0.4, 1.2, (2000, len(model.attributes))), faces)
    stream = BytesIO()
    Image.fromarray(draw_face(0)).save(stream, "JPEG")
    with closing(Library(folder)) as library:
        found = find(library, parse(QUERY, model.attributes), SHOWN)
    store = open_store(folder, to_write=True)
    with transaction(store):
        rows = ((one.picture.to_bytes(16, "big"), stream.getvalue()) for one in found)
        store.executemany("INSERT INTO thumbnails VALUES (?, ?)", rows)
    store.close()


def opened(browser: Browser, url: str) -> tuple[float, float, int]:
    """Open the page and search; return both in milliseconds, and the bytes that were fetched before the search."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    fetched = 0

    def count(answer: object) -> None:
        nonlocal fetched
        fetched += int(getattr(answer, "headers", {}).get("content-length", 0))

    page.on("response", count)
    page.goto(url)
    page.locator("#to-search").click()
    paint, before = float(page.evaluate(PAINT)), fetched
    page.locator("#query").fill(QUERY)
    started = time.perf_counter()
    page.locator("#query").press("Enter")
    page.locator("#results img[src^='blob:']").first.wait_for()
    found = 1000 * (time.perf_counter() - started)
    context.close()
    return paint, found, before


def spread(values: list[float]) -> list[float]:
    return [round(float(value)) for value in (np.median(values), min(values), max(values))]


if __name__ == "__main__":
    main()
