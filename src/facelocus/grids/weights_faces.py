"""What fewer faces cost: `laptop`, as many steps on a quarter of them and on all."""

from dataclasses import replace

from facelocus.recipes.laptop import RECIPE as LAPTOP
from facelocus.training.grid import Grid
from facelocus.training.recipe import Phase

GRID = Grid(
    {
        # One pass over all of ours.
        f"share_{parts}": replace(LAPTOP, share=1 / parts, phases=(Phase(iterations=1937),))
        for parts in (4, 1)
    },
    seeds=(0,),
)
