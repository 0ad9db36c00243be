"""A teacher of the shipped weights: the largest trunk with ImageNet weights at hand, for a GPU.

facelocus train teacher --data CELEBA --to TEACHER
facelocus train teacher --data CELEBA --to OTHER --set seed=1 --set network.trunk=tf_efficientnet_lite1

The second one is to disagree: teachers that err alike teach nothing.
"""

from facelocus.nn.network import NetworkSpec
from facelocus.training.recipe import Augment, Optimizer, Phase, Recipe, Schedule

RECIPE = Recipe(
    network=NetworkSpec(
        trunk="tf_efficientnet_lite2",
        imagenet=True,
        # Positions of stride 16 that know the whole face, for a fifth more time.
        context=True,
        # What `refine` and `soft` found: no smaller than a detector needs, no finer than pictures agree on.
        size=(192, 160),
        blur=0.7,
        channels=128,
    ),
    # Most of the learning at a size that costs half.
    phases=(Phase(epochs=6, size=(136, 112)), Phase(epochs=5)),
    batch_size=128,
    augment=Augment(
        scale=0.07,
        rotation=3.0,
        shift=3.0,
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        sharpness=1.0,
        # Photographs are softer, grainier and compressed harder than CelebA's crops.
        blur=0.1,
        noise=4.0,
        compression=0.2,
    ),
    optimizer=Optimizer(rate=2e-3, trunk_rate=0.5, first_layer_rate=0.2, weight_decay=0.05),
    schedule=Schedule(warmup=0.05),
    # The 300 photographs whose originals measure the way from photograph to attributes.
    leave_out="photographs_300.txt",
)
