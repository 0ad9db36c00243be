"""How accuracy grows with training images, a sixteenth of ours to all: one pass, of at least 300 steps."""

from dataclasses import replace

from facelocus.grids.paper_small import LITE_SMALL
from facelocus.training.grid import Grid
from facelocus.training.recipe import Phase

GRID = Grid(
    {
        f"tf_efficientnet_lite0/pse_conv/share_{parts}": replace(
            LITE_SMALL,
            network=replace(LITE_SMALL.network, attention="pse_conv"),
            share=1 / parts,
            phases=(Phase(epochs=1, iterations=300),),
        )
        for parts in (16, 8, 4, 2, 1)
    },
    seeds=(0,),
)
