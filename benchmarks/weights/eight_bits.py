"""What 8 bits gain and cost: the shipped files in single precision and in 8 bits, in turns.

    python benchmarks/weights/eight_bits.py CELEBA --json results/weights/eight_bits.json

Both forms are made here from the weights that a file carries under their names, the same ones whichever form ships.
Ranges are of the training faces that `facelocus quantize` takes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facelocus.attributes import FRAME
from facelocus.bench.timing import alternate
from facelocus.cli import main as facelocus
from facelocus.cli.models import predict_rows, weights_path
from facelocus.data.pack import Pack, open_pack
from facelocus.export.graph import to_onnx
from facelocus.files import write_record
from facelocus.metrics import measure
from facelocus.metrics.accuracy import mean_over_attributes
from facelocus.model import BATCH, Model
from facelocus.nn.weights import read_model_file
from facelocus.provenance import commit, cpu_name, now, versions

FACES, ROUNDS = 32, 15


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what 8 bits gain and cost.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", action="append", help="a shipped name or an .onnx file; default and tiny by default")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    pack = open_pack(options.data)
    with tempfile.TemporaryDirectory() as folder:
        models = [
            form for name in options.model or ["default", "tiny"] for form in both(name, options.data, Path(folder))
        ]
        noise = np.random.default_rng(0).integers(0, 256, (FACES, *FRAME), dtype=np.uint8)
        # Times first: what measures accuracy would warm the processor up.
        steps = {str(at): (lambda model=model: model.predict(noise)) for at, model in enumerate(models)}
        seconds = alternate(steps, ROUNDS, torch.device("cpu"))
        rows = [row(model, pack, seconds[str(at)]) for at, model in enumerate(models)]
    record = {
        "what": "shipped weights in single precision and in 8 bits: milliseconds a face, percent right",
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "batch": BATCH,
        "threads": torch.get_num_threads(),
        "forms": rows,
        "commit": commit(),
        "date": now(),
        "device": cpu_name(),
        "versions": versions("onnxruntime", "numpy"),
    }
    write_record(options.json, record)


def both(name: str, data: Path, folder: Path) -> list[Model]:
    """Return a file's network in single precision and in 8 bits."""
    path = weights_path(name)
    network, description = read_model_file(path)
    description.pop("quantized", None)
    single, eight = (folder / form / f"{path.stem}.onnx" for form in ("single", "eight"))
    for file in (single, eight):
        file.parent.mkdir(exist_ok=True)
    single.write_bytes(to_onnx(network, description))
    try:
        facelocus(["quantize", str(single), str(data), str(eight)])
    except SystemExit as end:
        if end.code:
            raise
    return [Model.load(single), Model.load(eight)]


def row(model: Model, pack: Pack, seconds: list[float]) -> dict[str, Any]:
    """Return what is measured of one file."""
    low, middle, high = (1000 * float(np.quantile(seconds, q)) / FACES for q in (0.25, 0.5, 0.75))
    scores: dict[str, float] = {}
    for split in ("validation", "test"):
        rows = pack.rows(split)
        found = measure(pack.labels[rows], predict_rows(model, pack, rows), model.thresholds)
        for which, words in (("accuracy", split), ("balanced_accuracy", f"{split}_balanced")):
            scores[words] = round(100 * float(mean_over_attributes(found[which])), 4)
    return {
        "model": model.name,
        "precision": "8 bits" if model.in_8_bits else "single",
        "bytes": model.path.stat().st_size,
        "milliseconds": round(middle, 3),
        "milliseconds_quartiles": [round(low, 3), round(high, 3)],
        **scores,
    }


if __name__ == "__main__":
    main()
