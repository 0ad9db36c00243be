"""Where a command may write, asked before its work is done."""

from __future__ import annotations

from pathlib import Path

from facelocus.errors import UsageError


def refuse_no_file(option: str, path: Path | None) -> None:
    """Refuse a path at which no file can be written; None, an option that was not given, is fine.

    Raises:
        UsageError: it is a folder, a device or a pipe, lies in no folder or in one that may not be looked into, or has
            no possible name.
    """
    if path is None:
        return
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be written ({error.strerror}): choose another place") from error
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"{option} {path}: is a folder or lies in none: name a file in an existing folder")
    if path.exists() and not path.is_file():
        raise UsageError(f"{option} {path}: is a device or a pipe: name a file")
