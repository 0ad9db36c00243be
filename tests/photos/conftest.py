"""A small model, and a folder of drawn crops."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from facelocus.model import Model
from facelocus.photos import folder as folder_module
from faces import draw_face
from folder_runs import COUNT
from small_model import write_model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.load(write_model(tmp_path_factory.mktemp("model") / "small.onnx"), threads=1)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """30 crops of which two cannot be read, in tasks of four."""
    folder = tmp_path / "photos"
    for number in range(COUNT):
        place = folder / f"{number // 10}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_face(number)).save(place / f"{number:02}.png")
    (folder / "0" / "03.png").write_bytes(b"")
    (folder / "1" / "11.png").write_bytes(b"noise")
    monkeypatch.setattr(folder_module, "_CHUNK_OF_CROPS", 4)
    return folder
