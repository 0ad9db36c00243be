"""Own attributes: what a network of other attributes knows is taken over, and the trunk learns last."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from facelocus.attributes import CELEBA, AttributeSet
from facelocus.data import Pack
from facelocus.errors import RecipeError, StoppedError, UsageError
from facelocus.training import loop, stage
from facelocus.training.recipe import Phase, Recipe
from facelocus.training.run import load_run
from facelocus.training.start import Start, first_network
from facelocus.training.world import World
from short_runs import CPU, at_steps, ctrl_c, results, train

#: Two regions that CelebA knows, one that it does not; one attribute that it knows on the same region.
OWN = AttributeSet.by_region({"mouth": ("Wearing_Lipstick", "gap"), "forehead": ("scar",), "eyes": ("squint",)})


@pytest.fixture
def start(recipe: Recipe, pack: Pack, tmp_path: Path) -> Start:
    train(recipe, pack, tmp_path / "first")
    return Start.read(tmp_path / "first")


@pytest.fixture
def own(pack: Pack) -> Pack:
    """The drawn faces under own attributes."""
    columns = [CELEBA.names.index(name) for name in ("Wearing_Lipstick", "Smiling", "Wearing_Hat", "Eyeglasses")]
    return dataclasses.replace(pack, labels=pack.labels[:, columns], attributes=OWN)


@pytest.fixture
def transfer(recipe: Recipe, start: Start) -> Recipe:
    """4 steps over a frozen trunk, then 5 of everything."""
    phases = (Phase(iterations=4, frozen=True), Phase(iterations=5, size=(24, 20)))
    return start.adapt(dataclasses.replace(recipe, transfer=True, phases=phases))


def finetune(recipe: Recipe, pack: Pack, run: Path, start: Start) -> None:
    loop.train(recipe, pack, run, name="own", device=CPU, start=start, progress=False)


def test_regions_and_attributes_of_the_same_name_start_as_they_were(transfer: Recipe, own: Pack, start: Start) -> None:
    network = first_network(transfer, OWN, own.labels, start).eval()
    images = torch.from_numpy(own.frames(np.arange(6)))
    with torch.no_grad():
        logits, masks = network(images, masks=True)
        theirs, their_masks = start.network(images, masks=True)
    for ours, region in enumerate(("mouth", "whole face", "eyes")):  # nobody knows a forehead
        torch.testing.assert_close(masks[:, ours], their_masks[:, CELEBA.regions.index(region)])
    torch.testing.assert_close(logits[:, 0], theirs[:, CELEBA.names.index("Wearing_Lipstick")])
    rates = torch.tensor(((own.labels == 1).sum(0) + 1) / (len(own) + 2)).float()
    torch.testing.assert_close(torch.sigmoid(network.logit_bias[1:]), rates[1:])


def test_a_frozen_trunk_stays_as_it_was(transfer: Recipe, own: Pack, start: Start, run: Path) -> None:
    frozen = dataclasses.replace(transfer, phases=transfer.phases[:1])
    finetune(frozen, own, run, start)
    before, after = start.network.trunk.state_dict(), load_run(run).network.trunk.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    heads = load_run(run).network.sub_networks.state_dict()
    fresh = first_network(frozen, OWN, own.labels[own.rows("train")], start).sub_networks.state_dict()
    assert not torch.equal(heads["conv.weight"], fresh["conv.weight"])


def test_then_everything_learns(transfer: Recipe, own: Pack, start: Start, run: Path) -> None:
    finetune(transfer, own, run, start)
    before, after = start.network.trunk.state_dict(), load_run(run).network.trunk.state_dict()
    changed = [not torch.equal(after[name], value) for name, value in before.items() if value.is_floating_point()]
    assert all(changed)


@pytest.mark.parametrize("cache", [stage.CACHE_BYTES, 0])
@pytest.mark.parametrize("stop", [2, 4, 6])
def test_stopped_and_continued_ends_with_the_same_bits(
    stop: int, cache: int, transfer: Recipe, own: Pack, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "CACHE_BYTES", cache)
    finetune(transfer, own, tmp_path / "whole", start)
    at_steps(monkeypatch, ctrl_c, stop)
    with pytest.raises(StoppedError, match=f"after step {stop} of 9"):
        finetune(transfer, own, tmp_path / "stopped", start)
    finetune(transfer, own, tmp_path / "stopped", start)
    assert results(tmp_path / "stopped") == results(tmp_path / "whole")


def test_kept_features_are_those_of_the_trunk(
    transfer: Recipe, own: Pack, start: Start, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without random changes, features kept and features computed at every step train the same network."""
    still = dataclasses.replace(
        transfer, augment=dataclasses.replace(transfer.augment, flip=0, scale=0, rotation=0, shift=0, brightness=0,
                                              contrast=0, saturation=0), phases=transfer.phases[:1], precision="fp32"
    )  # fmt: skip
    finetune(still, own, run / "kept", start)
    monkeypatch.setattr(stage, "CACHE_BYTES", 0)
    finetune(still, own, run / "computed", start)
    kept, computed = (load_run(run / name).network.state_dict() for name in ("kept", "computed"))
    for name, value in kept.items():
        torch.testing.assert_close(value, computed[name], atol=1e-4, rtol=1e-3)


def test_no_more_variants_are_kept_than_are_looked_at(
    transfer: Recipe, own: Pack, start: Start, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []
    real = stage.Stage._keep

    def spy(self: stage.Stage, length: int) -> Any:
        kept.append(real(self, length))
        return kept[-1]

    monkeypatch.setattr(stage.Stage, "_keep", spy)
    finetune(transfer, own, run, start)
    assert kept[0].shape[:2] == (1, 36)  # 4 steps of 6 look at 24 of 36 faces
    longer = dataclasses.replace(transfer, phases=(Phase(iterations=400, frozen=True),))
    first = first_network(longer, OWN, own.labels, start)
    batches = stage.Batches(own, own.rows("train"), 6, 0, CPU, World())
    stage.Stage(first, longer, 0, 400, batches)
    assert kept[1].shape[:2] == (stage.VARIANTS, 36)


def test_what_cannot_be_transferred_is_refused(
    transfer: Recipe, own: Pack, start: Start, run: Path, recipe: Recipe
) -> None:
    with pytest.raises(RecipeError, match="starts from the weights of another network: give --from default"):
        loop.train(transfer, own, run, name="own", device=CPU, progress=False)
    for other in (
        "channels=16",
        "hidden=8",
        "squeeze=mean_max",
        "squeeze=weighted",
        "attention=none",
        "normalise=false",
    ):
        with pytest.raises(UsageError, match=r"first: does not fit the recipe, its layers have other shapes"):
            finetune(transfer.with_settings([f"network.{other}"]), own, run, start)
    with pytest.raises(UsageError, match="was trained for other attributes than the data has: use the recipe finetune"):
        finetune(recipe, own, run, start)
    assert not run.exists()


def test_unknown_labels_teach_nothing(transfer: Recipe, own: Pack, start: Start, tmp_path: Path) -> None:
    """An attribute without any known label leaves the others' training as it was."""
    unknown = own.labels.copy()
    unknown[:, 3] = -1
    finetune(transfer, dataclasses.replace(own, labels=unknown), tmp_path / "unknown", start)
    network = load_run(tmp_path / "unknown").network
    assert all(value.isfinite().all() for value in network.state_dict().values())
    assert float(torch.sigmoid(network.logit_bias.detach()[3])) == pytest.approx(0.5, abs=1e-3)
