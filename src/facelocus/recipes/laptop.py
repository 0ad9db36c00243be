"""Minutes on two cores, to be as good as a stock fine-tune of three times as long; docs/performance.md compares both.

The first stages of an ImageNet network find edges and corners, of faces too. They see the most positions, so that
leaving them as they are and deriving nothing through them is the most time that one setting can save.
"""

from facelocus.nn.network import NetworkSpec
from facelocus.training.recipe import Augment, Optimizer, Phase, Recipe, Schedule

RECIPE = Recipe(
    network=NetworkSpec(trunk="tf_efficientnet_lite0", imagenet=True, channels=128, size=(136, 112)),
    # Most of the learning where a step is cheapest, the end at the size that is measured.
    phases=(
        Phase(epochs=0.8, size=(112, 96), frozen_stages=3),
        Phase(epochs=0.25, frozen_stages=2),
    ),
    # More steps from as many images: what limits so short a training is steps.
    batch_size=32,
    # In one pass nothing is learnt by heart.
    augment=Augment(flip=0.5),
    optimizer=Optimizer(rate=1e-3, weight_decay=0.02),
    schedule=Schedule(warmup=0.05),
    # The average of some dozens of steps.
    ema=0.98,
    # bf16 gains nothing on a processor without matrix units for it.
    precision="fp32",
    leave_out="photographs_300.txt",
)
