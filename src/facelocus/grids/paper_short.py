"""Section 4 in 3,000 iterations: three trunks, each without attention, with both forms of PSE and with SE."""

from dataclasses import replace

from facelocus.recipes.paper_alex_scratch import RECIPE as ALEX
from facelocus.recipes.paper_se_scratch import RECIPE as SE
from facelocus.training.grid import Grid
from facelocus.training.recipe import Phase, Recipe

#: The attentions of section 3.2 and of the network that they are compared with.
MODULES = ("none", "pse_fully_connected", "pse_conv", "squeeze_excitation")

#: EfficientNet-lite0 is the trunk whose ImageNet weights are at hand: the paper starts from such weights.
LITE = replace(
    SE,
    network=replace(SE.network, trunk="tf_efficientnet_lite0", imagenet=True),
    optimizer=replace(SE.optimizer, rate=0.05),
)


def compared(trunks: dict[str, Recipe]) -> dict[str, Recipe]:
    """Return "TRUNK/MODULE" -> recipe, for each module."""
    return {
        f"{trunk}/{module}": replace(recipe, network=replace(recipe.network, attention=module))
        for trunk, recipe in trunks.items()
        for module in MODULES
    }


GRID = Grid(
    compared(
        {
            trunk: replace(recipe, phases=(Phase(iterations=3_000),))
            for trunk, recipe in (("alexnet_cvgj", ALEX), ("seresnet50", SE), ("tf_efficientnet_lite0", LITE))
        }
    ),
    seeds=(0, 1, 2),
)
