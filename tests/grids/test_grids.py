"""The comparisons: what is compared differs in what its name says and in nothing else."""

from __future__ import annotations

import pytest

from facelocus.attributes import CELEBA
from facelocus.cli.report import app as report
from facelocus.errors import RecipeError
from facelocus.grids import grid_names, load_grid
from facelocus.grids.paper_short import MODULES
from facelocus.training.grid import settings


@pytest.mark.parametrize(
    "name", [name for name in grid_names() if name.startswith("paper") and not name.endswith(("controls", "growth"))]
)
def test_modules_of_one_trunk_differ_in_the_module_alone(name: str) -> None:
    by_trunk: dict[str, set[str]] = {}
    for run, recipe in load_grid(name).recipes.items():
        trunk, module = run.split("/")
        assert (recipe.network.trunk, recipe.network.attention) == (trunk, module)
        rest = {key: value for key, value in settings(recipe).items() if key != "network.attention"}
        by_trunk.setdefault(trunk, set()).add(repr(sorted(rest.items())))
    assert all(len(kinds) == 1 for kinds in by_trunk.values())


def test_a_grid_is_named_after_the_report_that_reads_it() -> None:
    reports = {command.callback.__name__ for command in report.registered_commands if command.callback}
    assert {name.partition("_")[0] for name in grid_names()} <= reports


def test_the_grid_of_the_paper_is_complete() -> None:
    expected = [f"{trunk}/{module}" for trunk in ("alexnet_cvgj", "seresnet50", "tf_efficientnet_lite0")
                for module in MODULES]  # fmt: skip
    for name in ("paper_short", "paper_small"):
        assert sorted(load_grid(name).recipes) == sorted(expected)
        assert len(load_grid(name).seeds) >= 3
    assert {recipe.phases[0].iterations for recipe in load_grid("paper_short").recipes.values()} == {3_000}
    assert {recipe.phases[0].iterations for recipe in load_grid("paper").recipes.values()} == {20_000}


def test_variants_of_the_mask_change_one_thing_each() -> None:
    recipes = load_grid("localisation_small").recipes
    base = settings(recipes["tf_efficientnet_lite0/pse_conv"])
    for name, recipe in recipes.items():
        ours = settings(recipe)
        changed = {key for key in ours.keys() | base.keys() if ours.get(key) != base.get(key)}
        assert len(changed) == (not name.endswith("/pse_conv")), name


def test_controls_differ_in_rate_and_normalisation_as_named() -> None:
    for run, recipe in load_grid("paper_small_controls").recipes.items():
        _, module, kind, rate = run.split("/")
        assert recipe.network.attention == module
        assert recipe.network.normalise == (kind == "normalised")
        assert f"rate_{recipe.optimizer.rate:g}" == rate


def test_controls_of_localisation_change_one_thing_of_the_grid_they_control() -> None:
    compared = load_grid("localisation_small").recipes
    for run, recipe in load_grid("localisation_controls_small").recipes.items():
        name, control = run.rsplit("/", 1)
        ours, base = settings(recipe), settings(compared[name])
        changed = {key for key in ours.keys() | base.keys() if ours.get(key) != base.get(key)}
        expected = {"plain": "network.normalise", "pooling_max": "network.pooling"}.get(control, "optimizer.rate")
        assert changed == {expected}, run


def test_growth_sees_each_face_at_least_once() -> None:
    images = 62_012
    for run, recipe in load_grid("paper_small_growth").recipes.items():
        assert run.endswith(f"share_{round(1 / recipe.share)}")
        assert recipe.phases[0].epochs == 1 and recipe.phases[0].iterations * recipe.batch_size >= images / 16


@pytest.mark.parametrize("name", grid_names())
def test_every_network_of_a_grid_can_be_built(name: str) -> None:
    built = set()
    for recipe in load_grid(name).recipes.values():
        if recipe.network not in built:
            recipe.network.build(CELEBA)
            built.add(recipe.network)
    assert built


def test_an_unknown_grid_is_refused_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="unknown grid 'paper_smal': did you mean 'paper_small'"):
        load_grid("paper_smal")
