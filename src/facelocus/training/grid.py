"""Many runs that are compared: recipes by name, each with several seeds, and one line of results a run."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from facelocus.data.pack import Pack
from facelocus.errors import DataError, StorageError
from facelocus.files import write_atomically
from facelocus.metrics import Confusion, measure
from facelocus.metrics.accuracy import correct, mean_over_attributes
from facelocus.training.loop import train
from facelocus.training.recipe import Recipe, changes
from facelocus.training.run import RunModel, load_run
from facelocus.training.start import Start

#: The lines, and the folder of what each run got right of each person, in the folder of results.
RUNS, PEOPLE = "runs.jsonl", "people"


@dataclass(frozen=True)
class Grid:
    """Recipes to compare.

    Attributes:
        recipes: by name, parts divided by "/".
        seeds: each recipe runs once with each.
    """

    recipes: Mapping[str, Recipe]
    seeds: tuple[int, ...]

    def runs(self) -> Iterator[tuple[str, Recipe]]:
        """Yield (recipe's name, recipe with its seed), all recipes with one seed before the next."""
        for seed in self.seeds:
            for name, recipe in self.recipes.items():
                yield name, replace(recipe, seed=seed)


def run_grid(
    grid: Grid,
    name: str,
    pack: Pack,
    folder: Path,
    results: Path,
    *,
    device: torch.device,
    start: Start | None = None,
    only: str = "",
    progress: bool = True,
) -> int:
    """Train and measure each run that has no line in the results yet.

    A run lies in folder/RECIPE/SEED and is gone on with where it was stopped. RESULTS/runs.jsonl gets one JSON object a
    run; RESULTS/people/*.npz what the run got right of each test person: uint16 2 x P x A of true positives and true
    negatives at one half ("half") and at the balanced thresholds ("balanced"), people by their number. With the
    counts of the labels in labels.*.npz, which the line names, paired intervals over people follow without the network.

    Args:
        grid: what to run.
        name: of the grid.
        pack: labelled faces with people; validation faces choose thresholds, test faces are reported on.
        folder: where the runs lie.
        results: where the lines go.
        device: see choose_device.
        start: weights that every run starts from.
        only: runs whose name, GRID/RECIPE/SEED, has this part.
        progress: see train.

    Returns:
        How many runs were added.

    Raises:
        DataError: the Pack has no people or no test faces, or these no label of an attribute.
        StorageError: the results cannot be written.
        Whatever train raises.
    """
    rows = pack.rows("test")
    if pack.people is None or not len(rows):
        raise DataError(f"{pack.description}: a grid needs test faces with people: give CelebA, or a table with both")
    if unknown := np.flatnonzero((pack.labels[rows] == -1).all(axis=0)).tolist():
        raise DataError(
            f"{pack.description}: no test face has a label of {pack.attributes.names[unknown[0]]}: give some"
        )
    try:
        (results / PEOPLE).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{results}: cannot be made ({error.strerror}): choose another --results") from error
    lines = results / RUNS
    done = {line["run"] for line in _read(lines)}
    labels = _keep_labels(pack, rows, results)
    added = 0
    for recipe_name, recipe in grid.runs():
        run = f"{name}/{recipe_name}/{recipe.seed}"
        if run in done or only not in run:
            continue
        place = folder / recipe_name / str(recipe.seed)
        train(recipe, pack, place, name=f"{name}/{recipe_name}", device=device, start=start, progress=progress)
        found, right = _measured(load_run(place), place, pack, rows)
        found["test"]["labels"] = labels
        write_atomically(results / PEOPLE / f"{run.replace('/', '.')}.npz", _npz(right))
        record = json.loads((place / "record.json").read_text())
        line = {"run": run, "grid": name, "name": recipe_name, "settings": settings(recipe)} | _kept(record) | found
        write_atomically(lines, "".join(json.dumps(each) + "\n" for each in [*_read(lines), line]))
        added += 1
    return added


def settings(recipe: Recipe) -> dict[str, Any]:
    """Return what differs from the defaults of Recipe, the seed aside: dotted key -> value."""
    return {key: value for key, (value, _) in changes(recipe, Recipe()).items() if key != "seed"}


def _read(lines: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []


def _keep_labels(pack: Pack, rows: npt.NDArray[np.int64], results: Path) -> str:
    """Write how often each attribute is labelled yes and no for each test person; return what they are known by."""
    assert pack.people is not None
    labels = pack.labels[rows]
    counts = _by_person(pack.people[rows], labels == 1, labels == 0)
    known_by = hashlib.sha256(counts.tobytes()).hexdigest()[:12]
    file = results / PEOPLE / f"labels.{known_by}.npz"
    if not file.exists():
        write_atomically(file, _npz({"labels": counts}))
    return known_by


def _measured(
    model: RunModel, place: Path, pack: Pack, rows: npt.NDArray[np.int64]
) -> tuple[dict[str, Any], dict[str, npt.NDArray[np.uint16]]]:
    """Return the scores of a finished run, and what it got right of each test person."""
    assert pack.people is not None
    with np.load(place / "validation.npz") as kept:
        on_validation = Confusion.count(kept["labels"], kept["probabilities"], 0.5)
    labels, probabilities = pack.labels[rows], model.predict_rows(pack, rows)
    scores = measure(labels, probabilities, model.thresholds)
    right = {
        name: _by_person(pack.people[rows], hit & (labels == 1), hit & (labels == 0))
        for name, thresholds in (("half", 0.5), ("balanced", model.thresholds["balanced"]))
        for hit in [correct(labels, probabilities, thresholds)]
    }
    found = {
        "validation": {
            "mean_accuracy_at_half": _percent(mean_over_attributes(on_validation.accuracy)),
            "mean_balanced_accuracy_at_half": _percent(mean_over_attributes(on_validation.balanced_accuracy)),
        },
        "test": {
            "images": len(rows),
            "people": len(right["half"][0]),
            **{f"mean_{score}": _percent(mean_over_attributes(values)) for score, values in scores.items()},
            "attributes": dict(
                zip(pack.attributes.names, map(_percent, scores["accuracy_at_half"].tolist()), strict=True)
            ),
        },
    }
    return found, right


def _by_person(people: npt.NDArray[np.integer], *kinds: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint16]:
    """Return how many of each person's faces are of each kind: uint16 kinds x P x A, people by their number."""
    numbers, person = np.unique(people, return_inverse=True)
    counts = np.zeros((len(kinds), len(numbers), kinds[0].shape[1]), np.uint16)
    for count, kind in zip(counts, kinds, strict=True):
        np.add.at(count, person.reshape(-1), kind.astype(np.uint16))
    return counts


def _kept(record: dict[str, Any]) -> dict[str, Any]:
    """Return what a line says of how a run was made."""
    start = {"from": record["from"]} if record["from"] else {}
    names = ("seed", "commit", "date", "device", "threads", "versions", "data", "iterations", "seconds")
    return start | {name: record[name] for name in names}


def _npz(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    with io.BytesIO() as buffer:
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()


def _percent(fraction: Any) -> float:
    return round(100 * float(fraction), 4)
