"""The comparisons: one file each, recipes by name and seeds.

A new grid is a file here with a GRID; its file name is what `facelocus grid` calls it.
"""

from __future__ import annotations

import importlib
import pkgutil

from facelocus.errors import RecipeError
from facelocus.training.grid import Grid
from facelocus.training.settings import nearest


def grid_names() -> list[str]:
    """Return the names `load_grid` knows."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load_grid(name: str) -> Grid:
    """Return the grid of a file in this folder.

    Raises:
        RecipeError: there is none of that name (with the nearest one).
    """
    if name not in grid_names():
        raise RecipeError(f"unknown grid {name!r}{nearest(name, grid_names())}")
    grid = importlib.import_module(f"{__name__}.{name}").GRID
    assert isinstance(grid, Grid)
    return grid
