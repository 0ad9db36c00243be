"""A small picture of each photograph, kept by its content."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from PIL import Image

from facelocus.errors import FacelocusError, WorkerError
from facelocus.images.read import read_reduced
from facelocus.library.store import transaction
from facelocus.processes import in_processes, one_at_a_time

#: The longer side, in pixels.
LONGEST = 192

_QUALITY = 80

# Thumbnails in one transaction.
_TOGETHER = 256


def make_thumbnails(store: sqlite3.Connection, photos: Iterable[tuple[Path, bytes]], workers: int) -> None:
    """Store the thumbnail of each photograph, given with its digest, where there is none of that content.

    One that kills the process that reads it has none.

    Raises:
        StorageError: they cannot be written; those that are, stay.
    """
    missing = _missing(store, photos)
    try:
        with closing(in_processes(_thumbnail, iter(missing), max(1, min(workers, len(missing) // 8)))) as made:
            _keep(store, made)
    except WorkerError:
        with closing(one_at_a_time(_thumbnail, _missing(store, missing), Image.init)) as alone:
            _keep(store, (made for _, made in alone if made is not None))


def _missing(store: sqlite3.Connection, photos: Iterable[tuple[Path, bytes]]) -> list[tuple[Path, bytes]]:
    there = "SELECT 1 FROM thumbnails WHERE digest = ?"
    return [photo for photo in photos if store.execute(there, (photo[1],)).fetchone() is None]


def _keep(store: sqlite3.Connection, thumbnails: Iterator[tuple[bytes, bytes | None]]) -> None:
    while some := list(islice(thumbnails, _TOGETHER)):
        with transaction(store):
            rows = [row for row in some if row[1] is not None]
            store.executemany("INSERT OR IGNORE INTO thumbnails VALUES (?, ?)", rows)


def _thumbnail(photo: tuple[Path, bytes]) -> tuple[bytes, bytes | None]:
    """In a worker: the digest and a JPEG file; None where the photograph cannot be read any more."""
    path, digest = photo
    try:
        image = Image.fromarray(read_reduced(path, LONGEST)[0])
    except FacelocusError:
        return digest, None
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS, reducing_gap=2.0)
    with io.BytesIO() as stream:
        image.save(stream, "JPEG", quality=_QUALITY)
        return digest, stream.getvalue()
