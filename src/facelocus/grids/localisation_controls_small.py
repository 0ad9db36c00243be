"""What rate, scale and pooling explain of localisation_small: no attention, PSE(b) and `outside` with each changed.

`plain` has no BatchNorm before the logits; `pooling_max` keeps positions apart for the classifier, as Alexnet's pool5.
"""

from dataclasses import replace

from facelocus.grids.localisation_small import GRID as COMPARED
from facelocus.training.grid import Grid
from facelocus.training.recipe import Recipe


def _controls(recipe: Recipe) -> dict[str, Recipe]:
    rates = {f"rate_{rate:g}": replace(recipe, optimizer=replace(recipe.optimizer, rate=rate)) for rate in (2e-3, 5e-4)}
    return rates | {
        "plain": replace(recipe, network=replace(recipe.network, normalise=False)),
        "pooling_max": replace(recipe, network=replace(recipe.network, pooling="max")),
    }


GRID = Grid(
    {
        f"{name}/{control}": changed
        for name in (f"tf_efficientnet_lite0/{variant}" for variant in ("none", "pse_conv", "outside"))
        for control, changed in _controls(COMPARED.recipes[name]).items()
    },
    seeds=(0, 1, 2),
)
