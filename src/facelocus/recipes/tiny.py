"""The weights `tiny` go on, taught by the weights `default`.

    facelocus train tiny --data CELEBA --to RUN --from tiny --teacher default

It is for where a face may cost no more than some milliseconds.
"""

from dataclasses import replace

from facelocus.recipes.soft import RECIPE as SOFT
from facelocus.recipes.student import RECIPE as STUDENT
from facelocus.training.recipe import Phase

RECIPE = replace(
    STUDENT,
    # `tiny` brings all weights.
    network=replace(SOFT.network, imagenet=False, size=(160, 128)),
    phases=(Phase(epochs=6),),
    # Few weights for much to learn: decay matters less.
    optimizer=replace(STUDENT.optimizer, rate=1.5e-3, weight_decay=0.02),
    seed=3,
)
