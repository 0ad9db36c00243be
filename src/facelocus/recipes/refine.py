"""The second half of the shipped weights: two epochs at full size from the weights of `default`.

`default` ends with little left to learn from small inputs (its training loss falls there while validation stands
still), but with the full size only just adapted to: facelocus train refine --from RUN_OF_DEFAULT.
"""

from dataclasses import replace

from facelocus.recipes.default import RECIPE as DEFAULT
from facelocus.training.recipe import Augment, Phase

RECIPE = replace(
    DEFAULT,
    phases=(Phase(epochs=2),),
    # Twice the changes, against the overfitting that `default` shows.
    augment=Augment(scale=0.08, rotation=4.0, shift=4.0, brightness=0.3, contrast=0.3, saturation=0.3),
    optimizer=replace(DEFAULT.optimizer, rate=1e-3, weight_decay=0.05),
    # Another order of the images than the first half's.
    seed=1,
)
