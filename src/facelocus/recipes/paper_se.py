"""SE on CelebA as section 4.2 prints it; PSE(b), and with --set network.attention=... the other modules.

The trunk is timm's seresnet50, the nearest well-kept one of the family; the largest is `--set
network.trunk=legacy_senet154`. The paper starts from ImageNet weights, which no package holds for these trunks and
nothing here fetches: the printed rate is for a run that starts from such weights, and without them it hardly learns
(`paper_se_scratch` does).

    facelocus train paper_se --data CELEBA --to RUN --from RUN_OF_THE_SAME_NETWORK

What the paper leaves open is chosen in docs/paper.md.
"""

from facelocus.nn.network import NetworkSpec
from facelocus.training.recipe import Augment, Optimizer, Phase, Recipe, Schedule

RECIPE = Recipe(
    network=NetworkSpec(
        # "We have applied the Alexnet-cvgj [15] and SEnet [7] to build our bottom network".
        trunk="seresnet50",
        # "we first standardize them to 256 x 256 x 3 size"; the crop of 224 is SENet's.
        size=(256, 256),
        crop=(224, 224),
        # As wide as Alex's sub-networks, so that the modules of section 3.2 are the same ones.
        channels=256,
        # "attached PSE module to every branch".
        attention="pse_conv",
        reduction=16,
        squeeze="mean",
    ),
    # "batch size as 256, the max iteration to be 10000".
    phases=(Phase(iterations=10_000),),
    batch_size=256,
    # "randomly left-or-right flip the images in an online way"; 224 out of 256 is 16 pixels each way, which are 13 rows
    # and 11 columns of the frame.
    augment=Augment(flip=0.5, crop=(13, 11)),
    # "we set the initial learning rate as 0.0001", "the selected optimizer is SGD with momentum equals 0.9". "The
    # remaining hyperparameters are set the same as the original one": SENet decays everything by 1e-4.
    optimizer=Optimizer(kind="sgd", rate=1e-4, momentum=0.9, weight_decay=1e-4, decay_vectors=True),
    # "Every 30 epoches, the learning rate will decay by 0.1".
    schedule=Schedule(kind="step", gamma=0.1, every_epochs=30.0),
    ema=0.0,
    precision="fp32",
    leave_out="photographs_300.txt",
)
