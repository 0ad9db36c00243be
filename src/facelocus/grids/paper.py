"""Section 4 at its printed length: Alex without attention and with PSE(b), 20,000 iterations of 256."""

from dataclasses import replace

from facelocus.recipes.paper_alex_scratch import RECIPE as ALEX
from facelocus.training.grid import Grid

GRID = Grid(
    {
        f"alexnet_cvgj/{attention}": replace(ALEX, network=replace(ALEX.network, attention=attention))
        for attention in ("none", "pse_conv")
    },
    seeds=(0, 1, 2),
)
