"""How near to right a model's probabilities can be on the test faces, when they are fitted on others.

    python benchmarks/weights/calibration_limit.py CELEBA --json results/weights/calibration_limit.json

The shipped file's were fitted on validation faces. Beside that: fitted on one half of the test people and measured on
the other, both ways, which no rule allows for a model and which shows what the labels of the two splits differ by; and
the share of yes of every split, where the annotators of one split ticked otherwise than those of another.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from crossed import SEED, calibrate_crosswise
from facelocus.cli.models import model_record, open_model, predict_rows
from facelocus.data.pack import open_pack
from facelocus.errors import DataError, UsageError
from facelocus.files import write_record
from facelocus.metrics.calibration import Calibration, calibration_error, chance
from facelocus.provenance import commit, cpu_name, now, versions


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how near to right probabilities can be.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    model, pack = open_model(options.model), open_pack(options.data)
    if pack.people is None or "calibration" not in model.metadata:
        raise DataError("needs data with people, and a model file with its calibration")
    if pack.attributes.names != model.attributes.names:
        raise UsageError(f"{options.data} has other attributes than {model.name}")
    rows = pack.rows("test")
    shown = predict_rows(model, pack, rows)
    raw = Calibration.from_json(model.metadata["calibration"]).undo(shown)
    labels, people = pack.labels[rows], pack.people[rows]
    crossed = calibrate_crosswise(labels, raw, people)
    splits = {split: pack.labels[pack.rows(split)] for split in ("train", "validation", "test")}
    columns = {
        "fitted on validation": calibration_error(labels, shown),
        "by chance": chance(labels, shown),
        "fitted on the other half of the test people": calibration_error(labels, crossed),
        "by chance, then": chance(labels, crossed),
        **{f"yes in {split}": (its == 1).sum(0) / (its != -1).sum(0) for split, its in splits.items()},
    }
    record = {
        "what": "expected calibration error and shares of yes, in percent",
        "model": model_record(model),
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "images": len(rows),
        "people": len(np.unique(people)),
        "seed": SEED,
        "mean": {name: round(100 * float(np.mean(values)), 4) for name, values in columns.items()},
        "attributes": {
            attribute: {name: round(100 * float(values[a]), 4) for name, values in columns.items()}
            for a, attribute in enumerate(model.attributes.names)
        },
        "commit": commit(),
        "date": now(),
        "device": cpu_name(),
        "versions": versions("numpy", "onnxruntime"),
    }
    write_record(options.json, record)
    print(json.dumps(record["mean"], indent=1))


if __name__ == "__main__":
    main()
