"""The files of a run folder, read while another process may be writing them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open

from facelocus.errors import InputError
from facelocus.training.folder import LOCK


def read_json(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: is missing: run its command again, or remove the folder") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{path}: is damaged, not JSON: remove the folder and train again") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: is damaged, no JSON object: remove the folder and train again")
    return value


def read_record(path: Path) -> dict[str, Any]:
    """Return a record that has what a listing needs.

    Raises:
        InputError: it has not.
    """
    record = read_json(path)
    missing = {"date", "recipe", "data"} - record.keys()
    if not missing:
        data = record["data"] if isinstance(record["data"], dict) else {}
        missing = {"description", "fingerprint", "training_images"} - data.keys()
    if missing:
        raise InputError(f"{path}: is not the record of a run, {min(missing)} is missing: remove the folder")
    return record


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of metrics.jsonl, none where it is missing; NaN becomes None.

    Raises:
        InputError: a line is damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    read = []
    for number, line in enumerate(lines, 1):
        if not line.endswith("\n"):  # being written, or cut off when the run was killed
            break
        try:
            read.append(json.loads(line, parse_constant=lambda _: None))
            read[-1]["step"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: line {number} is damaged: remove the line") from error
    return read


def checkpoint_head(path: Path) -> tuple[int | None, float | None]:
    """Return step and seconds of a checkpoint, read from its head alone; None where there is none.

    Raises:
        InputError: it is damaged.
    """
    if not path.exists():
        return None, None
    try:
        with safe_open(path, "pt") as file:
            description = json.loads(file.metadata()["facelocus"])
        return description["step"], description["seconds"]
    except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
        raise InputError(f"{path}: is damaged: remove it, and the run begins anew") from error


def is_held(folder: Path) -> bool:
    """Return whether a process trains in a run folder."""
    if not (folder / LOCK).exists():
        return False
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # a folder that may only be read: nobody's whose runs are ours
        return False
    lock.release()
    return False
