"""Bringing a library up to date with folders of photographs: only what is new or changed is analyzed.

Photographs go in by batches. A batch is listed (incoming.json), analyzed by photos/folder.py into a table
(incoming.jsonl), and published: one transaction puts it into the library and names the scores that have it. Killed at
any moment, the same command finishes the batch that is listed and goes on; to publish one twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from facelocus.errors import StorageError, UsageError
from facelocus.files import write_atomically
from facelocus.library.batch import Batch
from facelocus.library.changes import changed, gone, not_opened, refuse_folders, scan
from facelocus.library.publish import Outcome, error_of, publish
from facelocus.library.store import About, make_folder, open_store, read_about, readable, transaction, write_about
from facelocus.library.thumbnails import make_thumbnails
from facelocus.model import Model
from facelocus.photos.folder import analyze_folder
from facelocus.photos.journal import partial
from facelocus.photos.listing import Arguments
from facelocus.photos.request import Options, Request

# Photographs in a batch: at least so many, or this share of the library. Each writes all scores anew.
_BATCH = 4096
_SHARE = 0.25


@dataclass
class Indexed:
    """What a run changed, and what the library holds after it.

    Attributes:
        new: photographs that were analyzed, changed ones included.
        moved: recognised at another place by their content, or copies of what was known.
        removed: dropped out.
        photographs, faces, failed: of the whole library; failed cannot be read.
        reasons: what is wrong with the first few of those that failed now.
    """

    new: int
    moved: int
    removed: int
    photographs: int
    faces: int
    failed: int
    reasons: list[str]


@dataclass(frozen=True)
class _Named(Arguments):
    """Photographs named one by one: taken whatever is in their names, and whether they are there or not."""

    def photographs(self) -> Iterator[Path]:
        return map(Path, self.given)

    def to_json(self) -> list[list[str]]:
        names = hashlib.sha256(b"\0".join(map(os.fsencode, self.given))).hexdigest()
        return [[str(len(self.given)), names]]


def index_folders(folders: Sequence[Path], library: Path, model: Model, *, aligned: bool, workers: int) -> Indexed:
    """Bring a library up to date with the photographs below these folders; what it has of others stays.

    Args:
        folders: of photographs.
        library: its folder; made where there is none.
        model: scores the faces; always the same for one library.
        aligned: pictures are face crops.
        workers: processes at work.

    Raises:
        InputError: a folder cannot be read or holds no picture, or what lies at `library` is none or damaged.
        UsageError: it is of another model or a newer facelocus, or another process is writing it.
        StorageError: something cannot be written; the same call goes on.
        StoppedError: Ctrl-C; the same call goes on.
    """
    refuse_folders(folders)
    make_folder(library)
    with _held(library), closing(open_store(library, to_write=True)) as store, readable(library):
        _agree(store, library, model, aligned)
        request = Request.of(model, Options(aligned=aligned))
        total = Outcome()
        scan(store, folders)
        if again := not_opened(store):
            publish(store, library, Batch.removing(again), iter([]))
        if (library / "incoming.json").exists():
            total += _finish(store, library, request, workers)
        (library / "incoming.jsonl").unlink(missing_ok=True)  # of a batch that was published just before a kill
        while photos := changed(store, _batch_size(store)):
            write_atomically(library / "incoming.json", json.dumps(Batch.of(store, photos).to_json()), repeated=True)
            total += _finish(store, library, request, workers)
        removed = gone(store)
        total += publish(store, library, Batch.removing(removed), iter([]))
        with transaction(store):
            store.execute("DELETE FROM thumbnails WHERE digest NOT IN (SELECT digest FROM pictures)")
        photographs, faces, failed = store.execute(
            "SELECT count(*), (SELECT count(*) FROM faces), count(error) FROM pictures"
        ).fetchone()
    return Indexed(total.new, total.moved, len(removed), photographs, faces, failed, total.reasons)


@contextmanager
def _held(library: Path) -> Iterator[None]:
    lock = FileLock(library / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UsageError(f"{library}: another process is bringing it up to date: wait for it") from error
    except OSError as error:
        raise StorageError(f"{library}: cannot be written ({error.strerror}): change its permissions") from error
    try:
        yield
    finally:
        lock.release()


def _agree(store: sqlite3.Connection, library: Path, model: Model, aligned: bool) -> None:
    """Write what all scores have in common, or refuse what differs from it."""
    wanted = About(
        model.name, model.sha256, model.attributes, model.thresholds["accuracy"], aligned, model.metadata.get("rates")
    )
    before = read_about(store)
    if before is None:
        with transaction(store):
            write_about(store, "about", json.dumps(wanted.to_json()))
    elif before.sha256 != wanted.sha256:
        raise UsageError(
            f"{library}: its scores are of another model, {before.model!r} ({before.sha256[:12]}): name that one with "
            "--model, or make a new library"
        )
    elif before.aligned != aligned:
        raise UsageError(f"{library}: was made {'with' if before.aligned else 'without'} --aligned: do the same")


def _batch_size(store: sqlite3.Connection) -> int:
    (pictures,) = store.execute("SELECT count(*) FROM pictures").fetchone()
    return max(_BATCH, int(_SHARE * pictures))


def _finish(store: sqlite3.Connection, library: Path, request: Request, workers: int) -> Outcome:
    """Analyze, or go on analyzing, the batch that is listed, and publish it."""
    listed, table = library / "incoming.json", library / "incoming.jsonl"
    batch = Batch.from_json(json.loads(listed.read_text(encoding="utf-8")))
    photos = [photo.path for photo in batch.new]
    if photos and (not table.exists() or partial(table).exists()):
        arguments = _Named([str(photo) for photo in photos])
        try:
            analyze_folder(arguments, table, request, workers)
        except UsageError:  # it was begun with other versions of libraries
            shutil.rmtree(partial(table), ignore_errors=True)
            table.unlink(missing_ok=True)
            analyze_folder(arguments, table, request, workers)
    read = (photo for photo, rows in zip(batch.new, _records(table), strict=True) if error_of(photo, rows) is None)
    make_thumbnails(store, ((photo.path, photo.digest) for photo in read), workers)
    outcome = publish(store, library, batch, _records(table))
    listed.unlink()
    table.unlink(missing_ok=True)
    return outcome


def _records(table: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each photograph; none where there is no table, as nothing was to be analyzed."""
    if not table.exists():
        return
    with table.open("rb") as lines:
        for _, rows in groupby(map(json.loads, lines), key=lambda row: row["path"]):
            yield list(rows)
