"""A Pack of drawn faces, and a recipe that trains on it in a fraction of a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from facelocus.data import Pack, read_table
from facelocus.nn import NetworkSpec
from facelocus.nn.backbones import TRUNKS
from facelocus.training import log
from facelocus.training.recipe import Augment, Optimizer, Phase, Recipe, Schedule
from faces import write_celeba
from short_runs import results, train
from tiny_trunk import TinyTrunk


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """60 drawn faces: 36 train, 12 validation, 12 test."""
    folder = tmp_path_factory.mktemp("drawn")
    return Pack.build(read_table(write_celeba(folder / "celeba", 60)), folder / "pack")


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """5 steps at a small size, then an epoch of 6 at the full one; everything that draws numbers is on."""
    monkeypatch.setitem(TRUNKS, "tiny", TinyTrunk)
    return Recipe(
        network=NetworkSpec(trunk="tiny", stride=4, size=(32, 24), channels=8, reduction=4),
        phases=(Phase(iterations=5, size=(24, 20)), Phase(epochs=1)),
        batch_size=6,
        augment=Augment(scale=0.05, rotation=2.0, shift=2.0, brightness=0.2, contrast=0.2, saturation=0.2),
        optimizer=Optimizer(rate=1e-2, trunk_rate=0.5, first_layer_rate=0.2),
        schedule=Schedule(warmup=0.2),
        ema=0.9,
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture(autouse=True)
def frequent_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "LOG_EVERY", 3)


@pytest.fixture
def uninterrupted(recipe: Recipe, pack: Pack, tmp_path: Path) -> dict[str, Any]:
    train(recipe, pack, tmp_path / "uninterrupted")
    return results(tmp_path / "uninterrupted")
