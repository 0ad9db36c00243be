"""The runs: one file each, stating only what differs from the defaults and why.

A new recipe is a file here with a RECIPE; its file name is what `facelocus train` calls it.
"""

from __future__ import annotations

import sys

from facelocus.training.recipe import Recipe
from facelocus.training.settings import load_named, module_names


def recipe_names() -> list[str]:
    """Return the names `load_recipe` knows."""
    return module_names(sys.modules[__name__])


def load_recipe(name: str) -> Recipe:
    """Return the recipe of a file in this folder.

    Raises:
        RecipeError: there is none of that name (with the nearest one).
    """
    recipe = load_named(sys.modules[__name__], "recipe", name)
    assert isinstance(recipe, Recipe)
    return recipe
