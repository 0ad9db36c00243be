"""A run may start from the weights of another, and its record says so."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from facelocus.data import Pack
from facelocus.errors import ModelFileError, UsageError
from facelocus.export import export
from facelocus.nn.weights import round_to_half
from facelocus.training import loop
from facelocus.training.recipe import Optimizer, Phase, Recipe
from facelocus.training.run import load_run, load_weights
from facelocus.training.start import Start
from short_runs import CPU, train


@pytest.fixture
def first(recipe: Recipe, pack: Pack, tmp_path: Path) -> Path:
    train(recipe, pack, tmp_path / "first")
    return tmp_path / "first"


@pytest.fixture
def still(recipe: Recipe) -> Recipe:
    """A recipe that moves nothing."""
    return dataclasses.replace(
        recipe, phases=(Phase(iterations=1),), optimizer=Optimizer(kind="sgd", rate=0.0), ema=1.0
    )


@pytest.mark.parametrize("kind", ["run", "model file"])
def test_weights_are_those_of_the_other_run(kind: str, first: Path, still: Recipe, pack: Pack, run: Path) -> None:
    source = first
    if kind == "model file":
        source = first.parent / "first.onnx"
        export(first, source)
    loop.train(still, pack, run, name="second", device=CPU, start=Start.read(source), progress=False)
    (before, described), after = load_weights(source), load_run(run)
    weights = round_to_half(dict(before.named_parameters()))  # the new run rounds; calibrated logits were not
    assert [n for n, value in after.network.named_parameters() if not torch.equal(value, weights[n])] == []
    assert after.metadata["training"]["from"] == described["training"] == load_run(first).metadata["training"]


def test_other_weights_in_the_same_folder_are_refused(first: Path, still: Recipe, pack: Pack, run: Path) -> None:
    loop.train(still, pack, run, name="second", device=CPU, start=Start.read(first), progress=False)
    with pytest.raises(UsageError, match="from other weights"):
        loop.train(still, pack, run, name="second", device=CPU, progress=False)


def test_another_network_is_refused(first: Path, still: Recipe, pack: Pack, run: Path) -> None:
    wider = dataclasses.replace(still, network=dataclasses.replace(still.network, channels=16))
    with pytest.raises(UsageError, match=r"first: is another network than the recipe's"):
        loop.train(wider, pack, run, name="second", device=CPU, start=Start.read(first), progress=False)
    assert not run.exists()


def test_what_is_no_trained_network_is_refused(still: Recipe, pack: Pack, run: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such model file: check the path"):
        loop.train(still, pack, run, name="second", device=CPU, start=Start.read(tmp_path / "no.onnx"), progress=False)
