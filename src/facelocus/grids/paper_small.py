"""Section 4 for two cores: smaller inputs, and few and small batches; fewer still where a step costs most.

The trunk that starts from ImageNet weights comes nearest to what the paper did: the other two have no time to become
good. AdamW and a cosine get further in so few steps than the printed SGD.
"""

from dataclasses import replace

from facelocus.grids.paper_short import LITE, compared
from facelocus.recipes.paper_alex_scratch import RECIPE as ALEX
from facelocus.recipes.paper_se_scratch import RECIPE as SE
from facelocus.training.grid import Grid
from facelocus.training.recipe import Augment, Optimizer, Phase, Recipe, Schedule


def small(recipe: Recipe, size: tuple[int, int], iterations: int, rate: float = 1e-3) -> Recipe:
    """Return a recipe of the paper made small."""
    return replace(
        recipe,
        network=replace(recipe.network, size=size, crop=None),
        phases=(Phase(iterations=iterations),),
        batch_size=32,
        augment=Augment(flip=0.5),
        optimizer=Optimizer(kind="adamw", rate=rate, weight_decay=0.02),
        schedule=Schedule(kind="cosine", warmup=0.05),
        ema=0.98,
    )


#: 7 x 6 positions, in which hair and chin are still two places.
LITE_SMALL = small(LITE, (112, 96), 300)

GRID = Grid(
    compared(
        {
            "tf_efficientnet_lite0": LITE_SMALL,
            "alexnet_cvgj": small(ALEX, (131, 131), 300),
            "seresnet50": small(SE, (96, 80), 100),
        }
    ),
    seeds=(0, 1, 2),
)
