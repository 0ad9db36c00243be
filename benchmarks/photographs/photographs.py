"""Photographs a second of `facelocus analyze DIR --out`, and where the time goes.

    python benchmarks/photographs/photographs.py WILD.zip LFW.zip CELEBA.zip --to results/photographs/speed.json

WILD holds original photographs: enlarged to 1 and 12 megapixels, with a little noise, they are the larger sizes; LFW's
are 250 x 250; CELEBA's are aligned crops. All sides run in turn, ROUNDS times, in this one run:

- the command on all cores (the whole command, its start included, and the rate without it);
- the naive form: one picture at a time through each step, in one process that uses all cores;
- one process with one thread, its steps timed: read, detect, align, judge, predict, write;
- a ViT-B/16 of 224 x 224, the network of the strongest open model of 40 attributes, forward only.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image
from tqdm import tqdm

from facelocus.data.readers import read_table
from facelocus.data.table import FaceTable
from facelocus.detection import photograph
from facelocus.detection.detect import Detector
from facelocus.files import write_record
from facelocus.images.read import read_image
from facelocus.model import Model
from facelocus.photos import analyze as analysis
from facelocus.photos.rows import face_values
from facelocus.photos.tables import json_line
from facelocus.processes import cores
from facelocus.provenance import commit, cpu_name, now, versions

ROUNDS = 3
SEED = 0

#: Photographs of each size; a command also starts, which takes as long as tens of them.
PHOTOGRAPHS = {"250 x 250": 600, "1 megapixel": 200, "12 megapixels": 100, "aligned crops": 3000}
PIXELS = {"1 megapixel": 1e6, "12 megapixels": 12e6}

#: What runs one after the other is measured on so many of them.
SEQUENTIAL = {"250 x 250": 100, "1 megapixel": 50, "12 megapixels": 24, "aligned crops": 400}

#: Photographs of the small run whose time is that of the start.
FEW = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wild", type=Path, help="original photographs as a zip")
    parser.add_argument("lfw", type=Path, help="LFW as a zip")
    parser.add_argument("celeba", type=Path, help="aligned faces as a zip")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="of the photographs, for a trial")
    parser.add_argument("--without-vit", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folders = {
            size: written(size, max(FEW, round(count * options.share)), options, Path(place) / size.replace(" ", "-"))
            for size, count in PHOTOGRAPHS.items()
        }
        rows = {size: measured(size, folder, Path(place)) for size, folder in folders.items()}
    record = {
        "what": "files_to_scores",
        "unit": "photographs a second; milliseconds a photograph; medians of rounds with the least and the most",
        "rounds": ROUNDS,
        "sizes": rows,
        "vit_b_16 at 224, ms a face": None if options.without_vit else timed(vit(), 1),
        "cores": cores(),
        "model": Model.load("default").sha256,
        "seed": SEED,
        "date": now(),
        "commit": commit(),
        "device_name": cpu_name(),
        "versions": versions("numpy", "pillow", "onnxruntime", "torch", "timm"),
    }
    write_record(options.to, record)
    print(json.dumps(record, indent=1))


def written(size: str, count: int, options: argparse.Namespace, folder: Path) -> Path:
    """Write JPEG files of a size, in turn from the pictures there are, and return their folder."""
    folder.mkdir()
    random = np.random.default_rng(SEED)
    pictures = images(size, options)
    for number in tqdm(range(count), desc=size, disable=None):
        picture = pictures(number)
        if size in PIXELS:
            scale = (PIXELS[size] / (picture.width * picture.height)) ** 0.5
            wanted = round(picture.width * scale), round(picture.height * scale)
            picture = picture.resize(wanted, Image.Resampling.BICUBIC)
            grain = random.integers(-6, 7, (wanted[1], wanted[0], 1), dtype=np.int16)
            picture = Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))
        picture.save(folder / f"{number:05}.jpg", quality=90)
    return folder


def images(size: str, options: argparse.Namespace) -> Callable[[int], Image.Image]:
    """Return what gives the picture of a number."""
    if size == "250 x 250":
        archive = zipfile.ZipFile(options.lfw)
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        return lambda number: Image.open(io.BytesIO(archive.read(names[number % len(names)]))).convert("RGB")
    table: FaceTable = read_table(options.celeba if size == "aligned crops" else options.wild)
    return lambda number: Image.fromarray(read_image(table.images.read(table.names[number % len(table.names)])))


def measured(size: str, folder: Path, place: Path) -> dict[str, Any]:
    """Measure every side on the photographs of a folder, in turn."""
    aligned = size == "aligned crops"
    files = sorted(folder.iterdir())
    few = place / f"few-{folder.name}"
    few.mkdir()
    for file in files[:FEW]:
        (few / file.name).write_bytes(file.read_bytes())
    sequential = files[: SEQUENTIAL[size]]
    model, detector = Model.load("default"), None if aligned else Detector()
    one = Model.load("default", threads=1), None if aligned else Detector(threads=1)
    seconds: dict[str, list[float]] = defaultdict(list)
    parts: dict[str, list[float]] = defaultdict(list)
    for _ in tqdm(range(ROUNDS), desc=f"{size}: rounds", disable=None):
        seconds["start"].append(command(few, place, aligned))
        seconds["all"].append(command(folder, place, aligned))
        seconds["naive"].append(in_turn(sequential, model, detector, aligned))
        with stopwatch() as spent:
            whole = in_turn(sequential, *one, aligned)
        spent["write and the rest"] = whole - sum(spent.values())
        seconds["one thread"].append(whole)
        for part, value in spent.items():
            parts[part].append(1e3 * value / len(sequential))
    rest = [every - start for every, start in zip(seconds["all"], seconds["start"], strict=True)]
    whole = statistics.median(seconds["one thread"]) / len(sequential)
    return {
        "photographs": len(files),
        "bytes a photograph": round(statistics.mean(file.stat().st_size for file in files)),
        "photographs_per_second": spread([(len(files) - FEW) / value for value in rest]),
        "photographs_per_second, start included": spread([len(files) / value for value in seconds["all"]]),
        "reference_photographs_per_second": spread([len(sequential) / value for value in seconds["naive"]]),
        "one thread, ms a photograph": round(1e3 * whole, 2),
        "parts, ms": {part: round(statistics.median(values), 2) for part, values in parts.items()},
        "parts, share": {part: round(statistics.median(values) / 1e3 / whole, 3) for part, values in parts.items()},
    }


def command(folder: Path, place: Path, aligned: bool) -> float:
    """Return the seconds of the whole command."""
    out = place / "faces.csv"
    words = [sys.executable, "-m", "facelocus", "analyze", str(folder), "--out", str(out)]
    start = time.perf_counter()
    subprocess.run([*words, *["--aligned"] * aligned], check=True, capture_output=True)
    taken = time.perf_counter() - start
    out.unlink()
    return taken


def in_turn(files: list[Path], model: Model, detector: Detector | None, aligned: bool) -> float:
    """Return the seconds of one picture at a time through each step."""
    start = time.perf_counter()
    for file in files:
        faces = analysis.analyze(file, model=model, detector=detector, aligned=aligned)
        json_line({"faces": [face_values(face) for face in faces]})
    return time.perf_counter() - start


@contextmanager
def stopwatch() -> Iterator[dict[str, float]]:
    """Time the steps of an analysis by name."""
    spent: dict[str, float] = defaultdict(float)

    def watched(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                spent[step] += time.perf_counter() - start

        return run

    with (
        patch.object(analysis, "read_image", watched("read", analysis.read_image)),
        patch.object(photograph, "read_reduced", watched("read", photograph.read_reduced)),
        patch.object(photograph, "align", watched("align", photograph.align)),
        patch.object(analysis, "judge", watched("judge", analysis.judge)),
        patch.object(Detector, "detect", watched("detect", Detector.detect)),
        patch.object(Model, "predict", watched("predict", Model.predict)),
    ):
        yield spent


def vit() -> Callable[[], object]:
    """Return a forward pass of one face through a ViT-B/16, with all cores."""
    import timm
    import torch

    torch.set_num_threads(cores())
    network = timm.create_model("vit_base_patch16_224").eval()
    face = torch.zeros(1, 3, 224, 224)

    def forward() -> object:
        with torch.inference_mode():
            return network(face)

    return forward


def timed(run: Callable[[], object], faces: int) -> dict[str, float]:
    """Return the milliseconds a face of a run, over rounds."""
    run()
    found = []
    for _ in range(5 * ROUNDS):
        start = time.perf_counter()
        run()
        found.append(1e3 * (time.perf_counter() - start) / faces)
    return spread(found)


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "least": round(min(values), 2),
        "most": round(max(values), 2),
    }


if __name__ == "__main__":
    main()
