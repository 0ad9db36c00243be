"""What has become of the photographs below some folders since a library was last brought up to date."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from facelocus.errors import InputError, StorageError, UsageError
from facelocus.photos.listing import Arguments

# Whether a picture p lies below one of the folders of this run.
_BELOW = "EXISTS (SELECT 1 FROM named n WHERE substr(p.path, 1, length(n.folder)) = n.folder)"


class Stamped(NamedTuple):
    """A photograph as it was when it was looked at: a later change shows in size or time.

    Attributes:
        path: absolute.
        size: bytes.
        modified: when it was last written, nanoseconds.
        digest: of its content; empty where it could not be read.
    """

    path: Path
    size: int
    modified: int
    digest: bytes = b""


def refuse_folders(folders: Sequence[Path]) -> None:
    """Refuse what is no folder of photographs: a disk that is not there takes nothing out of a library.

    Raises:
        UsageError: one of them is not a folder.
        InputError: one does not exist or cannot be read, or there is no picture in it.
    """
    for folder in folders:
        if not folder.is_dir():
            if folder.exists():
                raise UsageError(f"{folder} is a file: name folders of photographs")
            # Patterns are among these: of one a library could not tell what is gone.
            raise InputError(f"{folder} does not exist: check the path")
        Arguments([os.path.abspath(folder)]).photographs()  # noqa: PTH100, looks for one


def scan(store: sqlite3.Connection, folders: Sequence[Path]) -> None:
    """Note, for this connection alone, every photograph below these folders with its size and time.

    Raises:
        InputError: a folder below them cannot be read.
        StorageError: what is found cannot be noted.
    """
    named = Arguments([os.path.abspath(folder) for folder in folders])  # noqa: PTH100, links stay as they are named
    below = ((os.fsencode(os.path.join(name, "")),) for name in named.given)  # noqa: PTH118
    try:
        store.executescript(
            "DROP TABLE IF EXISTS temp.found;"
            "CREATE TEMP TABLE found (path BLOB PRIMARY KEY, size INTEGER, modified INTEGER) WITHOUT ROWID;"
            "DROP TABLE IF EXISTS temp.named;"
            "CREATE TEMP TABLE named (folder BLOB);"
        )
        store.execute("BEGIN")
        store.executemany("INSERT INTO named VALUES (?)", below)
        store.executemany("INSERT OR REPLACE INTO found VALUES (?, ?, ?)", map(_stamp, named.photographs()))
        store.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise StorageError(
            f"the list of photographs cannot be kept ({error}): free space where temporary files go, TMPDIR, and give "
            "the same command"
        ) from error


def changed(store: sqlite3.Connection, count: int) -> list[Stamped]:
    """Return the next photographs that are new or have another stamp, at most so many, with their digests."""
    rows = store.execute(
        "SELECT f.path, f.size, f.modified FROM found f LEFT JOIN pictures p ON p.path = f.path "
        "WHERE p.id IS NULL OR p.size != f.size OR p.modified != f.modified LIMIT ?",
        (count,),
    ).fetchall()
    return [Stamped(Path(os.fsdecode(path)), size, modified, digest_of(path)) for path, size, modified in rows]


def gone(store: sqlite3.Connection) -> list[int]:
    """Return the ids of the pictures that were below the folders of `scan` and are not any more."""
    rows = store.execute(f"SELECT p.id FROM pictures p WHERE {_BELOW} AND p.path NOT IN (SELECT path FROM found)")
    return [picture for (picture,) in rows]


def not_opened(store: sqlite3.Connection) -> list[int]:
    """Return the ids of the pictures below the folders of `scan` that could not be opened when they went in."""
    return [
        picture for (picture,) in store.execute(f"SELECT p.id FROM pictures p WHERE length(digest) = 0 AND {_BELOW}")
    ]


def known(store: sqlite3.Connection, photo: Stamped) -> tuple[int, bool] | None:
    """Return the id of a picture of the same content, and whether it can be taken for this one, moved or touched.

    It cannot where it is still at its place, be that below another folder than those of `scan`: then this one is a
    copy. None where there is no such content.
    """
    rows = store.execute(
        f"SELECT p.id, p.path, p.path = ?1 OR (f.path IS NULL AND {_BELOW}) AS is_free, f.path IS NOT NULL "
        "FROM pictures p LEFT JOIN found f ON f.path = p.path "
        "WHERE p.digest = ?2 AND p.error IS NULL ORDER BY p.path = ?1 DESC, is_free DESC, f.path IS NULL DESC",
        (os.fsencode(photo.path), photo.digest),
    )
    still: int | None = None
    for picture, path, is_free, is_found in rows:
        if is_free or not (is_found or os.path.lexists(path)):
            return picture, True
        still = picture if still is None else still
    return None if still is None else (still, False)


def digest_of(path: bytes | Path) -> bytes:
    """Return 16 bytes that tell a file's content from any other; none where it cannot be read."""
    content = hashlib.blake2b(digest_size=16)
    try:
        with open(path, "rb") as file:  # noqa: PTH123, bytes are no Path
            while block := file.read(1 << 20):
                content.update(block)
    except OSError:
        return b""
    return content.digest()


def _stamp(photo: Path) -> tuple[bytes, int, int]:
    try:
        stat = photo.stat()
    except OSError:  # a link that leads nowhere: analysed, and told of
        return os.fsencode(photo), 0, 0
    return os.fsencode(photo), stat.st_size, stat.st_mtime_ns
