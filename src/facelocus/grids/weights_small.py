"""Ways to better weights, one change each of PSE(b) of `paper_small`: what to spend a long training on."""

from dataclasses import replace

from facelocus.grids.paper_small import GRID as COMPARED
from facelocus.recipes.student import RECIPE as STUDENT
from facelocus.training.grid import Grid

BASE = COMPARED.recipes["tf_efficientnet_lite0/pse_conv"]

#: Name -> settings that differ from the base.
_WAYS = {
    "base": (),
    "larger_trunk": ("network.trunk=tf_efficientnet_lite2",),
    "coarser_stage_too": ("network.context=true",),
    "half_the_channels": ("network.channels=128",),
    "hidden_layer": ("network.hidden=64",),
    "larger_input": ("network.size=[144,128]",),
    "blurred_input": ("network.blur=0.7",),
    "slow_first_layers": ("optimizer.trunk_rate=0.5", "optimizer.first_layer_rate=0.2"),
    "decay": ("optimizer.weight_decay=0.05",),
    "no_average": ("ema=0",),
    "smaller_batches": ("batch_size=16", 'phases=[{"iterations": 600}]'),
    "regions_told": ("penalty.outside=0.5",),
}

GRID = Grid(
    {name: BASE.with_settings(settings) for name, settings in _WAYS.items()}
    | {"augmented": replace(BASE, augment=STUDENT.augment)},
    seeds=(0, 1, 2),
)
