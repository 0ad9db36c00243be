"""A small model, and a folder of ten drawn crops."""

from __future__ import annotations

from pathlib import Path

import pytest

from facelocus.model import Model
from libraries import draw
from small_model import write_model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.load(write_model(tmp_path_factory.mktemp("model") / "small.onnx"), threads=1)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(10):
        draw(tmp_path / "photos" / f"{number // 5}" / f"{number}.png", number)
    return tmp_path / "photos"
