"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from facelocus.errors import StorageError


def write_atomically(path: Path, content: bytes | str, *, repeated: bool = False) -> None:
    """Write to a temporary name beside `path`, then rename; a failure, or Ctrl-C, leaves the old file, or none.

    The mode is that of the old file, or what open() would give a new one. A link is followed.

    Args:
        path: the file.
        content: of it; text is written as UTF-8.
        repeated: a process that is killed here is started again and writes the same file. The temporary name is
            then always the same, so that nothing is left behind; one process at a time may write.

    Raises:
        StorageError: the disk is full, the folder is missing or may not be written to.
    """
    data = content.encode() if isinstance(content, str) else content
    place = Path(os.path.realpath(path))
    if repeated:
        # As long as any other name is, `place` may have the longest that the file system takes.
        name = f".{sha256(os.fsencode(place.name)).hexdigest()[:16]}.partial"
    else:
        name = f".{place.name}.{secrets.token_hex(4)}"
    temporary = place.parent / name
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        if repeated:
            temporary.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(temporary, flags, 0o666), "wb") as stream:
                with suppress(FileNotFoundError):
                    shutil.copymode(place, temporary)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(place)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written ({error.strerror}): free space or choose another place"
        ) from error


def is_too_long(path: Path) -> bool:
    """Whether no file can be there, as the file system takes no name of such length."""
    try:
        path.lstat()
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False


def write_record(path: Path, record: Any) -> None:
    """Write what was measured as JSON, into a folder that is made where missing: long work is not lost for want of one.

    Raises:
        StorageError: the disk is full, or the folder may not be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path.parent}: cannot be made ({error.strerror}): choose another place") from error
    write_atomically(path, json.dumps(record, indent=1) + "\n")
