"""A quarter of an hour on two cores that multiply bf16, for what a stock fine-tune takes three quarters of one for.

docs/performance.md compares both. Neither frozen stages of the trunk nor sizes that grow repaid what they cost.
"""

from facelocus.nn.network import NetworkSpec
from facelocus.training.recipe import Augment, Optimizer, Phase, Recipe, Schedule

RECIPE = Recipe(
    # 7 x 6 positions, in which hair and chin are still two places, of 70 % of the pixels of 136 x 112.
    network=NetworkSpec(trunk="tf_efficientnet_lite0", imagenet=True, channels=128, size=(112, 96)),
    phases=(Phase(epochs=2),),
    # More steps from as many images: what limits so short a training is steps.
    batch_size=32,
    # In two passes little is learnt by heart.
    augment=Augment(flip=0.5),
    optimizer=Optimizer(rate=1e-3, weight_decay=0.02),
    schedule=Schedule(warmup=0.05),
    # The average of some dozens of steps.
    ema=0.98,
    leave_out="photographs_300.txt",
)
