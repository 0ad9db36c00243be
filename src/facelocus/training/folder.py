"""The run folder: whose it is, and its lines of metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from facelocus.errors import StorageError, UsageError
from facelocus.files import write_atomically
from facelocus.training.recipe import Recipe, differences
from facelocus.training.record import Origin

#: Held by the process that trains; free again when it ends, however it ends.
LOCK = ".lock"
#: Written last.
FINISHED = "weights.safetensors"
_FILES = ("record.json", "origin.json", "recipe.json", "metrics.jsonl", "answers.npy", "checkpoint.safetensors")
#: How write_atomically calls what it has begun of a run's files.
_UNFINISHED = tuple(f".{name}." for name in (*_FILES, "validation.npz", FINISHED))


@contextmanager
def claimed(run: Path, recipe: Recipe, record: dict[str, Any], origin: Origin | None) -> Iterator[dict[str, Any]]:
    """Make the run folder, or check that the one there is of the same recipe and data; hold it meanwhile.

    Yields:
        The record of the run: the one given, or that of the first start.

    Raises:
        UsageError: it is something else, a run of another recipe or of other data, or another process trains there.
        StorageError: it cannot be made.
    """
    if run.exists() and not run.is_dir():
        raise UsageError(f"{run}: a file is where the run folder should be: choose another --to")
    if not _begun(run) and run.exists() and any(not _ours(file) for file in run.iterdir()):
        raise UsageError(f"{run}: is not empty and not a run: choose another --to")
    try:
        run.mkdir(parents=True, exist_ok=True)
        lock = FileLock(run / LOCK)
        lock.acquire(timeout=1)  # `facelocus runs` holds it for an instant to see whether it is held
    except Timeout as error:
        raise UsageError(f"{run}: another process is training there: wait for it, or choose another --to") from error
    except OSError as error:
        raise StorageError(f"{run}: cannot be made ({error.strerror}): choose another --to") from error
    try:
        begun = _begun(run)  # only now: whoever held the lock may have begun it
        if begun:
            record = _same(run, recipe, record)
        for file in run.iterdir():
            if file.name.startswith(_UNFINISHED):  # by a process that was killed
                file.unlink()
        if not begun:
            if origin is not None:
                write_atomically(run / "origin.json", json.dumps(asdict(origin), indent=1))
            write_atomically(run / "record.json", json.dumps(record, indent=1))
            write_atomically(run / "recipe.json", json.dumps(recipe.to_json(), indent=1))
        yield record
    finally:
        lock.release()
        if (run / FINISHED).exists():  # whoever comes now changes nothing: there is nothing to guard
            (run / LOCK).unlink(missing_ok=True)


def _begun(run: Path) -> bool:
    # record.json comes first: without recipe.json it is a run that was killed between the two.
    return (run / "recipe.json").exists()


def _ours(file: Path) -> bool:
    return file.name in (LOCK, "record.json", "origin.json") or file.name.startswith(_UNFINISHED)


def _same(run: Path, recipe: Recipe, record: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a run begun before, or refuse to go on with it."""
    before = Recipe.from_json(json.loads((run / "recipe.json").read_text()))
    changed = differences(before, recipe)
    if changed:
        raise UsageError(f"{run}: holds a run with other settings ({changed[0]}): choose another --to")
    begun: dict[str, Any] = json.loads((run / "record.json").read_text())
    if begun["data"]["fingerprint"] != record["data"]["fingerprint"]:
        raise UsageError(f"{run}: holds a run on other data ({begun['data']['description']}): choose another --to")
    if begun["from"] != record["from"]:
        raise UsageError(f"{run}: holds a run from other weights: give the same --from, or choose another --to")
    if begun.get("teachers") != record.get("teachers"):
        raise UsageError(f"{run}: holds a run with other teachers: give the same --teacher, or choose another --to")
    return begun


class Metrics:
    """metrics.jsonl: one JSON object a line; what a stopped run wrote past its checkpoint is dropped first."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        # A line without its end was being written when the run was killed.
        whole = [(line, json.loads(line)) for line in lines if line.endswith("\n")]
        write_atomically(path, "".join(line for line, value in whole if value["step"] <= step and "error" not in value))

    def write(self, value: dict[str, Any]) -> None:
        """Append one line."""
        try:
            with self.path.open("a") as stream:
                stream.write(json.dumps(value) + "\n")
        except OSError as error:
            raise StorageError(
                f"{self.path}: cannot be written ({error.strerror}): free space, the same command goes on"
            ) from error
