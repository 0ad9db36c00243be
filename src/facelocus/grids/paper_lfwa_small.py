"""LFWA for two cores, on stand-in labels where the official ones are not at hand: see docs/lfwa.md."""

from dataclasses import replace

from facelocus.grids.paper_small import small
from facelocus.recipes.paper_lfwa import RECIPE as LFWA
from facelocus.training.expand import DISTORTIONS
from facelocus.training.grid import Grid

_ALEX = replace(small(LFWA, (131, 131), 300), augment=DISTORTIONS)

GRID = Grid(
    {
        f"alexnet_cvgj/{module}": replace(_ALEX, network=replace(_ALEX.network, attention=module))
        for module in ("none", "pse_conv")
    },
    seeds=(0, 1, 2),
)
