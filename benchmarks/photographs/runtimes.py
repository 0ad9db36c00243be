"""Milliseconds a face of the shipped model in two runtimes on one thread, and what its arithmetic needs at least.

    python benchmarks/photographs/runtimes.py --json results/photographs/runtimes.json

onnxruntime is what facelocus uses. OpenVINO (pip install openvino) is tried beside it, in single precision and in
bfloat16; the answers of both are compared. The limit is the model's multiplications and additions at the speed of a
large product of matrices on the same thread: no runtime is faster without computing less, or less exactly.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # of NumPy's products

import numpy as np
import openvino

from facelocus.bench.limits import operations
from facelocus.files import write_record
from facelocus.model import Model, shipped_models
from facelocus.nn.weights import read_model_file
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.runtime import open_session

#: Faces a round and rounds; the median round counts.
FACES, ROUNDS = 64, 5


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the shipped model in two runtimes.")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    file = shipped_models()["default"]
    faces = np.random.default_rng(0).integers(0, 256, (FACES, 218, 178, 3), dtype=np.uint8)
    session = open_session(file, file.read_bytes(), 1, repeated=True)
    sides: dict[str, Callable[[Any], Any]] = {}
    for batch in (1, 4):
        sides[f"onnxruntime, {batch} at once"] = lambda some: session.run(None, {"images": some})[0]
        for precision in ("f32", "bf16"):
            sides[f"openvino {precision}, {batch} at once"] = with_openvino(file, batch, precision)
    times: dict[str, list[float]] = {name: [] for name in sides}
    answers = {}
    for _ in range(ROUNDS + 1):
        for name, side in sides.items():
            batch = int(name.split()[-3])
            started = time.perf_counter()
            parts = [np.array(side(faces[i : i + batch])) for i in range(0, FACES, batch)]
            times[name].append(1e3 * (time.perf_counter() - started) / FACES)
            answers[name] = np.concatenate(parts)
    reference = answers["onnxruntime, 1 at once"]
    operations, speed = network_operations(file), matrix_speed()
    record = {
        "what": "inference of the shipped model on one thread",
        "unit": "milliseconds a face, medians with the least and the most",
        "sides": {
            name: {
                "milliseconds": [round(f(values[1:]), 3) for f in (np.median, np.min, np.max)],
                "largest difference of a probability": float(f"{np.abs(answers[name] - reference).max():.2g}"),
            }
            for name, values in times.items()
        },
        "operations a face": operations,
        "operations a second in a product of matrices": round(speed),
        "milliseconds a face at that speed": round(1e3 * operations / speed, 3),
        "model": Model(file).sha256,
        "commit": commit(),
        "date": now(),
        "device_name": cpu_name(),
        "versions": versions("onnxruntime", "openvino", "numpy"),
    }
    write_record(options.json, record)
    print(json.dumps(record, indent=1))


def with_openvino(file: Path, batch: int, precision: str) -> Callable[[Any], Any]:
    """Return a function of uint8 batch x 218 x 178 x 3 frames to their probabilities."""
    core = openvino.Core()
    graph = core.read_model(file)
    graph.reshape([batch, 218, 178, 3])
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(graph, "CPU", settings).create_infer_request()
    return lambda some: request.infer([some])[0]


def network_operations(file: Path) -> int:
    """Return multiplications and additions of one face; resizing included, what is done element by element not."""
    import torch

    network, _ = read_model_file(file)
    network.eval()
    return operations(lambda: network(torch.zeros(1, 218, 178, 3, dtype=torch.uint8)))


def matrix_speed(side: int = 1024) -> float:
    """Return operations a second of NumPy's single-precision product of two square matrices."""
    a, b = np.random.default_rng(0).random((2, side, side), dtype=np.float32)
    seconds = []
    for _ in range(20):
        started = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - started)
    return float(2 * side**3 / np.median(seconds))


if __name__ == "__main__":
    main()
