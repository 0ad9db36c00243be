"""Measure aligned JPEG files to 40 scores, as `facelocus analyze FOLDER --aligned --out`, beside what it is made of.

    python benchmarks/cost/files_to_scores.py DATA --to results/bench

DATA is official CelebA, whose files are written into a folder. On all cores, in turns: the folder to a table; the same
files decoded and nothing else; the network alone on faces that lie in memory; the qualities of such faces judged alone;
and the plain form, one file after the other through each step with a network that uses all cores. All but the last
start their processes anew; what FEW faces take is that start and is taken off.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.attributes import FRAME
from facelocus.data import read_table
from facelocus.files import write_record
from facelocus.images.read import read_image
from facelocus.model import Model
from facelocus.photos.analyze import analyze
from facelocus.photos.folder import analyze_folder
from facelocus.photos.listing import Arguments
from facelocus.photos.quality import judge
from facelocus.photos.request import Options, Request
from facelocus.photos.rows import face_values
from facelocus.photos.tables import json_line
from facelocus.processes import cores, in_processes
from facelocus.provenance import commit, cpu_name, now, versions

#: Files a task, as in facelocus.photos.folder.
CHUNK = 64
FEW = 2 * CHUNK


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--to", type=Path, required=True, help="folder of the record")
    parser.add_argument("--images", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        all_of_them = written(options.data, Path(place) / "all", options.images)
        few = written(options.data, Path(place) / "few", FEW)
        plain = sorted(all_of_them.iterdir())[: max(1, options.images // 8)]
        model = Model.load("default")
        sides = {"": folder, "decode_": decoding, "network_": network, "quality_": quality}
        rates: dict[str, list[float]] = {name: [] for name in (*sides, "reference_")}
        for _ in range(options.rounds):
            for name, side in sides.items():
                rates[name].append((options.images - FEW) / (seconds(side, all_of_them) - seconds(side, few)))
            rates["reference_"].append(len(plain) / seconds(lambda files: in_turn(files, model), plain))
            print({name: round(values[-1]) for name, values in rates.items()}, flush=True)
    record: dict[str, Any] = {
        "what": "files_to_scores",
        "device": "cpu",
        "aligned": True,
        "images": options.images,
        "rounds": options.rounds,
        "precision": "fp32",
        "batch": 1,
        "processes": cores(),
        "share_of_the_slower": statistics.median(
            whole / min(parts) for whole, *parts in zip(rates[""], rates["decode_"], rates["network_"], strict=True)
        ),
        "cores": cores(),
        "device_name": cpu_name(),
        "model": Model.load("default").sha256,
        "date": now(),
        "commit": commit(),
        "versions": versions("numpy", "pillow", "onnxruntime"),
    }
    for name, values in rates.items():
        low, middle, high = (float(f"{value:.4g}") for value in np.percentile(values, (25, 50, 75)))
        record |= {f"{name}images_per_second": middle, f"{name}images_per_second_quartiles": [low, high]}
    record["share_of_the_slower"] = round(record["share_of_the_slower"], 3)
    write_record(options.to / "files_to_scores_cpu.json", record)


def written(data: Path, into: Path, count: int) -> Path:
    """Write the first files of the data into a folder, as they are."""
    into.mkdir()
    table = read_table(data)
    for number in range(count):
        (into / f"{number:06}.jpg").write_bytes(table.images.read(table.names[number % len(table)]))
    table.images.close()
    return into


def seconds(side: Callable[[Any], None], given: Any) -> float:
    started = time.perf_counter()
    side(given)
    return time.perf_counter() - started


def folder(photographs: Path) -> None:
    """From the files of a folder to a table."""
    with tempfile.TemporaryDirectory() as place:
        request = Request.of(Model.load("default"), Options(aligned=True))
        analyze_folder(Arguments([str(photographs)]), Path(place) / "faces.csv", request, cores())


def decoding(photographs: Path) -> None:
    run(decode, photographs)


def network(photographs: Path) -> None:
    run(predict, photographs)


def quality(photographs: Path) -> None:
    run(judge_all, photographs)


def run(work: Callable[[list[Path]], None], photographs: Path) -> None:
    """Do a work on all cores, a chunk of files at a time."""
    files = sorted(photographs.iterdir())
    tasks = (files[start : start + CHUNK] for start in range(0, len(files), CHUNK))
    for _ in in_processes(work, tasks, cores()):
        pass


def decode(files: list[Path]) -> None:
    for file in files:
        read_image(file)


def predict(files: list[Path]) -> None:
    """Score as many faces as there are files, in the batches that the network likes best."""
    model, faces = tools()
    model.predict(faces[: len(files)])


def judge_all(files: list[Path]) -> None:
    _, faces = tools()
    rows, columns, _ = FRAME
    for face in faces[: len(files)]:
        judge(face, (0, 0, columns, rows), None, (columns, rows))


@lru_cache(maxsize=1)
def tools() -> tuple[Model, npt.NDArray[np.uint8]]:
    """In a worker: a model of one thread, and faces of noise."""
    noise = np.random.default_rng(0).integers(0, 256, (CHUNK, *FRAME), dtype=np.uint8)
    return Model.load("default", threads=1), noise


def in_turn(files: Iterable[Path], model: Model) -> None:
    for file in files:
        faces = analyze(file, model=model, aligned=True)
        json_line({"faces": [face_values(face) for face in faces]})


if __name__ == "__main__":
    main()
