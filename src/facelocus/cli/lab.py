"""The lines that commands give where an extra is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from facelocus.errors import MissingExtraError


def require_lab() -> None:
    """Refuse in one line where the extra `lab` is not installed.

    Raises:
        MissingExtraError: torch, timm, safetensors, onnx or msgspec is missing.
    """
    missing = [name for name in ("torch", "timm", "safetensors", "onnx", "msgspec") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"this command needs {missing[0]}: pip install 'facelocus[lab]'")


def require_drawing() -> None:
    """Refuse --draw in one line where matplotlib is not installed.

    Raises:
        MissingExtraError: it is missing.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError("--draw needs matplotlib: pip install 'facelocus[demo]'")
