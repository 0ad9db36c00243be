"""A small model; a folder of drawn crops; and one Ray of two cores that all tests share, as it starts slowly."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

if not all(map(importlib.util.find_spec, ("ray", "pyarrow", "fsspec"))):
    pytest.skip("needs the extra ray", allow_module_level=True)

import pyarrow.parquet
from PIL import Image

from facelocus.model import Model
from facelocus.photos.folder import analyze_folder
from facelocus.photos.listing import Arguments
from facelocus.photos.request import Options, Request
from faces import draw_face
from small_model import write_model

# Crops, and how many of them are different pictures.
_COUNT, _DRAWN = 300, 12


@pytest.fixture(scope="session")
def request_of_crops(tmp_path_factory: pytest.TempPathFactory) -> Request:
    file = write_model(tmp_path_factory.mktemp("model") / "small.onnx")
    return Request.of(Model.load(file, threads=1), Options(aligned=True))


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 crops in three folders, of which one is empty and one is noise."""
    folder = tmp_path_factory.mktemp("cluster") / "photos"
    for number in range(_COUNT):
        place = folder / f"{number % 3}"
        place.mkdir(parents=True, exist_ok=True)
        if number < _DRAWN:
            Image.fromarray(draw_face(number)).save(place / f"{number:03}.png")
        else:
            os.link(folder / f"{number % 3}" / f"{number % _DRAWN:03}.png", place / f"{number:03}.png")
    for name, content in (("0/033.png", b""), ("1/100.png", b"noise")):
        (folder / name).unlink()
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def local_rows(photos: Path, request_of_crops: Request, tmp_path_factory: pytest.TempPathFactory) -> pyarrow.Table:
    """What the local form makes of them."""
    out = tmp_path_factory.mktemp("local") / "faces.parquet"
    analyze_folder(Arguments([str(photos)]), out, request_of_crops, 1)
    return pyarrow.parquet.read_table(out)


@pytest.fixture(scope="session")
def two_cores() -> Iterator[None]:
    import ray
    import ray.data

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("RAY_BACKEND_LOG_LEVEL", "fatal")
        # Ray lets its workers wait for everything else on the machine, which on a busy one takes for ever.
        environment.setenv("RAY_worker_niceness", "0")
        # Both actors are there before the first partition is made: a test kills one while partitions are left.
        environment.setattr(ray.data.DataContext.get_current(), "wait_for_min_actors_s", 300)
        ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=80_000_000, log_to_driver=False)
        yield
        ray.shutdown()
