"""Own attributes from a few hundred labelled faces or more, in minutes on two cores.

    facelocus train finetune --data faces.csv --from default --to RUN

The network is the one of --from. First its trunk stays as it is and the sub-networks learn on features computed once;
then everything learns, the trunk slowly.
"""

from facelocus.recipes.refine import RECIPE as REFINE
from facelocus.training.recipe import Optimizer, Phase, Recipe, Schedule

RECIPE = Recipe(
    transfer=True,
    # Few faces get enough steps to learn, many get passes over all of them.
    phases=(Phase(epochs=2, iterations=300, frozen=True), Phase(epochs=3, iterations=300)),
    # Smaller than in long runs: a few hundred faces still give several steps an epoch.
    batch_size=32,
    # Photographs are aligned by the same detector.
    augment=REFINE.augment,
    # The trunk has seen 62,000 faces, the sub-networks only these: it moves at a fifth, its first layers less.
    optimizer=Optimizer(rate=1e-3, trunk_rate=0.2, first_layer_rate=0.2, weight_decay=0.05),
    schedule=Schedule(warmup=0.05),
    # The average of some dozens of steps: a phase has only hundreds.
    ema=0.98,
)
