"""The page alone against `analyze`: the same photographs in a browser and in Python.

    python benchmarks/serve/browser_agreement.py PHOTOGRAPHS.zip --count 100 --json results/serve/browser.json

Reads every so many of the archive's pictures, the same ones every time. Needs playwright and a Chromium. Recorded are
differences and milliseconds, no pictures. Beside them stands Python against itself, large JPEGs averaged from all their
pixels instead of decoded small, half a level apart: what no browser can be closer than without a decoder of its own.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from facelocus import analyze
from facelocus.detection import photograph
from facelocus.files import write_record
from facelocus.images.read import RGB, read_image, read_reduced
from facelocus.model import Model
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.serve.static import page_files, write_page

IN_BROWSER = """async ([url, name]) => {
  const local = await import('./page/local/analyze.js');
  const file = new File([await (await fetch(url, { cache: 'no-store' })).blob()], name);
  const started = performance.now();
  const picture = await local.analyze(file);
  return { picture, milliseconds: performance.now() - started };
}"""

#: Attributes that are further apart than this are another answer.
ALLOWED = 0.02


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files, without a line a request."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """Yield the address of a plain file server."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the page alone with `analyze`.")
    parser.add_argument("photographs", type=Path, help="a zip archive")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(options.photographs) as archive:
        place = Path(folder) / "page"
        write_page(page_files(Model.load()), place)
        names = sorted(name for name in archive.namelist() if name.lower().endswith((".jpg", ".jpeg", ".png")))
        chosen = [names[k] for k in np.linspace(0, len(names) - 1, min(options.count, len(names))).astype(int)]
        with hosted(place) as url, sync_playwright() as running:
            browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(url)
            rows = [compared(page, place, archive.read(name), Path(name).name) for name in chosen]
            version = browser.version
    record = summary(rows) | {
        "photographs": options.photographs.name,
        "model": Model.load().sha256,
        "browser": f"Chromium {version}, one thread",
        "device": cpu_name(),
        "commit": commit(),
        "date": now(),
        "versions": versions("numpy", "pillow", "onnxruntime"),
    }
    print(json.dumps(record, indent=2))
    if options.json:
        write_record(options.json, record)


def averaged(source: bytes, longest: int | None, *, max_pixels: int) -> tuple[RGB, int]:
    """Read like read_reduced, by way of all pixels."""
    small, factor = read_reduced(source, longest, max_pixels=max_pixels)
    if factor == 1:
        return small, factor
    whole = Image.fromarray(read_image(source, max_pixels=max_pixels))
    return np.asarray(whole.reduce(factor))[: small.shape[0], : small.shape[1]], factor


def compared(page: Page, place: Path, content: bytes, name: str) -> dict[str, Any]:
    """Return how one photograph's faces differ; faces are matched by their boxes' centres."""
    (place / "picture").write_bytes(content)
    told = page.evaluate(IN_BROWSER, ["picture", name])
    started = time.perf_counter()
    wanted = analyze(content)
    seconds = time.perf_counter() - started
    found = told["picture"]["faces"]
    pairs = []
    for face in wanted:
        side = face.box[2] - face.box[0]
        near = [other for other in found if np.abs(np.subtract(other["box"], face.box)).max() < 0.25 * side]
        pairs += [(face, near[0])] if near else []
    apart = [
        np.abs([other["attributes"][name] - value for name, value in face.attributes.items()]) for face, other in pairs
    ]
    with patch.object(photograph, "read_reduced", averaged):
        again = analyze(content)
    itself = [
        max(abs(other.attributes[name] - value) for name, value in face.attributes.items())
        for face in wanted
        for other in again
        if np.abs(np.subtract(other.box, face.box)).max() < 0.25 * (face.box[2] - face.box[0])
    ]
    masks = [np.abs(np.array(other["masks"]["values"]) - face.masks).max() for face, other in pairs]
    return {
        "faces": len(wanted),
        "found": len(found),
        "matched": len(pairs),
        "apart": apart,
        "masks": masks,
        "itself": itself,
        "browser": told["milliseconds"],
        "python": 1000 * seconds,
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of all photographs; milliseconds leave the first out, which opens everything."""
    apart = np.array([each for row in rows for each in row["apart"]])
    return {
        "pictures": len(rows),
        "faces": sum(row["faces"] for row in rows),
        "faces_in_browser": sum(row["found"] for row in rows),
        "matched": sum(row["matched"] for row in rows),
        "attribute_difference": {
            "mean": round(float(apart.mean()), 5),
            "99.9_percent_below": round(float(np.quantile(apart, 0.999)), 4),
            "largest": round(float(apart.max()), 4),
            "share_above_0.02": round(float((apart > ALLOWED).mean()), 5),
        },
        "faces_with_all_attributes_within_0.02": round(float((apart.max(axis=1) <= ALLOWED).mean()), 4),
        "python_with_itself_within_0.02": round(
            float(np.mean([each <= ALLOWED for row in rows for each in row["itself"]])), 4
        ),
        "mask_difference_largest": round(float(max(each for row in rows for each in row["masks"])), 4),
        "milliseconds": {
            side: round(float(np.median([row[side] for row in rows[1:]])), 1) for side in ("browser", "python")
        },
    }


if __name__ == "__main__":
    main()
