"""facelocus: forty facial attributes from a photograph, and where on the face each was seen.

    >>> import facelocus
    >>> faces = facelocus.analyze("portrait.jpg")
    >>> faces[0].attributes["Smiling"]

Names are loaded when first used, so that importing the package costs nothing. The lab's are in facelocus.nn.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os

    from facelocus.attributes import ATTRIBUTES as ATTRIBUTES
    from facelocus.attributes import REGIONS as REGIONS
    from facelocus.model import Model as Model
    from facelocus.photos.analyze import Face as Face
    from facelocus.photos.analyze import analyze as analyze
    from facelocus.photos.analyze import analyze_many as analyze_many

__version__ = "0.1.0"

_HOMES = {
    "ATTRIBUTES": "facelocus.attributes",
    "REGIONS": "facelocus.attributes",
    "Face": "facelocus.photos.analyze",
    "Model": "facelocus.model",
    "analyze": "facelocus.photos.analyze",
    "analyze_many": "facelocus.photos.analyze",
}

__all__ = ["ATTRIBUTES", "REGIONS", "Face", "Model", "analyze", "analyze_many", "load"]


def load(
    name_or_path: str | os.PathLike[str] = "default", threads: int | None = None, provider: str = "CPUExecutionProvider"
) -> Model:
    """Open a model file by the name of a shipped one or by path; see Model.load."""
    from facelocus.model import Model

    return Model.load(name_or_path, threads, provider)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'facelocus' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
