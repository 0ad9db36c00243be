"""A run shared by several processes, as torchrun starts them, is the run of one."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import nn

from facelocus.data import Pack
from facelocus.errors import UsageError
from facelocus.nn.weights import read_tensors
from facelocus.training import synchronise
from facelocus.training.plan import Plan
from facelocus.training.recipe import Recipe
from facelocus.training.synchronise import synchronise_norms
from short_runs import lines, train

CHILD = Path(__file__).parent / "child.py"


def torchrun(processes: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, CHILD, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def precise(recipe: Recipe, tmp_path: Path) -> Recipe:
    """With a frozen phase in between. By SGD: AdamW blows rounding up where a gradient is 0."""
    first, last = recipe.phases
    phases = (first, dataclasses.replace(first, frozen=True, iterations=3), last)
    optimizer = dataclasses.replace(recipe.optimizer, kind="sgd")
    changed = dataclasses.replace(recipe, precision="fp32", phases=phases, optimizer=optimizer)
    (tmp_path / "recipe.json").write_text(json.dumps(changed.to_json()))
    return changed


def losses(run: Path) -> list[float]:
    return [line["loss"] for line in lines(run) if "loss" in line]


def assert_same(run: Path, one: Path) -> None:
    """The losses and the weights are those of one process, up to rounding."""
    np.testing.assert_allclose(losses(run), losses(one), rtol=1e-5)
    theirs, _ = read_tensors(one / "weights.safetensors")
    for name, value in read_tensors(run / "weights.safetensors")[0].items():
        torch.testing.assert_close(value, theirs[name], rtol=2e-3, atol=2e-5, msg=lambda text, n=name: f"{n}: {text}")
    ours, others = ([line for line in lines(at) if "validation" in line] for at in (run, one))
    assert [line["step"] for line in ours] == [line["step"] for line in others]


def test_two_processes_have_the_losses_of_one_and_go_on_as_one(precise: Recipe, pack: Pack, tmp_path: Path) -> None:
    """Two processes start, one of them dies, three go on, and one process finishes."""
    arguments = (tmp_path / "recipe.json", pack.folder)
    train(precise, pack, tmp_path / "one")
    done = torchrun(2, *arguments, tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "two", tmp_path / "one")
    assert json.loads((tmp_path / "two" / "record.json").read_text())["processes"] == 2
    assert not list((tmp_path / "two").glob(".*"))

    dead = torchrun(2, *arguments, tmp_path / "many", "kill", 4)
    assert dead.returncode != 0
    assert "facelocus: process 0 of 2: another process of this run has ended" in dead.stderr
    assert lines(tmp_path / "many")[-1]["step"] == 3
    dead = torchrun(3, *arguments, tmp_path / "many", "kill", 7)
    assert dead.returncode != 0
    train(precise, pack, tmp_path / "many")
    assert_same(tmp_path / "many", tmp_path / "one")


def test_a_batch_that_cannot_be_shared_is_refused(recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="4 processes cannot share a batch of 6: set batch_size=8"):
        Plan(recipe, 36, 4)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(6), nn.BatchNorm2d(6, affine=False), BatchNormAct2d(6)])
def test_a_synchronised_norm_is_the_norm_it_replaces(norm: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one process: outputs, gradients, statistics, names, in training and after it."""
    monkeypatch.setattr(synchronise.dist, "all_reduce", lambda tensor: None)
    monkeypatch.setattr(synchronise.dist, "get_world_size", lambda: 1)
    holder = nn.Sequential(norm)
    x = torch.randn(5, 6, 4, 3, requires_grad=True)
    names = list(holder.state_dict())
    before = {name: value.clone() for name, value in holder.state_dict().items()}
    expected = holder(x * 2 + 1)
    (gradient,) = torch.autograd.grad((expected**2).sum(), x)
    statistics = {name: value.clone() for name, value in holder.state_dict().items()}
    evaluated = holder.eval()(x)
    holder.load_state_dict(before)
    synchronise_norms(holder, torch.device("cpu"))
    assert type(holder[0]) is not type(norm) and list(holder.state_dict()) == names
    got = holder.train()(x * 2 + 1)
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(torch.autograd.grad((got**2).sum(), x)[0], gradient, atol=1e-4, rtol=1e-4)
    for name, value in holder.state_dict().items():
        torch.testing.assert_close(value, statistics[name])
    torch.testing.assert_close(holder.eval()(x), evaluated)
