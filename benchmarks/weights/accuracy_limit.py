"""How much more right the shipped network could be: averaged with others of ours, and calibrated on test faces.

    git show bd3a979:src/facelocus/models/default.onnx > soft.onnx
    git show 77a0c21:src/facelocus/models/default.onnx > refine.onnx
    python benchmarks/weights/accuracy_limit.py CELEBA --beside tiny --beside soft.onnx --beside refine.onnx \\
        --json results/weights/accuracy_limit.json

Calibrated logits are averaged, of the networks from the best on validation faces to the worst. What they say is
calibrated on validation faces, to the rates that the shipped file expects of new ones, and taken at one half, as what a
model file says is; beside that it is calibrated on one half of the test people and measured on the other, both ways,
which no rule allows for a model and which shows what it costs that the annotators of the splits ticked otherwise.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crossed import SEED, calibrate_crosswise
from facelocus.cli.models import model_record, open_model, predict_rows
from facelocus.data.pack import open_pack
from facelocus.errors import DataError, UsageError
from facelocus.files import write_record
from facelocus.metrics.accuracy import correct, mean_over_attributes
from facelocus.metrics.calibration import Calibration, logit, sigmoid
from facelocus.provenance import commit, cpu_name, now, versions

Labels = npt.NDArray[np.int8]
Floats = npt.NDArray[np.floating]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how much more right the shipped network could be.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--beside", action="append", default=[], help="another network to average with")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    pack = open_pack(options.data)
    if pack.people is None:
        raise DataError("needs data with people")
    rows = {split: pack.rows(split) for split in ("validation", "test")}
    labels = {split: pack.labels[its] for split, its in rows.items()}
    people = pack.people[rows["test"]]
    models = [open_model(name) for name in (options.model, *options.beside)]
    # The balanced thresholds of a calibrated file are the rates it expects.
    rates = models[0].thresholds["balanced"]
    networks = []
    for model in models:
        if pack.attributes.names != model.attributes.names:
            raise UsageError(f"{options.data} has other attributes than {model.name}")
        shown = {split: predict_rows(model, pack, its) for split, its in rows.items()}
        fitted = Calibration.fit(labels["validation"], shown["validation"])
        p = {split: fitted.apply(its) for split, its in shown.items()}
        networks.append({"model": model_record(model), "p": p, **_measure(labels, p, rates, people)})
    ranked = sorted(networks, key=lambda network: -network["validation"])
    averages = []
    for count in range(2, len(ranked) + 1):
        several = [network["p"] for network in ranked[:count]]
        mean = {split: sigmoid(np.mean([logit(p[split]) for p in several], axis=0)) for split in rows}
        averages.append({"networks": count, **_measure(labels, mean, rates, people)})
    record = {
        "what": "mean accuracy in percent: networks alone, the best on validation faces first, and their averages",
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "images": {split: len(its) for split, its in rows.items()},
        "seed": SEED,
        "alone": [{key: value for key, value in network.items() if key != "p"} for network in ranked],
        "averaged": averages,
        "commit": commit(),
        "date": now(),
        "device": cpu_name(),
        "versions": versions("numpy", "onnxruntime"),
    }
    write_record(options.json, record)
    print(json.dumps({key: record[key] for key in ("alone", "averaged")}, indent=1))


def _measure(
    labels: dict[str, Labels], p: dict[str, Floats], rates: Floats, people: npt.NDArray[np.integer]
) -> dict[str, Any]:
    """Return mean accuracy as calibrated on validation faces, and on test faces as on their other half."""
    fitted = Calibration.fit(labels["validation"], p["validation"]).to_rates(p["validation"], rates)
    crossed = calibrate_crosswise(labels["test"], p["test"], people)
    return {
        **{split: _percent(labels[split], fitted.apply(its)) for split, its in p.items()},
        "test, calibrated on its other half": _percent(labels["test"], crossed),
    }


def _percent(labels: Labels, probabilities: Floats) -> float:
    right = correct(labels, probabilities, 0.5).sum(0) / (labels != -1).sum(0)
    return round(100 * float(mean_over_attributes(right)), 4)


if __name__ == "__main__":
    main()
