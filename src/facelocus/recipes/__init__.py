"""The runs: one file each, stating only what differs from the defaults and why.

A new recipe is a file here with a RECIPE; its file name is what `facelocus train` calls it.
"""

from __future__ import annotations

import importlib
import pkgutil

from facelocus.errors import RecipeError
from facelocus.training.recipe import Recipe
from facelocus.training.settings import nearest


def recipe_names() -> list[str]:
    """Return the names `load_recipe` knows."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load_recipe(name: str) -> Recipe:
    """Return the recipe of a file in this folder.

    Raises:
        RecipeError: there is none of that name (with the nearest one).
    """
    if name not in recipe_names():
        raise RecipeError(f"unknown recipe {name!r}{nearest(name, recipe_names())}")
    recipe = importlib.import_module(f"{__name__}.{name}").RECIPE
    assert isinstance(recipe, Recipe)
    return recipe
