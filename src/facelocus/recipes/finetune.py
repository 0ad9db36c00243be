"""Own attributes from a few hundred labelled faces or more, in minutes on two cores.

    facelocus train finetune --data faces.csv --from default --to RUN

The network is the one of --from. First its trunk stays as it is and the sub-networks learn on features computed once;
then everything learns, the trunk slowly.
"""

from facelocus.training.recipe import Augment, Optimizer, Phase, Recipe, Schedule

RECIPE = Recipe(
    transfer=True,
    # Few faces get enough steps to learn, many get passes over all of them.
    phases=(Phase(epochs=2, iterations=300, frozen=True), Phase(epochs=3, iterations=300)),
    # Smaller than in long runs: a few hundred faces still give several steps an epoch.
    batch_size=32,
    # As in the run that made the weights most runs start from: refine, before it blurred, grained and compressed.
    augment=Augment(
        scale=0.07, rotation=3.0, shift=3.0, brightness=0.25, contrast=0.25, saturation=0.25, sharpness=1.0
    ),
    # The trunk has seen 62,000 faces, the sub-networks only these: it moves at a fifth, its first layers less.
    optimizer=Optimizer(rate=1e-3, trunk_rate=0.2, first_layer_rate=0.2, weight_decay=0.05),
    schedule=Schedule(warmup=0.05),
    # The average of some dozens of steps: a phase has only hundreds.
    ema=0.98,
)
