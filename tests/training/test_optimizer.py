"""Rates and decay reach the parameters they are meant for, and the moving average is one."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from facelocus.attributes import AttributeSet
from facelocus.nn import NetworkSpec, RegionNetwork
from facelocus.training.optimizer import MovingAverage, build_optimizer, set_rate
from facelocus.training.recipe import Optimizer
from tiny_trunk import TinyTrunk

SET = AttributeSet(("a", "b", "c"), ("eye", "lip"), ("lip", "eye", "lip"))


@pytest.fixture
def network() -> RegionNetwork:
    torch.manual_seed(0)
    return RegionNetwork(TinyTrunk(), SET, NetworkSpec(size=(32, 24), channels=4, reduction=2, hidden=3))


def by_name(network: RegionNetwork, spec: Optimizer, key: str) -> dict[str, float]:
    """Return for each parameter the value of its group."""
    groups = build_optimizer(network, spec).param_groups
    of = {id(parameter): group[key] for group in groups for parameter in group["params"]}
    assert len(of) == sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    return {name: of[id(parameter)] for name, parameter in network.named_parameters()}


def test_by_default_all_move_at_one_rate(network: RegionNetwork) -> None:
    assert set(by_name(network, Optimizer(), "multiple").values()) == {1.0}


def test_trunk_rates_lie_on_a_geometric_line(network: RegionNetwork) -> None:
    multiples = by_name(network, Optimizer(trunk_rate=0.5, first_layer_rate=0.01), "multiple")
    trunk = [value for name, value in multiples.items() if name.startswith("trunk.")]
    assert trunk[0] == pytest.approx(0.005)
    assert trunk[-1] == pytest.approx(0.5)
    steps = [later / earlier for earlier, later in pairwise(trunk)]
    assert steps == pytest.approx([steps[0]] * len(steps)) and steps[0] > 1
    assert {value for name, value in multiples.items() if not name.startswith("trunk.")} == {1.0}


def test_biases_have_their_own_rate(network: RegionNetwork) -> None:
    multiples = by_name(network, Optimizer(bias_rate=2.0), "multiple")
    assert {name for name, value in multiples.items() if value == 2.0} == {
        name for name in multiples if name.endswith("bias")
    }
    assert {"trunk.first.bias", "sub_networks.hidden.bias", "sub_networks.attention.reduce.bias"} <= multiples.keys()


def test_vectors_are_not_decayed_unless_asked(network: RegionNetwork) -> None:
    decays = by_name(network, Optimizer(weight_decay=0.1), "weight_decay")
    assert {name for name, value in decays.items() if value} == {
        "trunk.first.weight",
        "trunk.second.weight",
        "sub_networks.conv.weight",
        "sub_networks.attention.reduce.weight",
        "sub_networks.attention.expand.weight",
        "sub_networks.hidden.weight",
        "logit_weight",
    }
    assert set(by_name(network, Optimizer(weight_decay=0.1, decay_vectors=True), "weight_decay").values()) == {0.1}


def test_set_rate_multiplies_and_the_parameters_move_by_it(network: RegionNetwork) -> None:
    optimizer = build_optimizer(network, Optimizer(kind="sgd", bias_rate=2.0, weight_decay=0.0))
    set_rate(optimizer, 0.25)
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    for name, parameter in network.named_parameters():
        moved = before[name] - parameter.detach()
        torch.testing.assert_close(moved, torch.full_like(moved, 0.5 if name.endswith("bias") else 0.25))


def test_kinds_of_optimiser(network: RegionNetwork) -> None:
    sgd = build_optimizer(network, Optimizer(kind="sgd", momentum=0.8))
    assert isinstance(sgd, torch.optim.SGD) and sgd.param_groups[0]["momentum"] == 0.8
    assert isinstance(build_optimizer(network, Optimizer(kind="adamw")), torch.optim.AdamW)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_moving_average_holds_weights_and_batchnorm_statistics(network: RegionNetwork, decay: float) -> None:
    average = MovingAverage(network, decay)
    expected = {name: value.clone().double() for name, value in network.state_dict().items()}
    network.train()
    for step in range(5):
        network(torch.full((2, 3, 218, 178), 20.0 * step))  # moves the statistics
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(1)
        average.update(step)
        keep = min(decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            expected[name] = keep * expected[name] + (1 - keep) * value.double()
    assert average.tensors.keys() == expected.keys()
    assert {"trunk.norm.running_var", "sub_networks.norm.running_mean", "trunk.first.weight"} <= expected.keys()
    for name, value in average.tensors.items():
        if value.is_floating_point():
            torch.testing.assert_close(value.double(), expected[name], rtol=1e-5, atol=1e-6)
        else:
            assert value == 5 and name.endswith("num_batches_tracked")
    if decay == 0:
        assert all(torch.equal(value, network.state_dict()[name]) for name, value in average.tensors.items())


def test_moving_average_is_no_view_of_the_network(network: RegionNetwork) -> None:
    average = MovingAverage(network, 0.9)
    before = {name: value.clone() for name, value in average.tensors.items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    assert all(torch.equal(value, before[name]) for name, value in average.tensors.items())


def test_the_average_forgets_what_came_before_a_phase(network: RegionNetwork) -> None:
    average = MovingAverage(network, 0.999)
    for value in average.tensors.values():
        value.fill_(100)
    for step in range(100):
        average.update(step)
    state = network.state_dict()
    assert all((value - state[name]).abs().max() < 1e-3 for name, value in average.tensors.items())
