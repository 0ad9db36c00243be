"""Every form of the H100's benchmark computes what the package's network computes, and learns the same."""

from __future__ import annotations

import copy
import importlib.util
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from facelocus.attributes import CELEBA, FRAME
from facelocus.nn.network import RegionNetwork
from facelocus.recipes import load_recipe
from h100_count import PARAMETERS, training_flops
from h100_forms import Form, to_channels_first, to_windows_first

WAYS = ("blocks", "fold", "no_bias", "split", "dense", "blocks fold no_bias split")


def network_of(attention: str) -> RegionNetwork:
    """The paper's network with a small hidden layer and biases that are not 0."""
    torch.manual_seed(0)
    network = replace(load_recipe("paper_alex").network, attention=attention, hidden=8).build(CELEBA).double()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.3)
    return network.train()


def faces() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (2, *FRAME), generator=generator, dtype=torch.uint8), torch.tensor([0, 1])


@pytest.mark.parametrize("attention", ["pse_conv", "none"])
def test_every_way_is_the_same_function(attention: str) -> None:
    network, (frames, flip) = network_of(attention), faces()
    plain = copy.deepcopy(network)
    mirrored = torch.where(flip.view(-1, 1, 1, 1) != 0, frames.flip(2), frames)
    expected = plain(mirrored)
    weights = torch.randn(expected.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    (expected * weights).sum().backward()
    for ways in WAYS:
        form = Form(network, frozenset(ways.split()), torch.float64).train()
        logits = form(frames, flip)
        torch.testing.assert_close(logits, expected, msg=ways)
        (logits * weights).sum().backward()
        for (name, ours), theirs in zip(form.network.named_parameters(), plain.parameters(), strict=True):
            assert theirs.grad is not None
            found = torch.zeros_like(ours) if ours.grad is None else ours.grad
            torch.testing.assert_close(found, theirs.grad, rtol=1e-6, atol=1e-9, msg=f"{ways}: {name}")
        for (name, ours), theirs in zip(form.network.named_buffers(), plain.buffers(), strict=True):
            torch.testing.assert_close(ours, theirs, msg=f"{ways}: {name}")


def test_hidden_weights_come_back_in_their_order() -> None:
    weight = torch.randn(2, 3, 256 * 4)
    assert torch.equal(to_channels_first(to_windows_first(weight)), weight)
    assert torch.equal(to_windows_first(weight)[0, 0, :256], weight[0, 0, ::4])


def test_ways_that_exclude_each_other_are_refused() -> None:
    for ways in ({"tail"}, {"split", "dense"}, {"unknown"}):
        with pytest.raises(ValueError, match="no form"):
            Form(network_of("none"), frozenset(ways), torch.float64)


def test_counted_parameters_and_operations() -> None:
    network = load_recipe("paper_alex").network.build(CELEBA)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS
    assert training_flops(pse=True) - training_flops(pse=False) < training_flops() / 500


def test_a_weight_that_learns_elsewhere_takes_the_place_of_the_hidden_layers() -> None:
    network, (frames, flip) = network_of("none"), faces()
    form = Form(network, frozenset(), torch.float64).train()
    expected = form(frames, flip)
    hidden = form.network.sub_networks.hidden
    assert hidden is not None
    form.hidden = torch.nn.Parameter(hidden.weight.detach().clone())
    logits = form(frames, flip)
    torch.testing.assert_close(logits, expected)
    logits.sum().backward()
    assert form.hidden.grad is not None and hidden.weight.grad is None


@pytest.mark.skipif(
    not torch.cuda.is_available() or importlib.util.find_spec("triton") is None, reason="its kernels need a GPU"
)
@pytest.mark.parametrize("ways", ["norms", "split tail", "frames", "frames split no_bias norms tail"])
def test_kernels_are_the_same_function(ways: str) -> None:
    network, (frames, flip) = network_of("pse_conv").float().cuda(), (x.cuda() for x in faces())
    results = [
        Form(network, chosen, torch.float32).train()(frames, flip) for chosen in (frozenset(), frozenset(ways.split()))
    ]
    torch.testing.assert_close(results[1], results[0], rtol=1e-3, atol=1e-3)
