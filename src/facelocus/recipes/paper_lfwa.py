"""Alex on LFWA as section 4 prints it, its training half distorted anew at every step.

    facelocus train paper_lfwa --data LFWA --to RUN --from alexnet_cvgj.safetensors

What the paper leaves open is chosen in docs/paper.md; the other way to the 75,000 images, a Pack, is in docs/lfwa.md.
"""

from dataclasses import replace

from facelocus.recipes.paper_alex import RECIPE as CELEBA
from facelocus.training.expand import DISTORTIONS
from facelocus.training.recipe import Schedule

RECIPE = replace(
    CELEBA,
    # "we add some distortion to the training set, and expand the training set to over 75 thousand images".
    augment=replace(DISTORTIONS, crop=CELEBA.augment.crop),
    # "When training on the LFWA dataset, we set the initial learning rate as 0.005, and it will decay by 0.1 every
    # 10000 iteration": as many iterations as on CelebA, since none other is named.
    schedule=Schedule(kind="step", gamma=0.1, every=10_000),
    # None of its photographs is among CelebA's.
    leave_out=None,
)
