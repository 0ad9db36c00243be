from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi_offline", reason="needs the extra serve")

from facelocus.model import Model
from libraries import draw, index
from servers import Server, serving


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of twelve drawn crops, in pictures/, beside it."""
    folder = tmp_path_factory.mktemp("served")
    for seed in range(12):
        draw(folder / "pictures" / f"face {seed}.png", seed)
    index(folder / "pictures", folder / "library", Model.load())
    return folder / "library"


@pytest.fixture(scope="session")
def server(library: Path) -> Iterator[Server]:
    """A server of that library; tests leave it as it was."""
    with serving(library.parent / "log", library, "--workers", 2, "--max-mb", 1, "--max-pixels", 2_000_000) as running:
        yield running
