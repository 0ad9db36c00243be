"""The first part of what taught `large`: PSE(b) on an ImageNet-initialised EfficientNet-lite0, for two cores.

`refine` goes on from it. Its last epoch, at full size and without sharpness among the random changes, reads sharp
pictures badly (validation falls from 91.2 to 89.7); it is kept as it was run, and `refine` mends it.
"""

from facelocus.nn.network import NetworkSpec
from facelocus.training.recipe import Augment, Optimizer, Phase, Recipe, Schedule

RECIPE = Recipe(
    # ImageNet weights that lie inside an installable package; cut at stride 16 it is also cheap.
    network=NetworkSpec(trunk="tf_efficientnet_lite0", imagenet=True, channels=128),
    # Most of the learning at a size that costs 0.4 of the full one, the last epoch at the size that ships.
    phases=(Phase(epochs=4, size=(136, 112)), Phase(epochs=1)),
    batch_size=64,
    # As much as a face detector is off by on aligned faces: about 5 % in scale, 2 degrees, 2 pixels.
    augment=Augment(scale=0.05, rotation=2.0, shift=2.0, brightness=0.2, contrast=0.2, saturation=0.2),
    # Early ImageNet filters are good as they are: they move at a fifth of the last shared layer's rate.
    optimizer=Optimizer(rate=2e-3, trunk_rate=0.5, first_layer_rate=0.2, weight_decay=0.02),
    schedule=Schedule(warmup=0.05),
    # The 300 photographs whose originals measure the way from photograph to attributes.
    leave_out="photographs_300.txt",
)
