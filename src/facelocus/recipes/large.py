"""The weights `tiny`: a larger trunk, taught by the run of `soft` beside the labels; two cores, two hours.

    facelocus train large --data CELEBA --to RUN --teacher RUN_OF_SOFT

CelebA's labels are noisy: people disagree on many of them. What a trained network says of a face is steadier.
A GPU does the same with `--set batch_size=128 --set optimizer.rate=2e-3`, say.
"""

from facelocus.nn.network import NetworkSpec
from facelocus.recipes.refine import RECIPE as REFINE
from facelocus.training.recipe import Optimizer, Phase, Recipe, Schedule

RECIPE = Recipe(
    network=NetworkSpec(
        trunk="tf_efficientnet_lite2",
        imagenet=True,
        # 10 x 8 positions of stride 16; for the price of a step at 192 x 160 there are almost two.
        size=(160, 128),
        # As `soft` found: no finer than pictures agree on.
        blur=0.7,
        channels=128,
    ),
    # `laptop` comes as far in little more than an epoch at the small size as `default` in four at 136 x 112.
    phases=(Phase(epochs=1.5, size=(112, 96)), Phase(epochs=3.5)),
    # What limits so few epochs is steps: the small weights are but half a point better on faces they learnt from.
    batch_size=32,
    # At every step, a teacher would take as long as the step.
    teaching=0.5,
    teaching_once=True,
    augment=REFINE.augment,
    optimizer=Optimizer(rate=1e-3, first_layer_rate=0.5, weight_decay=0.05),
    schedule=Schedule(warmup=0.05),
    # The 300 photographs whose originals measure the way from photograph to attributes.
    leave_out="photographs_300.txt",
)
