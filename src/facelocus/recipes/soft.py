"""The last part of what taught `large`: some steps to get used to pictures without their finest detail.

    facelocus train soft --data CELEBA --to RUN --from RUN_OF_REFINE

`refine` left a network that loses 0.25 points from CelebA's crops to crops of photographs, all of it by detail of a
pixel or less.
"""

from dataclasses import replace

from facelocus.recipes.refine import RECIPE as REFINE
from facelocus.training.recipe import Phase

RECIPE = replace(
    REFINE,
    network=replace(REFINE.network, blur=0.7),
    # The statistics of BatchNorm move, and the weights a little.
    phases=(Phase(iterations=200),),
    optimizer=replace(REFINE.optimizer, rate=2e-4),
    ema=0.98,
    seed=2,
)
