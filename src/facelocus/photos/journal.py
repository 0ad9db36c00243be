"""What lies beside the table OUT while it is made: all of it, so that a run stopped at any moment goes on.

OUT.partial/lock           held by the process that works; free as soon as that process has ended
OUT.partial/listing.jsonl  what the run is of, then one photograph a line; written whole before the first is read
OUT.partial/rows.jsonl     one line a photograph, in that order, as far as the work is done
OUT.partial/table          the table while it is written; becomes OUT
OUT.partial/working        there while a process works; left behind by one that is killed
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from facelocus.errors import StorageError, UsageError
from facelocus.photos.tables import json_line


class Journal:
    """A run on its way, held by this process; made by `Journal.opened`.

    Attributes:
        out: the table.
        total: how many photographs are listed.
        done: of how many the rows are known.
        was_killed: the process that worked before was.
        is_published: the table is there; only what lies beside it is not removed yet.
    """

    def __init__(self, out: Path, total: int, done: int, was_killed: bool) -> None:
        self.out, self.total, self.done, self.was_killed = out, total, done, was_killed
        self.is_published = out.exists()
        self._folder = partial(out)

    @classmethod
    @contextmanager
    def opened(cls, out: Path, about: dict[str, Any], listing: Callable[[], Iterable[Path]]) -> Iterator[Journal]:
        """Begin a run, or take up the one that was stopped.

        Args:
            out: where the table goes.
            about: what the run is of, JSON-ready; name -> what a run that goes on has alike.
            listing: gives the photographs; not asked where a run is taken up.

        Raises:
            UsageError: the table is there, the journal is of another run, or another process works on it.
            StorageError: it cannot be written.
        """
        folder = partial(out)
        if out.exists() and not folder.exists():
            raise is_there(out)
        with _storing(out):
            folder.mkdir(exist_ok=True)
        lock, working = FileLock(folder / "lock"), folder / "working"
        with _storing(out):
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise UsageError(
                    f"{out}: another process is making it: wait for it, or choose another --out"
                ) from error
        try:
            if not _is_listed(folder):
                if out.exists():  # what a run left that was killed while it cleared up
                    _clear(folder)
                    raise is_there(out)
                _write_listing(out, about, listing)
            total, done, end = progress(out, about)
            with _storing(out), (folder / "rows.jsonl").open("ab") as rows:
                rows.truncate(end)
            (folder / "table").unlink(missing_ok=True)
            if out.exists() and done < total:
                raise is_there(out)
            was_killed = working.exists()
            with _storing(out):
                working.touch()
            yield cls(out, total, done, was_killed)
        finally:
            if lock.is_locked:
                working.unlink(missing_ok=True)
            lock.release()
            if not (folder / "listing.jsonl").exists():
                shutil.rmtree(folder, ignore_errors=True)

    def paths(self) -> Iterator[str]:
        """Yield all photographs, in order."""
        with (self._folder / "listing.jsonl").open("rb") as lines:
            yield from map(json.loads, islice(lines, 1, None))

    def append(self, lines: Iterable[bytes]) -> None:
        """Add the lines of the next photographs; one that is cut short by what stops the process does not count.

        Raises:
            StorageError: they cannot be written.
        """
        lines = list(lines)
        with _storing(self.out), (self._folder / "rows.jsonl").open("ab") as rows:
            rows.write(b"".join(lines))
        self.done += len(lines)

    def records(self) -> Iterator[tuple[str, Any]]:
        """Yield each photograph that is done with what its line holds."""
        with (self._folder / "rows.jsonl").open("rb") as lines:
            yield from zip(self.paths(), map(json.loads, lines), strict=False)

    def publish(self, write: Callable[[BinaryIO], None]) -> None:
        """Write the table whole and give it its name; `write` fills the file.

        Raises:
            UsageError: something else has got its name meanwhile.
            StorageError: it cannot be written; the same run goes on from here.
        """
        table = self._folder / "table"
        try:
            with _storing(self.out):
                with (self._folder / "rows.jsonl").open("r+b") as rows:
                    os.fsync(rows.fileno())  # once the table is there, complete rows say that it is this run's
                with table.open("wb") as file:
                    write(file)
                    file.flush()
                    os.fsync(file.fileno())
                if self.out.exists():
                    raise is_there(self.out)
                table.replace(self.out)
        finally:
            table.unlink(missing_ok=True)
        self.is_published = True

    def clear(self) -> None:
        """Remove what lies beside the published table."""
        _clear(self._folder)


def partial(out: Path) -> Path:
    """Return the folder that lies beside a table while it is made."""
    return out.with_name(f"{out.name}.partial")


def progress(out: Path, about: dict[str, Any]) -> tuple[int, int, int]:
    """Return how many photographs are listed beside `out`, how many are done, and where the lines of these end.

    Raises:
        UsageError: what lies there is of another run.
        FileNotFoundError: nothing lies there.
    """
    folder = partial(out)
    if not _is_listed(folder):
        raise FileNotFoundError(folder / "listing.jsonl")
    with (folder / "listing.jsonl").open("rb") as listing:
        before = json.loads(next(listing))
        total = sum(1 for _ in listing)
    other = next((name for name in about if before.get(name) != about[name]), None)
    if other is not None:
        raise UsageError(
            f"{folder}: was begun with other {other}: repeat that command to go on, or delete this folder to begin anew"
        )
    done = end = 0
    if (folder / "rows.jsonl").exists():
        with (folder / "rows.jsonl").open("rb") as lines:
            for line in islice(lines, total):
                if not _is_whole(line):
                    break
                done, end = done + 1, end + len(line)
    return total, done, end


def _is_listed(folder: Path) -> bool:
    # After a power cut some file systems keep a file's name and none of its bytes.
    listing = folder / "listing.jsonl"
    return listing.exists() and listing.stat().st_size > 0


def _is_whole(line: bytes) -> bool:
    if not line.endswith(b"\n"):
        return False
    try:  # after a power cut a line may hold anything
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _write_listing(out: Path, about: dict[str, Any], listing: Callable[[], Iterable[Path]]) -> None:
    folder = partial(out)
    (folder / "rows.jsonl").unlink(missing_ok=True)
    with _storing(out):
        with (folder / "listing.new").open("wb") as file:
            file.write(json_line(about))
            file.writelines(json_line(str(path)) for path in listing())
            file.flush()
            os.fsync(file.fileno())
        (folder / "listing.new").replace(folder / "listing.jsonl")


def _clear(folder: Path) -> None:
    # Stopped within, it leaves nothing that is gone on with. The lock goes last, when it is released.
    for name in ("listing.jsonl", "listing.new", "rows.jsonl"):
        (folder / name).unlink(missing_ok=True)


def is_there(out: Path) -> UsageError:
    return UsageError(f"--out {out}: is there already: choose another name, or delete it first")


@contextmanager
def _storing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"{out}: cannot be written ({reason}): mend that and give the same command; it goes on"
        ) from error
