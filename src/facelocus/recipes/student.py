"""A teacher goes on, taught by itself and by the weights before it, on worse pictures too.

    facelocus train student --data CELEBA --to RUN --from TEACHER --teacher TEACHER --teacher default

CelebA's labels are noisy: people disagree on many of them. What two trained networks say of a face is steadier, so that
a student can learn longer without learning the noise (Beyer et al. 2022).
"""

from dataclasses import replace

from facelocus.recipes.teacher import RECIPE as TEACHER
from facelocus.training.recipe import Phase

RECIPE = replace(
    TEACHER,
    phases=(Phase(epochs=5),),
    teaching=0.7,
    # At every step, teachers would take as long as the step.
    teaching_once=True,
    # Photographs are softer, grainier and compressed harder than CelebA's crops.
    augment=replace(TEACHER.augment, blur=0.1, noise=4.0, compression=0.2),
    optimizer=replace(TEACHER.optimizer, rate=7e-4),
    seed=2,
)
