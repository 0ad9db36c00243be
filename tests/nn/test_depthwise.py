"""Depthwise convolutions answer as torch's do, and so do their gradients, whatever is taken apart for them."""

from __future__ import annotations

import copy

import pytest
import torch
from timm.layers import StdConv2d, create_conv2d
from torch import Tensor, nn

from facelocus.nn import depthwise
from facelocus.nn.backbones import TimmTrunk
from facelocus.nn.depthwise import DepthwiseConv2d, own_gradients

SHAPES = [
    (kernel, stride, padding, size)
    for kernel in (3, 4, 5, 7)
    for stride in (1, 2, 3)
    for padding in ("same", "", 0)
    for size in ((11, 9), (12, 10))
]


def _gradients(conv: nn.Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    x = x.clone().requires_grad_()
    out = conv(x)
    out.backward(torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out))
    assert x.grad is not None
    (weight,) = conv.parameters()
    assert weight.grad is not None
    return out.detach(), x.grad, weight.grad


@pytest.mark.parametrize(("kernel", "stride", "padding", "size"), SHAPES)
def test_answers_and_gradients_are_those_of_torch(
    kernel: int, stride: int, padding: str | int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(depthwise, "TYPES", (torch.float64,))
    torch.manual_seed(0)
    conv = create_conv2d(6, 6, kernel, stride=stride, padding=padding, depthwise=True).double()
    ours = DepthwiseConv2d(copy.deepcopy(conv))
    x = torch.randn(2, 6, *size, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    for theirs, our in zip(_gradients(conv, x), _gradients(ours, x), strict=True):
        torch.testing.assert_close(our, theirs, rtol=1e-12, atol=1e-12)


def test_in_bf16_they_are_as_near_to_the_exact_ones_as_those_of_torch() -> None:
    torch.manual_seed(0)
    conv = create_conv2d(32, 32, 5, stride=2, padding="same", depthwise=True)
    x = torch.randn(4, 32, 20, 16).contiguous(memory_format=torch.channels_last)
    exact = _gradients(copy.deepcopy(conv).double(), x.double())
    with torch.autocast("cpu", torch.bfloat16):
        torchs, ours = (_gradients(made, x) for made in (copy.deepcopy(conv), DepthwiseConv2d(copy.deepcopy(conv))))
    assert ours[0].dtype == torch.bfloat16 and ours[1].dtype == ours[2].dtype == torch.float32
    for right, theirs, our in zip(exact, torchs, ours, strict=True):
        assert (our - right).norm() < 1.2 * (theirs - right).norm() + 1e-6 * right.norm()


def test_only_what_is_depthwise_is_replaced_and_names_stay() -> None:
    trunk = TimmTrunk("tf_efficientnet_lite0")
    before = copy.deepcopy(trunk)
    own_gradients(trunk)
    assert list(trunk.state_dict()) == list(before.state_dict())
    was = {name for name, layer in before.named_modules() if isinstance(layer, nn.Conv2d) and layer.groups > 1}
    assert {name for name, layer in trunk.named_modules() if isinstance(layer, DepthwiseConv2d)} == was != set()
    x = torch.rand(2, 3, 48, 40) * 255
    for made in (trunk, before):
        made.train().double()
    out, wanted = trunk(x.double()), before(x.double())
    torch.testing.assert_close(out, wanted, rtol=1e-9, atol=1e-9)
    for answered in (out, wanted):
        answered.square().sum().backward()
    for name, parameter in before.named_parameters():
        torch.testing.assert_close(trunk.get_parameter(name).grad, parameter.grad, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("changed", [{"bias": True}, {"groups": 2}, {"dilation": 2}, {"stride": (1, 2)}])
def test_others_are_left_alone(changed: dict[str, object]) -> None:
    holder = nn.Sequential(nn.Conv2d(4, 4, 3, **({"groups": 4, "bias": False} | changed)))  # type: ignore[arg-type]
    own_gradients(holder)
    assert type(holder[0]) is nn.Conv2d


def test_a_layer_that_makes_something_else_of_its_weight_is_left_alone() -> None:
    holder, x = nn.Sequential(StdConv2d(8, 8, 3, groups=8)), torch.rand(1, 8, 9, 9)
    before = holder(x)
    own_gradients(holder)
    assert torch.equal(holder(x), before)
