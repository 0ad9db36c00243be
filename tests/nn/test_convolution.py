"""Convolutions in the form in which they learn are the same function, with the same gradients and statistics."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelocus.attributes import CELEBA, FRAME
from facelocus.bench.reference import PlainAlexNet
from facelocus.nn.backbones import AlexNetCVGJ
from facelocus.nn.convolution import before_norm, by_groups, on_blocks
from facelocus.recipes import load_recipe


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(
    ("size", "taps", "stride"),
    [
        ((227, 227), 11, 4),  # Alexnet's, to the last pixel
        ((31, 30), 11, 4),  # pixels that no window reaches
        ((12, 11), 11, 4),  # one window
        ((11, 14), 5, 2),
        ((16, 17), 3, 3),
        ((20, 23), 4, 4),
        ((9, 10), 1, 2),  # a kernel smaller than a block
    ],
)
def test_on_blocks_is_the_convolution(size: tuple[int, int], taps: int, stride: int) -> None:
    torch.manual_seed(0)
    x, weight = normal(2, 3, *size), normal(4, 3, taps, taps)
    plain, found = F.conv2d(x, weight, stride=stride), on_blocks(x, weight, stride)
    torch.testing.assert_close(found, plain)
    along = torch.randn_like(plain)
    torch.testing.assert_close(*(torch.autograd.grad(y, (x, weight), along) for y in (found, plain)))


@pytest.mark.parametrize("groups", [2, 4])
def test_by_groups_is_the_convolution(groups: int) -> None:
    torch.manual_seed(0)
    x, weight = normal(2, 8, 7, 6), normal(12, 8 // groups, 3, 3)
    plain = F.conv2d(x, weight, padding=1, groups=groups)
    torch.testing.assert_close(torch.cat(by_groups(x, weight, 1, groups), 1), plain)


@pytest.mark.parametrize(
    "conv",
    [nn.Conv2d(4, 6, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1, groups=2), nn.Conv2d(4, 6, 5, stride=2)],
    ids=["plain", "groups", "stride"],
)
def test_a_bias_that_is_not_added_is_in_the_running_mean(conv: nn.Conv2d) -> None:
    torch.manual_seed(0)
    conv = conv.double()
    plain, x = copy.deepcopy(conv), normal(3, 4, 9, 8).detach()
    norms = [nn.BatchNorm2d(6, affine=False, dtype=torch.float64) for _ in range(2)]
    for _ in range(3):
        found, expected = norms[0](before_norm(x, conv, norms[0])), norms[1](plain(x))
        torch.testing.assert_close(found, expected)
    along = torch.randn_like(found)
    found.backward(along)
    expected.backward(along)
    torch.testing.assert_close(conv.weight.grad, plain.weight.grad)
    assert conv.bias is not None and conv.bias.grad is not None and not conv.bias.grad.any()
    torch.testing.assert_close(norms[0].state_dict(), norms[1].state_dict())


@pytest.mark.parametrize("way", ["all of the batch", "a mean of batches", "not learning"])
def test_a_norm_that_does_not_take_the_bias_out_gets_it(way: str) -> None:
    conv, norm = nn.Conv2d(4, 6, 3, padding=1).double(), nn.BatchNorm2d(6, dtype=torch.float64)
    if way == "not learning":
        norm.eval()
    else:
        norm.momentum = None if way == "a mean of batches" else 1
    plain, x = copy.deepcopy(norm), normal(3, 4, 9, 8)
    for _ in range(2):
        torch.testing.assert_close(norm(before_norm(x, conv, norm)), plain(conv(x)))
    torch.testing.assert_close(norm.state_dict(), plain.state_dict())


def test_gradients_come_through_two_calls_and_twice() -> None:
    torch.manual_seed(0)
    conv, norm = nn.Conv2d(4, 6, 3, padding=1).double(), nn.BatchNorm2d(6, affine=False, dtype=torch.float64)
    first, second = normal(3, 4, 9, 8), normal(3, 4, 9, 8)
    both = (norm(before_norm(x, conv, norm)).square().mul(x.sum()).sum() for x in (first, second))
    (gradient,) = torch.autograd.grad(sum(both), conv.weight, create_graph=True)
    gradient.square().sum().backward()
    assert first.grad is not None and first.grad.any()


def test_alexnet_learns_as_it_is_written_down() -> None:
    torch.manual_seed(0)
    trunk, plain = AlexNetCVGJ().double(), PlainAlexNet().double()
    for parameter in trunk.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    plain.load_state_dict(dict(zip(plain.state_dict(), _in_order(trunk), strict=True)))
    images = 255 * torch.rand(2, 3, 99, 91, dtype=torch.float64)
    found, expected = trunk(images), plain(images)
    torch.testing.assert_close(found, expected)
    along = torch.randn_like(found)
    found.backward(along)
    expected.backward(along)
    for mine, theirs in zip(_parameters(trunk), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)
    for mine, theirs in zip(_in_order(trunk), plain.state_dict().values(), strict=True):
        torch.testing.assert_close(mine, theirs)


def _in_order(trunk: AlexNetCVGJ) -> list[Tensor]:
    state = trunk.state_dict()
    names = ["data", *(f"{kind}{number}" for number in (1, 2, 3, 4) for kind in ("conv", "norm"))]
    return [value for name in names for key, value in state.items() if key.startswith(f"{name}.")]


def _parameters(trunk: AlexNetCVGJ) -> list[nn.Parameter]:
    convs = [trunk.conv1, trunk.conv2, trunk.conv3, trunk.conv4]
    return [parameter for module in (trunk.data, *convs) for parameter in module.parameters()]


def test_activations_of_the_paper_stay_in_16_bits_and_channels_last() -> None:
    """A bias in 32 bits would make them 32 bits wide, and regions taken from groups would turn them."""
    torch.manual_seed(0)
    network = replace(load_recipe("paper_alex").network, hidden=16).build(CELEBA).train()
    network.trunk.to(memory_format=torch.channels_last)
    seen: list[Tensor] = []
    for norm in (network.trunk.norm1, network.trunk.norm4, network.sub_networks.norm):
        norm.register_forward_pre_hook(lambda _, given: seen.append(given[0]))  # type: ignore[union-attr]
    with torch.autocast("cpu", torch.bfloat16):
        network(255 * torch.rand(2, 3, *FRAME[:2]))
    assert [x.dtype for x in seen] == [torch.bfloat16] * 3
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x in seen)
