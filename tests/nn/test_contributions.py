"""A logit is the sum of what its positions add, exactly, and of a constant."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from tiny_network import as_float, frames, tiny
from torch import nn

from facelocus.nn.attention import ATTENTIONS
from facelocus.nn.contributions import contributions


@pytest.mark.parametrize("attention", ["none", *ATTENTIONS])
@pytest.mark.parametrize(("normalise", "flip"), [(True, False), (False, False), (True, True)])
def test_positions_and_a_constant_give_the_logits(attention: str, normalise: bool, flip: bool) -> None:
    network = tiny(attention=attention, normalise=normalise, flip=flip).double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.affine:
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    network.train()
    network(as_float(frames()))  # statistics that are not 0 and 1
    network.eval()
    with torch.no_grad():
        maps, constants = contributions(network, as_float(frames()))
        logits = network(as_float(frames()))
    assert maps.shape == (4, len(network.attributes), 7, 6) and constants.shape == (len(network.attributes),)
    torch.testing.assert_close(maps.sum((2, 3)) + constants, logits, rtol=1e-10, atol=1e-10)
    assert maps.std() > 1e-4


def test_a_mirror_image_is_of_what_the_trunk_sees() -> None:
    """Where the middle is cut out a pixel beside the middle, mirrored before is another picture than after."""
    network = tiny(flip=True, size=(30, 26), crop=(28, 23)).double().eval()
    with torch.no_grad():
        maps, constants = contributions(network, as_float(frames()))
        logits = network(as_float(frames()))
    torch.testing.assert_close(maps.sum((2, 3)) + constants, logits, rtol=1e-10, atol=1e-10)


def test_it_is_the_gradient_times_the_excited_features() -> None:
    network = tiny(attention="squeeze_excitation").double().eval()
    sub = network.sub_networks
    with torch.no_grad():
        excited = sub.attention(torch.relu(sub.norm(sub.conv(network.features(as_float(frames(1)))))))
    excited.requires_grad_()
    pooled = excited.mean((2, 3)).unflatten(1, (sub.regions, sub.channels))
    features = sub.out_norm(pooled.flatten(1)).unflatten(1, (sub.regions, sub.channels))
    logit = (features[:, network.region_index] * network.logit_weight).sum(-1)[0, 2]
    (gradient,) = torch.autograd.grad(logit, excited)
    maps, _ = contributions(network, as_float(frames(1)))
    torch.testing.assert_close(maps[0, 2], (gradient * excited).sum(1)[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("changes", [{"pooling": "max"}, {"hidden": 3}])
def test_what_is_no_sum_over_positions_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"network\.pooling=mean and network\.hidden=0"):
        contributions(tiny(**changes).eval(), frames())


def test_training_mode_is_refused() -> None:
    network = copy.deepcopy(tiny()).train()
    with pytest.raises(ValueError, match=r"call network\.eval\(\) first"):
        contributions(network, frames())
