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

from facelocus.cli.models import model_record, open_model, predict_rows
from facelocus.data.pack import open_pack
from facelocus.errors import DataError, UsageError
from facelocus.files import write_record
from facelocus.metrics.accuracy import correct, mean_over_attributes
from facelocus.metrics.calibration import Calibration
from facelocus.provenance import commit, cpu_name, now, versions

_SEED = 0

Labels = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


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
    halves = _halves(pack.people[rows["test"]])
    # The balanced thresholds of a calibrated file are the rates it expects.
    rates = open_model(options.model).thresholds["balanced"]
    networks = []
    for name in (options.model, *options.beside):
        model = open_model(name)
        if pack.attributes.names != model.attributes.names:
            raise UsageError(f"{options.data} has other attributes than {name}")
        shown = {split: predict_rows(model, pack, its) for split, its in rows.items()}
        fitted = Calibration.fit(labels["validation"], shown["validation"])
        logits = {split: _logits(fitted.apply(its)) for split, its in shown.items()}
        networks.append({"model": model_record(model), "logits": logits, **_measure(labels, logits, rates, halves)})
    ranked = sorted(networks, key=lambda network: -network["validation"])
    averages = []
    for count in range(2, len(ranked) + 1):
        several = [network["logits"] for network in ranked[:count]]
        mean = {split: np.mean([logits[split] for logits in several], axis=0) for split in rows}
        averages.append({"networks": count, **_measure(labels, mean, rates, halves)})
    record = {
        "what": "mean accuracy in percent: networks alone, the best on validation faces first, and their averages",
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "images": {split: len(its) for split, its in rows.items()},
        "seed": _SEED,
        "alone": [{key: value for key, value in network.items() if key != "logits"} for network in ranked],
        "averaged": averages,
        "commit": commit(),
        "date": now(),
        "device": cpu_name(),
        "versions": versions("numpy", "onnxruntime"),
    }
    write_record(options.json, record)
    print(json.dumps({key: record[key] for key in ("alone", "averaged")}, indent=1))


def _halves(people: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Return which faces are of the first half of the people, drawn at random."""
    names = np.unique(people)
    return np.isin(people, np.random.default_rng(_SEED).permutation(names)[: len(names) // 2])


def _logits(probabilities: Floats) -> Floats:
    p = np.clip(probabilities, 1e-9, 1 - 1e-9)
    return np.log(p / (1 - p))


def _measure(
    labels: dict[str, Labels], logits: dict[str, Floats], rates: npt.NDArray[np.floating], first: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Return mean accuracy as calibrated on validation faces, and on test faces as on their other half."""
    p = {split: 1 / (1 + np.exp(-its)) for split, its in logits.items()}
    fitted = Calibration.fit(labels["validation"], p["validation"]).to_rates(p["validation"], rates)
    crossed = np.empty_like(p["test"])
    for other, measured in ((first, ~first), (~first, first)):
        crossed[measured] = Calibration.fit(labels["test"][other], p["test"][other]).apply(p["test"][measured])
    return {
        **{split: _percent(labels[split], fitted.apply(its)) for split, its in p.items()},
        "test, calibrated on its other half": _percent(labels["test"], crossed),
    }


def _percent(labels: Labels, probabilities: Floats) -> float:
    right = correct(labels, probabilities, 0.5).sum(0) / (labels != -1).sum(0)
    return round(100 * float(mean_over_attributes(right)), 4)


if __name__ == "__main__":
    main()
