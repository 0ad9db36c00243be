"""The database of a library: photographs, faces, thumbnails, and which generation of scores is the one in force.

    LIBRARY/library.sqlite   SQLite in WAL mode: many read while one writes
    LIBRARY/scores/7/        the scores of generation 7: library/scores.py
    LIBRARY/incoming*        what a run is at, beside the lock it holds: library/index.py

A change is one transaction, and the generation is part of it: a reader that looks up both in one transaction sees the
library before or after, never between.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.attributes import AttributeSet
from facelocus.errors import InputError, StorageError, UsageError

#: What this facelocus writes; older ones are migrated, newer ones refused.
VERSION = 1

#: Version -> what makes a library of the next one of it. A migration is applied once, in a transaction of its own.
MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {}

# Tells a library from other databases ("face").
_APPLICATION = 0x66616365

# A path is bytes: a file's name need not be text.
_SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    digest BLOB NOT NULL,
    error TEXT
);
CREATE INDEX pictures_by_digest ON pictures (digest);
CREATE TABLE faces (
    id INTEGER PRIMARY KEY,
    picture INTEGER NOT NULL REFERENCES pictures (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL,
    score REAL,
    trust REAL NOT NULL,
    UNIQUE (picture, number)
);
CREATE TABLE thumbnails (digest BLOB PRIMARY KEY, jpeg BLOB NOT NULL);
"""


@dataclass(frozen=True)
class About:
    """What all scores of a library have in common.

    Attributes:
        model: the model's name.
        sha256: of the model file.
        attributes: of the columns of scores.
        thresholds: float32 of shape A, the model's accuracy thresholds.
        aligned: the pictures are face crops, framed like CelebA's.
        rates: the model's error rates on validation faces at these thresholds, where its file carries them: name
            -> A numbers: `sensitivity`, `specificity`, `positives`, `negatives`.
    """

    model: str
    sha256: str
    attributes: AttributeSet
    thresholds: npt.NDArray[np.float32]
    aligned: bool
    rates: dict[str, list[float]] | None

    def to_json(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "model": self.model,
            "sha256": self.sha256,
            "attributes": self.attributes.to_json(),
            "thresholds": [float(value) for value in self.thresholds],
            "aligned": self.aligned,
            "rates": self.rates,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> About:
        """Return what to_json made."""
        return cls(
            value["model"],
            value["sha256"],
            AttributeSet.from_json(value["attributes"]),
            np.array(value["thresholds"], np.float32),
            value["aligned"],
            value["rates"],
        )


def open_store(folder: Path, *, to_write: bool = False) -> sqlite3.Connection:
    """Open the database of a library; with `to_write`, under its lock, one is made or an older one migrated.

    Raises:
        InputError: there is none, it is damaged, or something else lies there.
        UsageError: a newer facelocus made it, or an older one and it is not opened to write.
        StorageError: it cannot be read.
    """
    file = folder / "library.sqlite"
    if not to_write and not file.is_file():
        raise InputError(f"{folder} is no library: make one with `facelocus index PICTURES --to {folder}`")
    with readable(folder):
        store = sqlite3.connect(file, timeout=60, isolation_level=None)
        # FULL: a commit that a power cut takes back would name scores that are removed already.
        store.executescript("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;")
        _bring_up_to_date(folder, store, to_write)
    return store


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """What is done within finds the database of this library as SQLite can read it.

    Raises:
        InputError: it is damaged, or none.
        StorageError: it cannot be read.
    """
    file = folder / "library.sqlite"
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StorageError(f"{file}: cannot be read ({error}): check permissions and free space") from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # a mistake of ours, not the file's
            raise
        raise InputError(f"{file}: is no library or damaged ({error}): make it anew, from the photographs") from error


def make_folder(folder: Path) -> None:
    """Make the folder of a library where there is none.

    Raises:
        InputError: something else lies there.
        StorageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = [entry.name for entry in folder.iterdir() if entry.name != "lock"]
    except OSError as error:
        raise StorageError(f"{folder}: cannot be made ({error.strerror}): choose another place") from error
    if others and "library.sqlite" not in others:
        raise InputError(f"{folder} holds something else: name a library, or a folder that does not exist yet")


def _bring_up_to_date(folder: Path, store: sqlite3.Connection, to_write: bool) -> None:
    (version,) = store.execute("PRAGMA user_version").fetchone()
    (application,) = store.execute("PRAGMA application_id").fetchone()
    (tables,) = store.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (version or tables) and application != _APPLICATION:
        raise InputError(f"{folder / 'library.sqlite'} is another program's database: name another folder")
    if version > VERSION:
        raise UsageError(
            f"{folder}: made by a newer facelocus (version {version}, this one reads {VERSION}): update facelocus"
        )
    if version < VERSION and not to_write:
        raise UsageError(f"{folder}: is of an older facelocus or not complete: run `facelocus index` on it once")
    if version == 0:
        store.execute("PRAGMA journal_mode = WAL")
        with transaction(store):
            for statement in _SCHEMA.split(";"):
                store.execute(statement)
            store.execute("INSERT INTO about VALUES ('generation', '0')")
            store.execute(f"PRAGMA application_id = {_APPLICATION}")
            store.execute(f"PRAGMA user_version = {VERSION}")
    while 0 < version < VERSION:
        with transaction(store):
            MIGRATIONS[version](store)
            version += 1
            store.execute(f"PRAGMA user_version = {version}")


@contextmanager
def transaction(store: sqlite3.Connection, *, to_write: bool = True) -> Iterator[None]:
    """What is done within is one change, or for a reader one state.

    Raises:
        StorageError: the change cannot be written; nothing of it is.
    """
    try:
        store.execute("BEGIN IMMEDIATE" if to_write else "BEGIN")
        yield
        store.execute("COMMIT")
    except sqlite3.OperationalError as error:
        what = "written" if to_write else "read"
        raise StorageError(f"the library cannot be {what} ({error}): mend that and give the same command") from error
    finally:
        if store.in_transaction:
            store.execute("ROLLBACK")


def read_about(store: sqlite3.Connection) -> About | None:
    """Return what the scores have in common; None where there are none yet."""
    found = store.execute("SELECT value FROM about WHERE key = 'about'").fetchone()
    return None if found is None else About.from_json(json.loads(found[0]))


def read_generation(store: sqlite3.Connection) -> int:
    """Return the number of the scores in force; 0 for none."""
    (value,) = store.execute("SELECT value FROM about WHERE key = 'generation'").fetchone()
    return int(value)


def write_about(store: sqlite3.Connection, key: str, value: str) -> None:
    """Set one entry of `about`, within a transaction."""
    store.execute("INSERT INTO about VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (key, value))


def path_of(stored: bytes) -> Path:
    """Return a path as it was before it was stored."""
    return Path(os.fsdecode(stored))
