"""What scale and step size explain of `paper_small`: no BatchNorm before the logits, and other rates."""

from dataclasses import replace

from facelocus.grids.paper_small import GRID as COMPARED
from facelocus.training.grid import Grid
from facelocus.training.recipe import Recipe


def _at_rates(*rates: float, normalise: bool, trunks: str = "") -> dict[str, Recipe]:
    """Return the compared recipes, of trunks whose names begin so, at each rate."""
    kind = "normalised" if normalise else "plain"
    return {
        f"{name}/{kind}/rate_{rate:g}": replace(
            recipe,
            network=replace(recipe.network, normalise=normalise),
            optimizer=replace(recipe.optimizer, rate=rate),
        )
        for rate in rates
        for name, recipe in COMPARED.recipes.items()
        if name.startswith(trunks)
    }


GRID = Grid(
    # The normalised ones at 1e-3 are those of paper_small.
    _at_rates(1e-3, normalise=False)
    | _at_rates(4e-3, normalise=False, trunks="tf_efficientnet_lite0")
    | _at_rates(2e-3, 5e-4, normalise=True),
    seeds=(0, 1, 2),
)
