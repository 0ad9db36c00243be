"""The comparisons: one file each, recipes by name and seeds.

A new grid is a file here with a GRID; its file name is what `facelocus grid` calls it.
"""

from __future__ import annotations

import sys

from facelocus.training.grid import Grid
from facelocus.training.settings import load_named, module_names


def grid_names() -> list[str]:
    """Return the names `load_grid` knows."""
    return module_names(sys.modules[__name__])


def load_grid(name: str) -> Grid:
    """Return the grid of a file in this folder.

    Raises:
        RecipeError: there is none of that name (with the nearest one).
    """
    grid = load_named(sys.modules[__name__], "grid", name)
    assert isinstance(grid, Grid)
    return grid
