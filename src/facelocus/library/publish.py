"""A batch of photographs goes into the library: all of it in one transaction, with the scores that have it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from facelocus.library.batch import Batch
from facelocus.library.changes import Stamped
from facelocus.library.scores import Codes, Scores, clear_scores, encode, write_scores
from facelocus.library.store import read_about, read_generation, transaction, write_about

# How many errors an outcome names.
_NAMED = 5

Rows = Sequence[dict[str, Any]]


@dataclass
class Outcome:
    """What became of batches: how many photographs were new, moved or copies, and what is wrong with the first few."""

    new: int = 0
    moved: int = 0
    reasons: list[str] = field(default_factory=list)

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.new + other.new, self.moved + other.moved, (self.reasons + other.reasons)[:_NAMED])


def publish(store: sqlite3.Connection, library: Path, batch: Batch, records: Iterator[Rows]) -> Outcome:
    """Put a batch into the library; one that is there already changes nothing.

    Args:
        store: of the library, under its lock.
        library: its folder.
        batch: what is to be done.
        records: of each photograph in batch.new, the rows of photos/rows.py.

    Raises:
        StorageError: it cannot be written; the library is as before.
    """
    about = read_about(store)
    assert about is not None
    outcome = Outcome(len(batch.new), len(batch.moved) + len(batch.copies))
    generation = read_generation(store)
    names = about.attributes.names
    before = Scores.open(library, generation) if generation else Scores.empty(len(names))
    with transaction(store):
        change = _Change(store, before, np.intersect1d(batch.removed, before.pictures).tolist())
        known = [(photo, *change.read(picture)) for photo, picture in batch.copies]  # before any of them goes
        for photo, picture in batch.moved:
            change.move(photo, picture)
        for photo, faces, codes in known:
            change.copy(photo, faces, codes)
        for photo, rows in zip(batch.new, records, strict=True):
            error = error_of(photo, rows)
            change.add(photo, rows, error, names)
            if error is not None and len(outcome.reasons) < _NAMED:
                outcome.reasons.append(error)
        store.executemany("DELETE FROM pictures WHERE id = ?", [(picture,) for picture in batch.removed])
        if change.is_of_scores or not generation:
            generation += 1
            write_scores(library, generation, before, np.array(change.gone, np.int64), change.scores(len(names)))
            write_about(store, "generation", str(generation))
    clear_scores(library, generation)
    return outcome


def error_of(photo: Stamped, rows: Rows) -> str | None:
    """Return why nothing is known of a photograph that was analyzed, or None."""
    if rows[0]["error"] is None and not photo.digest:
        return f"{photo.path} could not be opened at first: give the same command again"
    reason: str | None = rows[0]["error"]
    return reason


class _Change:
    """One change of the library on its way: the database's part is done at once, that of the scores is collected."""

    def __init__(self, store: sqlite3.Connection, before: Scores, gone: list[int]) -> None:
        self._store, self._before = store, before
        self.gone = gone
        self._pictures: list[int] = []
        self._counts: list[int] = []
        self._faces: list[int] = []
        self._codes: list[Codes] = []  # of each picture, A x its faces

    @property
    def is_of_scores(self) -> bool:
        return bool(self.gone or self._pictures)

    def scores(self, attributes: int) -> Scores:
        """Return the new pictures' scores."""
        codes = np.concatenate([np.zeros((attributes, 0), np.uint16), *self._codes], axis=1)
        starts = np.concatenate([[0], np.cumsum(self._counts)]).astype(np.int64)
        return Scores(codes, np.array(self._faces, np.int64), np.array(self._pictures, np.int64), starts)

    def move(self, photo: Stamped, picture: int) -> None:
        """The picture of this id lies here now; what lay here before is gone."""
        self._make_room(photo, picture)
        self._store.execute(
            "UPDATE pictures SET path = ?, size = ?, modified = ? WHERE id = ?",
            (os.fsencode(photo.path), photo.size, photo.modified, picture),
        )

    def read(self, picture: int) -> tuple[list[tuple[Any, ...]], Codes]:
        """Return the faces of a picture and their codes, A x faces; none where it is not there any more."""
        faces = self._store.execute(
            "SELECT number, x0, y0, x1, y1, score, trust FROM faces WHERE picture = ? ORDER BY number", (picture,)
        ).fetchall()
        start = int(self._before.starts[np.searchsorted(self._before.pictures, picture)])
        return faces, self._before.logits[:, start : start + len(faces)]

    def copy(self, photo: Stamped, faces: Sequence[tuple[Any, ...]], codes: Codes) -> None:
        """Here lies another picture of known content."""
        if self._make_room(photo):
            self._insert(photo, faces, codes)

    def add(self, photo: Stamped, rows: Rows, error: str | None, names: Sequence[str]) -> None:
        """Here lies a picture that has been analyzed, or one of which nothing is known for this reason."""
        if not self._make_room(photo):
            return
        if error is not None:
            self._insert_picture(photo, error)
            return
        found = [row for row in rows if row["face"]]
        faces = [tuple(row[key] for key in ("face", "x0", "y0", "x1", "y1", "score", "quality_trust")) for row in found]
        probabilities = np.array([[row[name] for name in names] for row in found], np.float64)
        self._insert(photo, faces, encode(probabilities.reshape(-1, len(names)).T))

    def _make_room(self, photo: Stamped, picture: int | None = None) -> bool:
        """Remove what lay here before; return False where it is this very photograph."""
        before = self._store.execute(
            "SELECT id, size, modified, digest, error IS NULL FROM pictures WHERE path = ?", (os.fsencode(photo.path),)
        ).fetchone()
        if before is None or before[0] == picture:
            return True
        if before[1:4] == photo[1:]:
            return False
        self._store.execute("DELETE FROM pictures WHERE id = ?", before[:1])
        if before[4]:
            self.gone.append(before[0])
        return True

    def _insert_picture(self, photo: Stamped, error: str | None) -> int:
        path, *stamp = photo
        done = self._store.execute(
            "INSERT INTO pictures (path, size, modified, digest, error) VALUES (?, ?, ?, ?, ?)",
            (os.fsencode(path), *stamp, error),
        )
        assert done.lastrowid is not None
        return done.lastrowid

    def _insert(self, photo: Stamped, faces: Sequence[tuple[Any, ...]], codes: Codes) -> None:
        picture = self._insert_picture(photo, None)
        for face in faces:
            done = self._store.execute(
                "INSERT INTO faces (picture, number, x0, y0, x1, y1, score, trust) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (picture, *face),
            )
            assert done.lastrowid is not None
            self._faces.append(done.lastrowid)
        self._pictures.append(picture)
        self._counts.append(len(faces))
        self._codes.append(np.asarray(codes))
