"""The weights that ship: a teacher goes on, taught by itself and another.

    facelocus train student --data CELEBA --to RUN --from TEACHER --teacher TEACHER --teacher OTHER

CelebA's labels are noisy: people disagree on many of them. What two trained networks say of the very picture the
student sees is steadier, so that it can learn longer without learning the noise (Beyer et al. 2022).
"""

from dataclasses import replace

from facelocus.recipes.teacher import RECIPE as TEACHER
from facelocus.training.recipe import Phase

RECIPE = replace(
    TEACHER,
    phases=(Phase(epochs=10),),
    teaching=0.7,
    optimizer=replace(TEACHER.optimizer, rate=1.5e-3),
    seed=2,
)
