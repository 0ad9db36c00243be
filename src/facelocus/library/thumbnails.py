"""A small picture of each photograph, kept by its content."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path

from PIL import Image

from facelocus.errors import FacelocusError
from facelocus.images.read import read_reduced
from facelocus.library.store import transaction
from facelocus.processes import in_processes

#: The longer side, in pixels.
LONGEST = 192

_QUALITY = 80

# Thumbnails in one transaction.
_TOGETHER = 256


def make_thumbnails(store: sqlite3.Connection, photos: Iterable[tuple[Path, bytes]], workers: int) -> None:
    """Store the thumbnail of each photograph, given with its digest, where there is none of that content.

    Raises:
        StorageError: they cannot be written; those that are, stay.
        WorkerError: a worker process was killed.
    """
    missing = [
        photo
        for photo in photos
        if store.execute("SELECT 1 FROM thumbnails WHERE digest = ?", (photo[1],)).fetchone() is None
    ]
    with closing(in_processes(_thumbnail, iter(missing), max(1, min(workers, len(missing) // 8)))) as made:
        while some := list(islice(made, _TOGETHER)):
            with transaction(store):
                store.executemany(
                    "INSERT OR IGNORE INTO thumbnails VALUES (?, ?)", [row for row in some if row[1] is not None]
                )


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
