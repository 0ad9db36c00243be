"""What makes a sub-network look at its region: PSE(b) and variants, one change each, in runs like paper_small's.

`none` and `pse_conv` are the controls. All have the BatchNorm before the logits, so that scale cannot pass for place.
"""

from dataclasses import replace

from facelocus.grids.paper_small import LITE_SMALL
from facelocus.training.grid import Grid
from facelocus.training.recipe import Penalty, Recipe

_PSE = replace(LITE_SMALL, network=replace(LITE_SMALL.network, attention="pse_conv"))


def _with(attention: str = "pse_conv", squeeze: str = "mean") -> Recipe:
    return replace(_PSE, network=replace(_PSE.network, attention=attention, squeeze=squeeze))


GRID = Grid(
    {
        f"tf_efficientnet_lite0/{name}": recipe
        for name, recipe in {
            "none": _with("none"),
            "pse_conv": _PSE,
            "squeeze_max": _with(squeeze="max"),
            "squeeze_weighted": _with(squeeze="weighted"),
            "pse_residual": _with("pse_residual"),
            "pse_normalised": _with("pse_normalised"),
            "pse_softmax": _with("pse_softmax"),
            "pse_sharp": _with("pse_sharp"),
            "pse_open": _with("pse_open"),
            # Of a loss that begins at about 16 and ends at about 9.
            "overlap": replace(_PSE, penalty=Penalty(overlap=0.5)),
            "outside": replace(_PSE, penalty=Penalty(outside=0.5)),
        }.items()
    },
    seeds=(0, 1, 2),
)
