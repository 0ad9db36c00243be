"""`large` goes on, taught by itself and by the small weights, on worse pictures too.

    facelocus train student --data CELEBA --to RUN --from default --teacher default --teacher tiny

Taught by what two networks say, a student can learn longer without learning the noise of the labels (Beyer et al.
2022).
"""

from dataclasses import replace

from facelocus.recipes.large import RECIPE as LARGE
from facelocus.training.recipe import Phase

RECIPE = replace(
    LARGE,
    phases=(Phase(epochs=5),),
    teaching=0.7,
    # Photographs are softer, grainier and compressed harder than CelebA's crops.
    augment=replace(LARGE.augment, blur=0.1, noise=4.0, compression=0.2),
    optimizer=replace(LARGE.optimizer, rate=7e-4),
    seed=2,
)
