"""The shipped weights: PSE(b) on an ImageNet-initialised EfficientNet-lite0, in two hours on two cores."""

from facelocus.nn.network import NetworkSpec
from facelocus.training.recipe import Augment, Optimizer, Phase, Recipe, Schedule

RECIPE = Recipe(
    # ImageNet weights that lie inside an installable package. Masks need stride 16; the layers behind it know most of
    # what ImageNet taught, and cost a quarter more.
    network=NetworkSpec(trunk="tf_efficientnet_lite0", imagenet=True, context=True, size=(192, 160), channels=128),
    # Most of the learning at a size that costs half of the full one, the rest at the size that ships: 12 x 10
    # positions of stride 16 without a rest.
    phases=(Phase(epochs=4, size=(136, 112)), Phase(epochs=3)),
    batch_size=64,
    augment=Augment(
        # Twice what the detector is off by (results/photographs/registration.json): against overfitting.
        scale=0.07,
        rotation=3.0,
        shift=3.0,
        brightness=0.25,
        contrast=0.25,
        saturation=0.25,
        # The warp blurs and training pictures are compressed hard: a network that has seen only such pictures reads
        # sharp photographs worse than blurred ones.
        sharpness=1.0,
        blur=0.25,
        noise=6.0,
        compression=0.4,
    ),
    # Early ImageNet filters are good as they are: they move at a fifth of the last shared layer's rate.
    optimizer=Optimizer(rate=2e-3, trunk_rate=0.5, first_layer_rate=0.2, weight_decay=0.05),
    schedule=Schedule(warmup=0.05),
    # The 300 photographs whose originals measure the way from photograph to attributes.
    leave_out="photographs_300.txt",
)
