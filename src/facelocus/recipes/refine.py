"""The second part of what taught `large`: two epochs at the size that ships, on pictures as sharp as photographs.

    facelocus train refine --data CELEBA --to RUN --from RUN_OF_DEFAULT

What `default` taught: its warp blurs every training picture, and they are compressed hard; such a network reads sharp
photographs worse than the same ones averaged over 2 x 2 pixels.
"""

from dataclasses import replace

from facelocus.recipes.default import RECIPE as DEFAULT
from facelocus.training.recipe import Augment, Phase

RECIPE = replace(
    DEFAULT,
    # 12 x 10 positions of stride 16 without a rest; less than the frame's 218 x 178, so compression shows less.
    network=replace(DEFAULT.network, size=(192, 160)),
    phases=(Phase(epochs=2),),
    augment=Augment(
        # Twice what the detector is off by (results/photographs/registration.json): against overfitting.
        scale=0.07,
        rotation=3.0,
        shift=3.0,
        brightness=0.25,
        contrast=0.25,
        saturation=0.25,
        sharpness=1.0,
    ),
    optimizer=replace(DEFAULT.optimizer, rate=1e-3, weight_decay=0.05),
    # Another order of the images than the first part's.
    seed=1,
)
