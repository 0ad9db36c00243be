"""The weights `default`: `large` goes on, taught by itself and by its teacher, at a size that shows more.

    facelocus train student --data CELEBA --to RUN --from RUN_OF_LARGE --teacher RUN_OF_LARGE --teacher RUN_OF_SOFT

Taught by what two networks say, a student can learn longer without learning the noise of the labels (Beyer et al.
2022).
"""

from dataclasses import replace

from facelocus.recipes.large import RECIPE as LARGE
from facelocus.training.recipe import Phase

RECIPE = replace(
    LARGE,
    # 12 x 10 positions of stride 16; what a step costs more the first part spares. With a mirror image beside the face
    # both teachers are right 0.05 to 0.1 points more often.
    network=replace(LARGE.network, imagenet=False, size=(192, 160), flip=True),
    phases=(Phase(epochs=1.5, size=(160, 128)), Phase(epochs=2.5)),
    teaching=0.7,
    optimizer=replace(LARGE.optimizer, rate=7e-4),
    seed=2,
)
