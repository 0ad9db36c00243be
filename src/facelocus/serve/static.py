"""The page and what it reads, by address: what the server shows, and what can be put on any host as files."""

from __future__ import annotations

import mimetypes
from importlib.resources import files
from pathlib import Path

PAGE = Path(str(files("facelocus.serve") / "page"))

#: Types that not every system knows.
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".md": "text/plain"}


def page_files() -> dict[str, Path]:
    """Return address below the page's own -> file; the page itself is at ""."""
    found = {f"page/{file.relative_to(PAGE).as_posix()}": file for file in sorted(PAGE.rglob("*")) if file.is_file()}
    return {"": found.pop("page/index.html"), **found}


def type_of(file: Path) -> str:
    """Return the media type of a file."""
    return _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
