"""The attention modules compute the paper's equations, with its numbers of parameters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from facelocus.nn import PSEConv, PSEFullyConnected, SqueezeExcitation
from facelocus.nn.attention import ATTENTIONS, PSENormalised, PSEOpen, PSEResidual, PSESharp, PSESoftmax
from facelocus.nn.attention.squeeze import SQUEEZES, PositionSqueeze

#: Modules of 8 channels on 4 x 3 positions, one for each kind and squeeze.
C, H, W = 8, 4, 3
SMALL: dict[str, Callable[[int], nn.Module]] = {
    f"{name}-{squeeze}": lambda groups, build=build, squeeze=squeeze: build(C, (H, W), 4, squeeze, groups)
    for name, build in ATTENTIONS.items()
    for squeeze in (SQUEEZES if name.startswith("pse") else ("mean",))
}


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("module", "count"),
    [
        (PSEConv(256), 177),  # 16 * (9 + 1) + 16 + 1
        (PSEFullyConnected(256, (13, 13)), 5_593),  # 169 * 16 + 16 + 16 * 169 + 169
        (SqueezeExcitation(256), 8_464),  # 256 * 16 + 16 + 16 * 256 + 256
        (PSEConv(256, squeeze="max"), 177),
        (PSEConv(256, squeeze="mean_max"), 177 + 16 * 9),
        (PSEConv(256, squeeze="weighted"), 177 + 256),
        (PSEFullyConnected(256, (13, 13), squeeze="mean_max"), 5_593 + 16 * 169),
        (PSEConv(256, groups=8), 8 * 177),
        (PSEFullyConnected(256, (13, 13), groups=8), 8 * 5_593),
        (SqueezeExcitation(256, groups=8), 8 * 8_464),
    ],
)
def test_numbers_of_parameters_are_the_papers(module: nn.Module, count: int) -> None:
    assert parameters(module) == count


def test_pse_conv_equals_the_equations() -> None:
    module, x = PSEConv(C, 4).double(), random(2, C, 5, 6)
    w1, w2 = nn.Conv2d(1, 2, 3, padding=1).double(), nn.Conv2d(2, 1, 1).double()
    w1.load_state_dict(module.reduce.state_dict())
    w2.load_state_dict(module.expand.state_dict())
    z = sum(x[:, channel] for channel in range(C)).unsqueeze(1) / C  # type: ignore[union-attr]
    s = 1 / (1 + torch.exp(-w2(torch.relu(w1(z)))))
    y = torch.stack([s[:, 0] * x[:, channel] for channel in range(C)], 1)
    excited, mask = module(x, masks=True)
    torch.testing.assert_close(mask, s)
    torch.testing.assert_close(excited, y)
    torch.testing.assert_close(module(x), y)
    torch.testing.assert_close(module.masks(x), s)


def test_other_forms_equal_their_equations() -> None:
    x = random(2, C, 5, 6)
    paper = PSEConv(C, 4).double()
    e = torch.logit(paper.masks(x))
    s, competing = torch.sigmoid(e), torch.softmax(e.flatten(2), 2).unflatten(2, (5, 6))
    expected = {
        PSEResidual: (s, (1 + s) * x),
        PSENormalised: (s, s / s.mean((2, 3), keepdim=True) * x),
        PSESoftmax: (competing / competing.amax((2, 3), keepdim=True), 30 * competing * x),
        PSESharp: (torch.sigmoid(4 * e), torch.sigmoid(4 * e) * x),
        PSEOpen: (s, s * x),
    }
    for form, (mask, y) in expected.items():
        module = form(C, 4).double()
        module.load_state_dict(paper.state_dict(), strict=form is not PSESoftmax)
        excited, its_mask = module(x, masks=True)
        torch.testing.assert_close(its_mask, mask)
        torch.testing.assert_close(excited, y)


def test_an_open_form_begins_open_and_softmax_has_no_bias_that_does_nothing() -> None:
    assert PSEOpen(256).masks(random(2, 256, 5, 6).float()).mean() > 0.8
    assert parameters(PSESoftmax(256)) == 176


@torch.no_grad()
def plain_from(module: PSEFullyConnected | SqueezeExcitation, w1: nn.Linear, w2: nn.Linear) -> None:
    """Copy the weights of a module of one group into plain layers."""
    for layer, grouped in ((w1, module.reduce), (w2, module.expand)):
        layer.weight.copy_(grouped.weight[0])
        layer.bias.copy_(grouped.bias[0])


def test_pse_fully_connected_equals_the_equations() -> None:
    module, x = PSEFullyConnected(C, (H, W), 4).double(), random(2, C, H, W)
    w1, w2 = nn.Linear(H * W, 2).double(), nn.Linear(2, H * W).double()
    plain_from(module, w1, w2)
    z = x.mean(1).reshape(2, H * W)
    s = torch.sigmoid(w2(torch.relu(w1(z)))).reshape(2, 1, H, W)
    excited, mask = module(x, masks=True)
    torch.testing.assert_close(mask, s)
    torch.testing.assert_close(excited, s * x)


def test_squeeze_excitation_equals_two_linear_layers() -> None:
    module, x = SqueezeExcitation(C, 4).double(), random(2, C, H, W)
    w1, w2 = nn.Linear(C, 2).double(), nn.Linear(2, C).double()
    plain_from(module, w1, w2)
    s = torch.sigmoid(w2(torch.relu(w1(x.mean((2, 3))))))
    torch.testing.assert_close(module(x), x * s[:, :, None, None])


def test_squeezes_are_what_their_names_say() -> None:
    x = random(2, 3, C, H, W)
    mean, largest = x.sum(2) / C, x.max(2).values
    torch.testing.assert_close(PositionSqueeze(C, "mean", 3)(x), mean.unsqueeze(2))
    torch.testing.assert_close(PositionSqueeze(C, "max", 3)(x), largest.unsqueeze(2))
    torch.testing.assert_close(PositionSqueeze(C, "mean_max", 3)(x), torch.stack([mean, largest], 2))
    weighted = PositionSqueeze(C, "weighted", 3).double()
    torch.testing.assert_close(weighted(x), mean.unsqueeze(2))  # before any step it is the mean
    with torch.no_grad():
        weighted.weight.copy_(random(3, C, seed=1))
    expected = torch.stack([sum(weighted.weight[g, c] * x[:, g, c] for c in range(C)) for g in range(3)], 1)  # type: ignore[misc]
    torch.testing.assert_close(weighted(x), expected.unsqueeze(2))


@pytest.mark.parametrize("kind", [kind for kind, build in SMALL.items() if build(1).has_masks])
def test_masks_lie_in_0_1_and_come_only_on_request(kind: str) -> None:
    module = SMALL[kind](2).double()
    x = 100 * random(3, 2 * C, H, W)
    assert isinstance(module(x), Tensor)
    excited, masks = module(x, masks=True)
    assert masks.shape == (3, 2, H, W)
    assert 0 <= masks.min() < masks.max() <= 1
    torch.testing.assert_close(excited, module(x))
    # What a network with mean pooling computes without ever writing the excited x.
    by_group = x.unflatten(1, (2, C)) * module.weights(masks).unsqueeze(2)
    torch.testing.assert_close(excited, by_group.flatten(1, 2))


@pytest.mark.parametrize("kind", SMALL)
def test_groups_equal_separate_modules(kind: str) -> None:
    torch.manual_seed(1)
    together, alone = SMALL[kind](3).double(), [SMALL[kind](1).double() for _ in range(3)]
    for parameter in together.parameters():
        nn.init.normal_(parameter)
    for group, module in enumerate(alone):
        # Each group's share of a parameter is one third along its first axis, as G modules' parameters stacked.
        module.load_state_dict(
            {name: value.chunk(3)[group].reshape(module.state_dict()[name].shape)
             for name, value in together.state_dict().items()}
        )  # fmt: skip
    x = random(2, 3 * C, H, W)
    expected = [module(part) for module, part in zip(alone, x.split(C, 1), strict=True)]
    torch.testing.assert_close(together(x), torch.cat(expected, 1))


def test_another_number_of_channels_is_refused() -> None:
    for module in (PSEConv(C, 4), PSEFullyConnected(C, (H, W), 4), SqueezeExcitation(C, 4)):
        with pytest.raises(ValueError, match=r"expected B x 8 x H x W, got 2 x 7 x 4 x 3"):
            module(torch.zeros(2, 7, H, W))
    with pytest.raises(ValueError, match=r"expected B x 16 x H x W, got 2 x 8 x 4 x 3"):
        PSEConv(C, 4, groups=2)(torch.zeros(2, C, H, W))
    with pytest.raises(ValueError, match=r"got 8 x 4 x 3"):
        PSEConv(C, 4)(torch.zeros(C, H, W))


def test_other_positions_are_refused_with_the_module_that_fits() -> None:
    with pytest.raises(ValueError, match=r"made for 4 x 3 positions, got 3 x 4: use PSEFullyConnected\(8, \(3, 4\)\)"):
        PSEFullyConnected(C, (H, W), 4)(torch.zeros(2, C, W, H))


def test_an_indivisible_reduction_is_refused_with_channels_that_fit() -> None:
    for build in (lambda: PSEConv(100), lambda: PSEFullyConnected(100, (2, 2)), lambda: SqueezeExcitation(100)):
        with pytest.raises(ValueError, match=r"100 channels do not divide by a reduction of 16: use 96 channels"):
            build()
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="reduction"):
            PSEConv(16, wrong)
    with pytest.raises(ValueError, match=r"use 16 channels"):
        PSEConv(4)


def test_an_unknown_squeeze_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"squeeze 'median' is not one of mean, max, mean_max, weighted"):
        PSEConv(16, squeeze="median")


@pytest.mark.parametrize("kind", SMALL)
def test_contract_of_every_attention(kind: str) -> None:
    """Same shape, finite, a gradient in every parameter that central differences confirm, and a flag for masks."""
    torch.manual_seed(2)
    module = SMALL[kind](2).double()
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.1, 0.5)  # positive: no ReLU is off, so every parameter matters
    x = random(2, 2 * C, H, W).abs().requires_grad_()
    if isinstance(module, PSESoftmax):  # what is added everywhere changes nothing: each unit is off somewhere
        assert module.reduce.bias is not None
        z = module.squeeze(x.detach().unflatten(1, (2, C))).flatten(1, 2)
        module.reduce.bias.data -= module.reduce(z).mean((0, 2, 3))
    y = module(x)
    assert y.shape == x.shape and y.isfinite().all()
    assert isinstance(module.has_masks, bool)
    y.square().sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().min() > 0, name
    names, values = zip(*module.named_parameters(), strict=True)

    def called(x: Tensor, *values: Tensor) -> Tensor:
        return torch.func.functional_call(module, dict(zip(names, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(called, (x, *values), fast_mode=True)


@pytest.mark.parametrize("kind", SMALL)
def test_every_attention_exports_with_a_free_batch(kind: str) -> None:
    module = SMALL[kind](2).eval()
    example = torch.rand(2, 2 * C, H, W)
    program = torch.export.export(module, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    x = torch.randn(3, 2 * C, H, W)
    torch.testing.assert_close(program.module()(x), module(x))
