"""The small weights that ship: the smallest trunk without its last stages, taught like `student`.

facelocus train tiny --data CELEBA --to RUN --teacher TEACHER --teacher OTHER
"""

from dataclasses import replace

from facelocus.recipes.student import RECIPE as STUDENT
from facelocus.training.recipe import Phase

RECIPE = replace(
    STUDENT,
    network=replace(STUDENT.network, trunk="tf_efficientnet_lite0", context=False, size=(160, 128)),
    phases=(Phase(epochs=8, size=(128, 112)), Phase(epochs=8)),
    # It has fewer weights than there is to learn: labels and teachers count alike, and decay matters less.
    optimizer=replace(STUDENT.optimizer, weight_decay=0.02),
    seed=3,
)
