"""The recipe `laptop` against a stock fine-tune (stock.py): seconds of training, and what they reach.

    python benchmarks/laptop/time_to_accuracy.py CELEBA --to FOLDER --json results/bench/time_to_accuracy.json

The two take turns, seed after seed, each in a process of its own that has all cores. A run is added to the record as
soon as it ends, and what is there is not run again; only a pair that was begun on another machine begins anew. CELEBA
is decoded into a Pack beforehand, which takes seconds and serves all later runs; the stock side reads the JPEGs.

After the pairs `laptop` is run with what LONGER sets, seed after seed: as far as the paper's 91.13.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

import stock
from facelocus.data import Pack, open_pack
from facelocus.files import write_record
from facelocus.metrics import choose_thresholds, measure
from facelocus.metrics.accuracy import mean_over_attributes
from facelocus.processes import pool_of
from facelocus.provenance import commit, now, versions
from facelocus.recipes import load_recipe
from facelocus.training.loop import train
from facelocus.training.record import device_name
from facelocus.training.run import load_run

SIDES = ("stock", "laptop")
#: Twice the steps, and the answers of a face and its mirror image together.
LONGER = ('phases=[{"epochs": 4}]', "network.flip=true")
_CPU = torch.device("cpu")
_DEVICE = device_name(_CPU)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the recipe laptop against a stock fine-tune.")
    parser.add_argument("data", type=Path, help="CelebA, a folder or a zip")
    parser.add_argument("--to", type=Path, required=True, help="where the runs of the recipe lie")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    record = json.loads(options.json.read_text()) if options.json.exists() else head(open_pack(options.data))
    for seed in range(options.seeds):
        for side in missing(record, seed):
            add(record, side, options, seed)
    for seed in range(len(record["longer"]), options.seeds):
        add(record, "longer", options, seed)


def add(record: dict[str, Any], side: str, options: argparse.Namespace, seed: int) -> None:
    """Run one side in a process of its own, and write the record with what it found."""
    pool = pool_of(1)
    record[side].append(pool.submit(run, side, options.data, options.to, seed).result())
    pool.shutdown()
    write_record(options.json, record)


def missing(record: dict[str, Any], seed: int) -> list[str]:
    """Return the sides that have no run of a seed; where one has, on another machine, it is taken out."""
    done = [side for side in SIDES if any(run["seed"] == seed for run in record[side])]
    if len(done) < len(SIDES):
        for side in done:
            record[side] = [run for run in record[side] if run["seed"] != seed or run["device_name"] == _DEVICE]
    return [side for side in SIDES if all(run["seed"] != seed for run in record[side])]


def head(pack: Pack) -> dict[str, Any]:
    """Return the record before its first run."""
    return {
        "what": "time_to_accuracy",
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "versions": versions("torch", "timm"),
        **{side: [] for side in (*SIDES, "longer")},
    }


def run(side: str, data: Path, to: Path, seed: int) -> dict[str, Any]:
    """Train one side and return its seconds, with what it reaches on validation and test faces in percent.

    A run of the recipe that another machine or commit began is begun anew: its seconds would be of both.
    """
    pack, begun = open_pack(data), {"commit": commit(), "device": _DEVICE}
    validation, test = pack.rows("validation"), pack.rows("test")
    if side == "stock":
        found, predict = stock.fine_tune(data, seed)
        on_validation, on_test = predict(validation), predict(test)
    else:
        place = to / side / str(seed)
        if (kept_at := place / "record.json").exists():
            kept = json.loads(kept_at.read_text())
            if any(kept[key] != value for key, value in begun.items()):
                shutil.rmtree(place)
        recipe = load_recipe("laptop").with_settings([*(LONGER if side == "longer" else ()), f"seed={seed}"])
        train(recipe, pack, place, name=side, device=_CPU)
        kept = json.loads(kept_at.read_text())
        found, model = {"seconds": kept["seconds"], "steps": kept["iterations"]}, load_run(place)
        if side == "longer":
            found["settings"] = LONGER
        on_validation, on_test = model.predict_rows(pack, validation), model.predict_rows(pack, test)
    made = {"seed": seed, "commit": begun["commit"], "date": now(), "device_name": _DEVICE}
    made["threads"] = torch.get_num_threads()
    return made | found | scores(pack.labels[validation], on_validation, pack.labels[test], on_test)


def scores(
    validation: npt.NDArray[np.int8],
    on_validation: npt.NDArray[np.float32],
    test: npt.NDArray[np.int8],
    on_test: npt.NDArray[np.float32],
) -> dict[str, float]:
    """Return accuracy at one half and, at thresholds of validation faces, balanced accuracy."""
    thresholds = choose_thresholds(validation, on_validation)
    found = {
        "validation": measure(validation, on_validation, thresholds)["accuracy_at_half"],
        "test": (on_both := measure(test, on_test, thresholds))["accuracy_at_half"],
        "test_balanced": on_both["balanced_accuracy"],
    }
    return {name: round(100 * float(mean_over_attributes(values)), 4) for name, values in found.items()}


if __name__ == "__main__":
    main()
