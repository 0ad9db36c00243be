"""The last part of the shipped weights: an epoch on pictures worse than they are, without their finest detail.

    facelocus train robust --data CELEBA --to RUN --from RUN_OF_REFINE

`refine` left a network that loses 0.25 points from CelebA's crops to photographs, all of it by detail of a pixel or
less, and much more on soft or noisy pictures.
"""

from dataclasses import replace

from facelocus.recipes.refine import RECIPE as REFINE
from facelocus.training.recipe import Phase

RECIPE = replace(
    REFINE,
    network=replace(REFINE.network, blur=0.7),
    phases=(Phase(epochs=1),),
    # Photographs are softer, noisier and otherwise compressed than training pictures.
    augment=replace(REFINE.augment, blur=0.25, noise=6.0, compression=0.4),
    # An epoch that ends near where it began.
    optimizer=replace(REFINE.optimizer, rate=5e-4),
    seed=2,
)
