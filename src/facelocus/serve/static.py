"""The page and what it reads, by address: what the server shows, and what any host can show as files."""

from __future__ import annotations

import json
import mimetypes
import shutil
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

from facelocus.detection import detect, photograph
from facelocus.errors import StorageError
from facelocus.images import align
from facelocus.model import Model
from facelocus.photos import quality
from facelocus.serve.card import card_of

_PAGE = Path(str(files("facelocus.serve") / "page"))
_NETWORKS = Path(str(files("facelocus.detection") / "mtcnn"))

#: Types that not every system knows. What is packed the page unpacks itself.
_TYPES = {
    ".js": "text/javascript",
    ".md": "text/plain",
    ".onnx": "application/octet-stream",
    ".gz": "application/octet-stream",
}


def page_files(model: Model) -> dict[str, Path | bytes]:
    """Return address -> file, or content; the page itself is at ""."""
    shown = [file for file in sorted(_PAGE.rglob("*")) if file.is_file()]
    found: dict[str, Path | bytes] = {f"page/{file.relative_to(_PAGE).as_posix()}": file for file in shown}
    found |= {f"page/models/{name}.onnx": _NETWORKS / f"{name}.onnx" for name in ("pnet", "rnet", "onet")}
    found["page/models/NOTICE"] = _NETWORKS / "NOTICE"
    found["page/models/model.onnx"] = model.path
    found["page/models/model.json"] = _json(card_of(model, library=False))
    found["page/models/constants.json"] = _json(_constants())
    return {"": found.pop("page/index.html"), **found}


def write_page(shown: dict[str, Path | bytes], to: Path) -> int:
    """Write the files into a new folder, whole or not at all; return their bytes.

    Raises:
        StorageError: it cannot be written.
    """
    partial = to.with_name(f".{to.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        for address, found in shown.items():
            file = partial / (address or "index.html")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(found if isinstance(found, bytes) else found.read_bytes())
        size = sum(file.stat().st_size for file in partial.rglob("*") if file.is_file())
        partial.rename(to)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StorageError(f"{to}: cannot be written ({error.strerror}): choose another --to") from error
    return size


def type_of(name: str) -> str:
    """Return the media type of a file by its name."""
    return _TYPES.get(PurePosixPath(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _constants() -> dict[str, Any]:
    """Return what was measured for finding, aligning and judging faces, so that the page has the same numbers."""
    return {
        "min_face": detect.MIN_FACE,
        "longest": detect.LONGEST,
        "thresholds": detect.THRESHOLDS,
        "turned": detect.TURNED,
        "turned_least": detect.TURNED_LEAST,
        "first": photograph.FIRST,
        "read": photograph.READ,
        "few": photograph.FEW,
        "large": photograph.LARGE,
        "template": align.LANDMARKS.tolist(),
        "fitted": align.FITTED,
        "correction": align.CORRECTION.tolist(),
        "furthest": align.FURTHEST,
        "sharpness": quality.SHARPNESS,
        "least_sharp": quality.LEAST_SHARP,
        "trust": quality.TRUST,
    }
