"""The weights that ship: a network taught by two others.

    facelocus train student --data CELEBA --to RUN --teacher TEACHER --teacher OTHER

CelebA's labels are noisy: people disagree on many of them. What two trained networks say of the very picture the
student sees is steadier, so that it can learn longer without learning the noise (Beyer et al. 2022).
"""

from dataclasses import replace

from facelocus.recipes.teacher import RECIPE as TEACHER
from facelocus.training.recipe import Phase

RECIPE = replace(TEACHER, phases=(Phase(epochs=8, size=(136, 112)), Phase(epochs=8)), teaching=0.7, seed=2)
