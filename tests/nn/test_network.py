"""RegionNetwork is one computation that equals a plain loop over regions, forward and in every gradient."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest
import torch
from plain_network import PlainNetwork, fast_state
from tiny_network import MIXED, SIZE, as_float, frames, tiny
from torch import Tensor

from facelocus.attributes import CELEBA, FRAME
from facelocus.errors import RecipeError
from facelocus.nn import NetworkSpec
from facelocus.nn.attention import ATTENTIONS
from facelocus.nn.attention.squeeze import SQUEEZES

KINDS = [
    *({"attention": kind} for kind in ("none", *ATTENTIONS)),
    *({"attention": kind, "pooling": "max"} for kind in ("none", *ATTENTIONS)),
    *({"attention": kind, "hidden": 5} for kind in ("none", *ATTENTIONS)),
    *({"attention": "pse_conv", "squeeze": squeeze} for squeeze in SQUEEZES if squeeze != "mean"),
    {"attention": "pse_fully_connected", "squeeze": "mean_max"},
    {"attention": "pse_conv", "conv_groups": 2},
    {"attention": "pse_conv", "conv_affine": False},
    {"attention": "pse_conv", "normalise": False},
    {"attention": "squeeze_excitation", "conv_groups": 2, "conv_affine": False, "pooling": "max", "hidden": 5},
    {"attention": "pse_conv", "conv_groups": 2, "conv_affine": False, "pooling": "max", "hidden": 5},
]


@pytest.mark.parametrize("changes", KINDS, ids=lambda changes: "-".join(map(str, changes.values())))
def test_equals_the_plain_loop_with_every_gradient(changes: dict[str, Any]) -> None:
    network = tiny(**changes).double()
    plain = PlainNetwork(network, copy.deepcopy(network.trunk), 6, (7, 6)).double()
    for module in plain.modules():  # nothing stays at a value that hides a mistake: norms at 1 and 0, biases at 0
        for parameter in module.parameters(recurse=False):
            parameter.data.add_(torch.randn_like(parameter) * 0.3)
    missing, unexpected = network.load_state_dict(fast_state(plain, plain.state_dict()), strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    images = as_float(frames())
    has_masks = network.sub_networks.has_masks
    target = torch.randn(4, len(MIXED), generator=torch.Generator().manual_seed(4), dtype=torch.float64)

    expected, expected_masks = plain.train()(images)
    logits = network.train()(images)
    torch.testing.assert_close(logits, expected)
    (logits * target).sum().backward()
    (expected * target).sum().backward()
    gradients = fast_state(plain, {name: value.grad for name, value in plain.named_parameters()})
    assert gradients.keys() == dict(network.named_parameters()).keys()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        torch.testing.assert_close(parameter.grad, gradients[name], msg=lambda text, name=name: f"{name}: {text}")

    state = network.state_dict()  # the statistics that this training step has moved
    for name, value in fast_state(plain, plain.state_dict()).items():
        torch.testing.assert_close(state[name], value)

    with torch.no_grad():
        expected, expected_masks = plain.eval()(images)
        torch.testing.assert_close(network.eval()(images), expected)
        if has_masks:
            logits, masks = network(images, masks=True)
            torch.testing.assert_close(logits, expected)
            torch.testing.assert_close(masks, expected_masks)


def test_logits_come_in_the_attribute_sets_order() -> None:
    """Moving one attribute's bias moves its column alone, wherever its region stands."""
    network = tiny().eval()
    with torch.no_grad():
        before = network(frames())
        for column in range(len(MIXED)):
            network.start_at(torch.sigmoid(torch.eye(len(MIXED))[column]))
            moved = network(frames()) - before
            torch.testing.assert_close(moved, torch.eye(len(MIXED))[column].expand(4, -1), atol=1e-5, rtol=0)


def test_a_region_reads_no_other_regions_sub_network() -> None:
    network = tiny().train()
    network(frames())[:, MIXED.names.index("c")].sum().backward()  # "c" alone is on "ear", region 1
    touched = network.sub_networks.conv.weight.grad.abs().sum((1, 2, 3, 4)) > 0  # type: ignore[union-attr]
    assert touched.tolist() == [False, True, False]


def test_masks_have_one_map_a_region() -> None:
    network = tiny(attributes=CELEBA).eval()
    with torch.no_grad():
        logits, masks = network(frames(2), masks=True)
    assert logits.shape == (2, 40)
    assert masks.shape == (2, 8, 7, 6)
    assert 0 <= masks.min() < masks.max() <= 1


@pytest.mark.parametrize("attention", ["none", "squeeze_excitation"])
def test_masks_of_a_network_without_pse_are_refused(attention: str) -> None:
    with pytest.raises(ValueError, match=f"attention '{attention}' has no masks: use pse_conv"):
        tiny(attention=attention).eval()(frames(), masks=True)


def test_the_mean_over_a_face_and_its_mirror_image() -> None:
    """Outside training only, the same of uint8 and float frames, and the same for the mirror image."""
    once, twice = (tiny(flip=flip).double().eval() for flip in (False, True))
    images = as_float(frames())
    with torch.no_grad():
        logits, masks = once(images, masks=True)
        mirrored, mirrored_masks = once(images.flip(3), masks=True)
        both, both_masks = twice(images, masks=True)
        torch.testing.assert_close(both, (logits + mirrored) / 2)
        torch.testing.assert_close(both_masks, (masks + mirrored_masks.flip(3)) / 2)
        torch.testing.assert_close(twice(frames()), both)
        torch.testing.assert_close(twice(images.flip(3)), both)
        torch.testing.assert_close(twice.train()(images), once.train()(images), rtol=0, atol=0)
    assert (mirrored - logits).abs().max() > 1e-5


