"""Runs over a folder of drawn crops, whole and stopped."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from facelocus.errors import StoppedError
from facelocus.model import Model
from facelocus.photos import folder as folder_module
from facelocus.photos.analyze import analyze
from facelocus.photos.folder import analyze_folder
from facelocus.photos.listing import Arguments
from facelocus.photos.request import Options, Request, Summary

COUNT = 30


def crops(model: Model, **options: Any) -> Request:
    return Request.of(model, Options(aligned=True, **options))


def run(photos: Path, out: Path, request: Request, workers: int = 1) -> Summary:
    return analyze_folder(Arguments([str(photos)]), out, request, workers)


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Stopping:
    """analyze, but the call of this number raises; counts the calls."""

    def __init__(self, call: int | None, error: BaseException | None = None) -> None:
        self.call, self.error, self.calls = call, error, 0

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        if self.calls == self.call and self.error is not None:
            raise self.error
        return analyze(*arguments, **options)


def stop(photos: Path, out: Path, request: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(folder_module, "analyze", Stopping(15, KeyboardInterrupt()))
        with pytest.raises(StoppedError, match=r"stopped after 12 of 30 photographs: the same command goes on"):
            run(photos, out, request)
    assert not out.exists()


def first_in_workers(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes that are started from now on run this before anything else."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(program)
    source = Path(folder_module.__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(source)]))


def lines_of(photos: Path, out: Path, request: Request) -> list[dict[str, Any]]:
    run(photos, out, request)
    return lines(out)
