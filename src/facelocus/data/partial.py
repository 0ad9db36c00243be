"""What lies beside the Pack NAME while it is made, and the lock that lets one process make it.

.NAME.lock              held by the process that makes it; free as soon as that process has ended
.NAME.partial/source    what is being packed, and with which libraries
.NAME.partial/progress  a byte for each picture: what is known to be on the disk
.NAME.partial/pack      the files of the Pack; becomes NAME when they are complete
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout


def partial(folder: Path) -> Path:
    """Return the partial folder of a Pack."""
    return folder.with_name(f".{folder.name}.partial")


def is_begun(folder: Path) -> bool:
    """Whether something lies beside the Pack `folder` from its making, finished or not."""
    return partial(folder).exists() or _lock(folder).exists()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a Pack; the system frees it when the process ends, however that is."""
    lock = FileLock(_lock(folder))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"another process is making {folder}: waiting for it", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        if not partial(folder).exists():
            _unlink(_lock(folder))
        lock.release()


def clear(folder: Path) -> None:
    """Remove a Pack's partial folder; stopped within, it leaves nothing that is gone on with."""
    (partial(folder) / "source").unlink(missing_ok=True)
    shutil.rmtree(partial(folder), ignore_errors=True)


def clear_abandoned(folder: Path) -> None:
    """Remove what packings that were stopped left beside the Pack `folder`, except its own."""
    for part in folder.parent.glob(".*.partial"):
        other = folder.parent / part.name[1 : -len(".partial")]
        if other != folder:
            with suppress(Timeout), FileLock(_lock(other), timeout=0):
                clear(other)
                _unlink(_lock(other))


def _lock(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def _unlink(lock: Path) -> None:
    with suppress(OSError):  # Windows removes it on release, and not before
        lock.unlink()
