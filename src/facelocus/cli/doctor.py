"""`facelocus doctor`: does this installation compute what it should; made to be pasted into a bug report."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from facelocus.errors import FacelocusError, ModelFileError, first_line
from facelocus.provenance import cpu_name, versions

#: Largest difference, in pixels, from where the face of the golden picture was found.
PIXELS = 0.5

_BASE = ("facelocus", "onnxruntime", "numpy", "pillow")
_OPTIONAL = ("pyarrow", "pillow-heif", "torch", "timm", "onnx")


def doctor(
    model: Annotated[str, typer.Option(help="A shipped name or an .onnx file.")] = "default",
) -> None:
    """Check this installation: versions, the model file and what it computes, the face detector."""
    from facelocus.processes import cores

    print(f"{'ok':8}python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print(f"{'ok':8}{cpu_name()}, {cores()} cores")
    installed = versions(*_BASE, *_OPTIONAL)
    for package in (*_BASE, *_OPTIONAL):
        if package in installed:
            print(f"{'ok':8}{package} {installed[package]}")
        elif package in _BASE:
            print(f"{'failed':8}{package} is not installed: pip install {package}")
    passed = [set(_BASE) <= set(installed)]
    passed.append(_check("model", partial(_model, model)))
    passed.append(_check("golden outputs", partial(_golden, model)))
    passed.append(_check("detector", _detector))
    if not all(passed):
        raise typer.Exit(1)


def _check(what: str, find: Callable[[], str]) -> bool:
    """Print one line and return whether it says ok."""
    try:
        print(f"{'ok':8}{what} {find()}")
    except Exception as error:  # whatever a broken installation raises is what doctor is asked for
        print(f"{'failed':8}{what}: {first_line(error)}")
    else:
        return True
    return False


def _model(name: str) -> str:
    from facelocus.model import Model

    model = Model.load(name)
    return f"{model.name}, {model.path.stat().st_size / 1e6:.1f} MB, sha256 {model.sha256}"


def _golden(name: str) -> str:
    from facelocus.model import Model, check_golden, golden_tolerance

    model = Model.load(name)
    difference, tolerance = check_golden(model), golden_tolerance(model)
    if not difference <= tolerance:
        raise ModelFileError(f"differ by {difference:.2g}, more than {tolerance:g}: reinstall onnxruntime or the model")
    return f"agree within {difference:.1g}"


def _detector() -> str:
    from facelocus.detection.golden import check_golden_picture

    difference = check_golden_picture()
    if not difference <= PIXELS:
        raise FacelocusError(f"finds a face {difference:.2g} pixels off, more than {PIXELS:g}: reinstall onnxruntime")
    return f"finds the drawn face within {difference:.1g} pixels"
