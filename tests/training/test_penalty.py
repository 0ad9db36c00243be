"""What masks are charged: nothing where all is well, most where they are all alike or elsewhere."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from facelocus.attributes import CELEBA, AttributeSet
from facelocus.data import Pack
from facelocus.errors import RecipeError
from facelocus.images.regions import region_maps
from facelocus.training.penalty import mask_penalty
from facelocus.training.recipe import Penalty, Phase, Recipe
from facelocus.training.run import load_run
from short_runs import train

#: Two regions: the left half and the right half of 4 x 4 cells.
HALVES = torch.zeros(2, 4, 4)
HALVES[0, :, :2] = HALVES[1, :, 2:] = 1


def charged(masks: torch.Tensor, **spec: float) -> float:
    return float(mask_penalty(masks, HALVES, Penalty(**spec)))


def test_outside_is_the_share_of_the_mass_outside() -> None:
    masks = (0.2 + 0.5 * HALVES).repeat(3, 1, 1, 1)
    assert charged(masks, outside=2.0) == pytest.approx(0, abs=1e-6)
    assert charged(masks.flip(1), outside=2.0) == pytest.approx(2)
    half = masks.clone()
    half[:, :, :2] = masks.flip(1)[:, :, :2]
    assert charged(half, outside=2.0) == pytest.approx(1)


def test_overlap_is_the_correlation_where_it_is_positive() -> None:
    one = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert charged(one.repeat(1, 2, 1, 1), overlap=3.0) == pytest.approx(3, rel=1e-5)
    assert charged(torch.cat([one, 1 - one], 1), overlap=3.0) == pytest.approx(0, abs=1e-6)
    assert charged(torch.ones(5, 2, 4, 4), overlap=3.0) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("spec", [{"outside": 1.0}, {"overlap": 1.0}])
def test_its_gradient_is_right_and_finite_for_flat_masks(spec: dict[str, float]) -> None:
    masks = torch.rand(2, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    assert torch.autograd.gradcheck(lambda m: mask_penalty(m, HALVES.double(), Penalty(**spec)), (masks,))
    flat = torch.full((1, 2, 4, 4), 0.5, requires_grad=True)
    mask_penalty(flat, HALVES, Penalty(**spec)).backward()
    assert flat.grad is not None and flat.grad.isfinite().all()


def test_a_run_that_is_charged_for_it_keeps_its_masks_on_their_regions(
    recipe: Recipe, pack: Pack, tmp_path: Path
) -> None:
    longer = dataclasses.replace(recipe, phases=(Phase(iterations=30),), ema=0.0)
    outside = []
    for weight in (0.0, 20.0):
        run = tmp_path / str(weight)
        train(dataclasses.replace(longer, penalty=Penalty(outside=weight)), pack, run)
        masks = load_run(run).predict(pack.frames(pack.rows("train"))).masks
        assert masks is not None
        regions = torch.tensor(region_maps(CELEBA.regions, masks.shape[2:]))
        outside.append(float(mask_penalty(torch.from_numpy(masks), regions, Penalty(outside=1.0))))
    assert outside[1] < outside[0] - 0.03


def test_a_network_without_masks_cannot_be_charged(recipe: Recipe, pack: Pack, run: Path) -> None:
    blind = dataclasses.replace(recipe.network, attention="none")
    with pytest.raises(RecipeError, match="penalty: a network with attention 'none' has no masks: set pse_conv"):
        train(dataclasses.replace(recipe, network=blind, penalty=Penalty(overlap=1.0)), pack, run)
    assert not run.exists()


def test_regions_of_the_whole_frame_are_not_held_against_a_part_of_it(recipe: Recipe, pack: Pack, run: Path) -> None:
    cropped = dataclasses.replace(recipe.network, crop=(24, 20))
    with pytest.raises(RecipeError, match=r"penalty.outside: .* set network.crop=null"):
        train(dataclasses.replace(recipe, network=cropped, penalty=Penalty(outside=1.0)), pack, run)
    assert not run.exists()


def test_one_mask_cannot_be_held_against_another(recipe: Recipe, pack: Pack, run: Path) -> None:
    whole = AttributeSet.by_region({"whole face": ("Young",)})
    own = dataclasses.replace(pack, labels=pack.labels[:, -1:], attributes=whole)
    with pytest.raises(RecipeError, match=r"penalty.overlap: there is one region"):
        train(dataclasses.replace(recipe, penalty=Penalty(overlap=1.0)), own, run)
    assert not run.exists()