def test_uint8_rows_of_pixels_equal_float_planes() -> None:
    network = tiny().eval()
    with torch.no_grad():
        torch.testing.assert_close(network(frames()), network(as_float(frames()).float()), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.zeros(2, 178, 218, 3, dtype=torch.uint8), r"B x 218 x 178 x 3, got 2 x 178 x 218 x 3"),
        (torch.zeros(2, 3, 218, 178, dtype=torch.uint8), r"B x 218 x 178 x 3, got 2 x 3 x 218 x 178"),
        (torch.zeros(218, 178, 3, dtype=torch.uint8), r"B x 218 x 178 x 3, got 218 x 178 x 3"),
        (torch.zeros(2, 3, 224, 224), r"B x 3 x 218 x 178, got 2 x 3 x 224 x 224"),
        (torch.zeros(2, 218, 178, 3), r"B x 3 x 218 x 178, got 2 x 218 x 178 x 3"),
    ],
)
def test_wrong_frames_are_refused_with_the_right_shape(images: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tiny()(images)


@pytest.mark.parametrize("attention", ["none", "pse_conv", "squeeze_excitation"])
def test_the_input_size_can_change_and_come_back(attention: str) -> None:
    network = tiny(attention=attention).eval()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        before = network(frames())
        network.set_input_size((34, 30))
        assert network(frames()).shape == before.shape
        if attention == "pse_conv":
            assert network(frames(), masks=True)[1].shape == (4, 3, 9, 8)
        network.set_input_size(SIZE)
        torch.testing.assert_close(network(frames()), before, rtol=0, atol=0)
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize("changes", [{"attention": "pse_fully_connected"}, {"attention": "none", "pooling": "max"}])
def test_an_input_size_with_other_positions_is_refused_where_they_are_fixed(changes: dict[str, Any]) -> None:
    network = tiny(**changes).eval()
    words = r"an input of 34 x 30 gives 9 x 8 positions, the sub-networks are made for 7 x 6: use pse_conv"
    with pytest.raises(ValueError, match=words):
        network.set_input_size((34, 30))
    network.set_input_size((25, 21))  # another size with the same positions
    assert network(frames()).shape == (4, 6)


def test_looking_at_the_trunk_leaves_it_as_it_was() -> None:
    network = tiny().train()
    statistics = network.trunk.norm.running_mean.clone()  # type: ignore[union-attr,operator]
    network.set_input_size((34, 30))
    assert network.trunk.training and network.trunk.norm.training  # type: ignore[union-attr]
    network.trunk.norm.eval()  # type: ignore[union-attr,operator]
    network.set_input_size((28, 24))
    assert network.trunk.training and not network.trunk.norm.training  # type: ignore[union-attr]
    assert torch.equal(network.trunk.norm.running_mean, statistics)  # type: ignore[union-attr,arg-type]


def test_untrained_logits_are_the_rates() -> None:
    network = tiny().eval()
    rates = torch.tensor([0.1, 0.2, 0.3, 0.5, 0.8, 0.98])
    network.start_at(rates)
    with torch.no_grad():
        network.logit_weight.zero_()
        torch.testing.assert_close(torch.sigmoid(network(frames(1)))[0], rates)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attention": "cbam"}, "attention 'cbam' is not one of none, pse_conv"),
        ({"squeeze": "median"}, "squeeze 'median' is not one of mean"),
        ({"pooling": "median"}, "pooling 'median' is not one of mean, max"),
        ({"channels": 60}, "60 channels do not divide by a reduction of 16: use 64 channels"),
        ({"conv_groups": 3}, "3 groups do not divide"),
        ({"crop": (300, 300)}, "a crop of 300 x 300 does not fit into 218 x 178"),
        ({"size": (6, 6)}, "cannot take an input of 6 x 6"),
        ({"imagenet": True}, "no packaged ImageNet weights"),
        ({"stride": 8}, "alexnet_cvgj has stride 16"),
    ],
)
def test_a_spec_that_cannot_be_built_is_refused_in_one_line(changes: dict[str, Any], words: str) -> None:
    spec = dataclasses.replace(NetworkSpec(trunk="alexnet_cvgj"), **changes)
    with pytest.raises(RecipeError, match=words) as refused:
        spec.build(MIXED)
    assert "\n" not in str(refused.value)


def test_max_pooling_needs_positions() -> None:
    with pytest.raises(ValueError, match="pooling max needs 2 x 2 positions"):
        tiny(size=(4, 4), pooling="max")


def test_the_frame_is_the_one_faces_are_aligned_to() -> None:
    assert tuple(frames(1).shape[1:]) == FRAME == (218, 178, 3)


@torch.no_grad()
def test_calibration_is_in_the_weights_and_leaves_masks_alone() -> None:
    network = tiny().double().eval()
    logits, masks = network(frames(), masks=True)
    slope, offset = torch.linspace(0.5, 2, len(MIXED)).double(), torch.linspace(-1, 1, len(MIXED)).double()
    network.calibrate(slope, offset)
    again = tiny().double().eval()
    again.load_state_dict(network.state_dict())
    for calibrated in (network, again):
        new_logits, new_masks = calibrated(frames(), masks=True)
        torch.testing.assert_close(new_logits, slope * logits + offset)
        assert torch.equal(new_masks, masks)
