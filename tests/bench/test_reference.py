"""The plain reference computes what RegionNetwork computes, with as many parameters."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from facelocus.attributes import CELEBA, FRAME
from facelocus.bench.reference import PlainNetwork
from facelocus.nn.backbones import TRUNKS
from facelocus.nn.network import NetworkSpec
from facelocus.recipes import load_recipe
from tiny_trunk import TinyTrunk

ALEX = replace(load_recipe("paper_alex").network, hidden=16)
LITE = NetworkSpec(size=(64, 64), channels=32)


def test_a_trunk_of_ones_own_is_its_own_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRUNKS, "mine", TinyTrunk)
    network = NetworkSpec(trunk="mine", stride=4, size=(32, 24), channels=16).build(CELEBA).eval()
    frames = 255 * torch.rand(2, 3, *FRAME[:2])
    torch.testing.assert_close(PlainNetwork(network).eval()(frames), network(frames), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "spec",
    [
        ALEX,
        replace(ALEX, attention="none"),
        replace(ALEX, attention="pse_fully_connected"),
        LITE,
        replace(LITE, attention="squeeze_excitation", normalise=False),
        replace(LITE, squeeze="mean_max", blur=0.7, flip=True),
        replace(LITE, flip=True, size=(70, 67), crop=(64, 64)),
        replace(LITE, context=True, attention="pse_softmax", size=(72, 64), crop=(64, 64)),
    ],
    ids=str,
)
def test_equal_to_region_network(spec: NetworkSpec) -> None:
    torch.manual_seed(0)
    network = spec.build(CELEBA).double()
    reference = PlainNetwork(network)
    frames = 255 * torch.rand(4, 3, *FRAME[:2], dtype=torch.float64)
    for training in (True, False):
        torch.testing.assert_close(
            reference.train(training)(frames), network.train(training)(frames), rtol=1e-5, atol=1e-5
        )
    count = [sum(weight.numel() for weight in module.parameters()) for module in (reference, network)]
    assert count[0] == count[1]
