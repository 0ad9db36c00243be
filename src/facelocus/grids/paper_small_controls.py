"""What scale and step size explain of `paper_small`: no BatchNorm before the logits, and other rates."""

from dataclasses import replace

from facelocus.grids.paper_short import compared
from facelocus.grids.paper_small import LITE_SMALL
from facelocus.training.grid import Grid
from facelocus.training.recipe import Recipe

_PLAIN = replace(LITE_SMALL, network=replace(LITE_SMALL.network, normalise=False))


def _at_rates(*rates: float, normalise: bool) -> dict[str, Recipe]:
    base = LITE_SMALL if normalise else _PLAIN
    kind = "normalised" if normalise else "plain"
    return {
        f"{name}/{kind}/rate_{rate:g}": replace(recipe, optimizer=replace(recipe.optimizer, rate=rate))
        for rate in rates
        for name, recipe in compared({"tf_efficientnet_lite0": base}).items()
    }


GRID = Grid(
    # The normalised ones at 1e-3 are those of paper_small.
    _at_rates(1e-3, normalise=False) | _at_rates(4e-3, normalise=False) | _at_rates(2e-3, 5e-4, normalise=True),
    seeds=(0, 1, 2),
)
