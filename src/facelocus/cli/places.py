"""Where a command may write, asked before its work is done."""

from __future__ import annotations

from pathlib import Path

from facelocus.errors import UsageError


def refuse_no_file(option: str, path: Path | None) -> None:
    """Refuse a path at which no file can be written; None, an option that was not given, is fine.

    Raises:
        UsageError: it is a folder, or lies in no folder.
    """
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise UsageError(f"{option} {path}: is a folder or lies in none: name a file in an existing folder")
