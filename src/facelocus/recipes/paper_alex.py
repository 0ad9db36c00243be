"""Alex on CelebA as section 4.2 prints it; PSE(b), and with --set network.attention=... the other modules.

    facelocus convert alexnet_cvgj.caffemodel alexnet_cvgj.safetensors
    facelocus train paper_alex --data CELEBA --to RUN --from alexnet_cvgj.safetensors

What the paper leaves open is chosen in docs/paper.md.
"""

from facelocus.nn.network import NetworkSpec
from facelocus.training.recipe import Augment, Optimizer, Phase, Recipe, Schedule

RECIPE = Recipe(
    network=NetworkSpec(
        # "We have applied the Alexnet-cvgj [15] and SEnet [7] to build our bottom network".
        trunk="alexnet_cvgj",
        # "we first standardize them to 256 x 256 x 3 size"; the crop is Alexnet-cvgj's.
        size=(256, 256),
        crop=(227, 227),
        # A sub-network is Alexnet-cvgj from conv5 on: 256 channels in 2 groups, BatchNorm without scale, pool5.
        channels=256,
        conv_groups=2,
        conv_affine=False,
        pooling="max",
        # Its two hidden layers of 4,096, eight times, would be 1.3 billion weights: one of 512.
        hidden=512,
        # "attached PSE module to every branch"; (b), of which figure 5 is drawn. C / 16 hidden units: section 3.2.
        attention="pse_conv",
        reduction=16,
        squeeze="mean",
    ),
    # "Batch size is 256, the max iteration step is 20000".
    phases=(Phase(iterations=20_000),),
    batch_size=256,
    # "randomly left-or-right flip the images in an online way"; the random crop of 227 out of 256 is Alexnet-cvgj's:
    # 14 pixels each way, which are 12 rows and 10 columns of the frame.
    augment=Augment(flip=0.5, crop=(12, 10)),
    # "the initial learning rate to be 0.005"; "the other hyperparameters are all set to be the same as those of
    # original Alexnet-cvgj model": momentum 0.9, weight decay 5e-4, biases at twice the rate and not decayed.
    optimizer=Optimizer(kind="sgd", rate=0.005, momentum=0.9, weight_decay=5e-4, bias_rate=2.0),
    # "it will follow a polynomial decay function"; the original's power is 1.
    schedule=Schedule(kind="poly", power=1.0),
    # Caffe has neither moving average nor half precision.
    ema=0.0,
    precision="fp32",
    leave_out="photographs_300.txt",
)
