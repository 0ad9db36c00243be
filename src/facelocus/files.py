"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from facelocus.errors import StorageError


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write to a temporary name beside `path`, then rename; a failure leaves the old file, or none.

    Raises:
        StorageError: the disk is full, the folder is missing or may not be written to.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise StorageError(
            f"{path}: cannot be written ({error.strerror}): free space or choose another place"
        ) from error
