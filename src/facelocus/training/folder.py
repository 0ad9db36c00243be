"""The run folder: whose it is, and its lines of metrics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from facelocus.errors import StorageError, UsageError
from facelocus.files import write_atomically
from facelocus.training.recipe import Recipe, differences


def claim(run: Path, recipe: Recipe, record: dict[str, Any]) -> dict[str, Any]:
    """Make the run folder, or check that the one there is of the same recipe and data.

    Returns:
        The record of the run: the one given, or that of the first start.

    Raises:
        UsageError: it is something else, or a run of another recipe or of other data.
        StorageError: it cannot be made.
    """
    if run.exists() and not run.is_dir():
        raise UsageError(f"{run}: a file is where the run folder should be: choose another --to")
    if (run / "recipe.json").exists():
        before = Recipe.from_json(json.loads((run / "recipe.json").read_text()))
        changed = differences(before, recipe)
        if changed:
            raise UsageError(f"{run}: holds a run with other settings ({changed[0]}): choose another --to")
        begun: dict[str, Any] = json.loads((run / "record.json").read_text())
        if begun["data"]["fingerprint"] != record["data"]["fingerprint"]:
            raise UsageError(f"{run}: holds a run on other data ({begun['data']['description']}): choose another --to")
        if begun["from"] != record["from"]:
            raise UsageError(f"{run}: holds a run from other weights: give the same --from, or choose another --to")
        for unfinished in run.glob(".*"):  # what a killed process was writing
            unfinished.unlink()
        return begun
    # record.json comes first: alone it is a run that was killed between the two.
    if run.exists() and any(file.name != "record.json" and file.name[0] != "." for file in run.iterdir()):
        raise UsageError(f"{run}: is not empty and not a run: choose another --to")
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{run}: cannot be made ({error.strerror}): choose another --to") from error
    write_atomically(run / "record.json", json.dumps(record, indent=1))
    write_atomically(run / "recipe.json", json.dumps(recipe.to_json(), indent=1))
    return record


class Metrics:
    """metrics.jsonl: one JSON object a line; what a stopped run wrote past its checkpoint is dropped first."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        # A line without its end was being written when the run was killed.
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        write_atomically(path, "".join(kept))

    def write(self, value: dict[str, Any]) -> None:
        """Append one line."""
        try:
            with self.path.open("a") as stream:
                stream.write(json.dumps(value) + "\n")
        except OSError as error:
            raise StorageError(
                f"{self.path}: cannot be written ({error.strerror}): free space, the same command goes on"
            ) from error
