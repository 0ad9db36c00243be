"""Weights go to disk and come back the same, and a file that is not one is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from facelocus.attributes import AttributeSet
from facelocus.errors import ModelFileError, StorageError
from facelocus.nn import NetworkSpec, RegionNetwork
from facelocus.nn.weights import build_from, read_tensors, round_to_half, save_tensors

SET = AttributeSet(("a", "b", "c"), ("eye", "lip"), ("lip", "eye", "lip"))
SPEC = NetworkSpec(trunk="resnet18", size=(64, 48), channels=16, attention="pse_fully_connected", reduction=4)


@pytest.fixture(scope="module")
def network() -> RegionNetwork:
    torch.manual_seed(5)
    return SPEC.build(SET).eval()


def description() -> dict[str, Any]:
    return {"network": msgspec.to_builtins(SPEC), "attributes": SET.to_json()}


def test_a_network_written_and_read_back_computes_the_same(network: RegionNetwork, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_tensors(network.state_dict(), description(), path)
    tensors, read = read_tensors(path)
    assert read == msgspec.json.decode(msgspec.json.encode(description()))
    again = build_from(read, tensors, path)
    assert not again.training
    assert again.spec == SPEC and again.attributes == SET
    state = network.state_dict()
    assert tensors.keys() == state.keys()
    for name, value in again.state_dict().items():
        assert value.dtype == state[name].dtype
        assert torch.equal(value, state[name]), name
    images = torch.randint(0, 256, (2, 218, 178, 3), dtype=torch.uint8)
    with torch.no_grad():
        assert torch.equal(again(images), network(images))


def test_reading_weights_back_needs_no_imagenet_package(network: RegionNetwork, tmp_path: Path) -> None:
    described = description()
    described["network"]["imagenet"] = True  # resnet18 has no packaged weights: building would refuse
    assert build_from(described, network.state_dict(), tmp_path / "w").spec.trunk == "resnet18"


def test_tensors_in_another_memory_order_are_kept(tmp_path: Path) -> None:
    value = torch.arange(2 * 3 * 4 * 5.0).view(2, 3, 4, 5)
    path = tmp_path / "weights.safetensors"
    save_tensors({"a": value.to(memory_format=torch.channels_last), "b": value.transpose(0, 3)}, {}, path)
    tensors, _ = read_tensors(path)
    assert torch.equal(tensors["a"], value)
    assert torch.equal(tensors["b"], value.transpose(0, 3))


def test_files_that_are_no_weights_are_refused_in_one_line(tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    save_tensors({"a": torch.arange(1000.0)}, {}, whole)
    content = whole.read_bytes()
    (tmp_path / "truncated").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("not weights\n")
    torch.save({"a": torch.zeros(3)}, tmp_path / "pickle")
    save_file({"a": torch.zeros(3)}, tmp_path / "foreign")
    (tmp_path / "folder").mkdir()
    for name, words in {
        "missing": "no such weights file",
        "folder": "no such weights file",
        "truncated": "damaged or not a safetensors file",
        "empty": "damaged or not a safetensors file",
        "text": "damaged or not a safetensors file",
        "pickle": "damaged or not a safetensors file",
        "foreign": "safetensors without facelocus's description",
    }.items():
        with pytest.raises(ModelFileError, match=words) as refused:
            read_tensors(tmp_path / name)
        assert str(refused.value).startswith(f"{tmp_path / name}: ") and "\n" not in str(refused.value)


def without(state: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if key != name}


def test_tensors_that_do_not_fit_are_named(network: RegionNetwork, tmp_path: Path) -> None:
    state = network.state_dict()
    source = tmp_path / "weights.safetensors"
    for tensors, name in (
        (without(state, "logit_bias"), "logit_bias"),
        (state | {"logit_bias": torch.zeros(4)}, "logit_bias"),
        (state | {"unheard_of": torch.zeros(4)}, "unheard_of"),
    ):
        with pytest.raises(ModelFileError, match=f"{source}: tensor '{name}' does not fit"):
            build_from(description(), tensors, source)


def test_a_description_of_no_network_is_refused(network: RegionNetwork, tmp_path: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {"step": 3, "seconds": 1.0},  # a checkpoint's
        description() | {"attributes": {"names": ["a"], "regions": [], "region_of": []}},
        description() | {"network": {"trunk": 3}},
    ]
    for described in wrong:
        with pytest.raises(ModelFileError, match="w: its description is of no network"):
            build_from(described, network.state_dict(), tmp_path / "w")


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "weights.safetensors"
    with pytest.raises(StorageError, match=str(path)):
        save_tensors({"a": torch.zeros(3)}, {}, path)
    assert not list(tmp_path.iterdir())


def test_rounding_to_half_keeps_vectors_and_counters(network: RegionNetwork) -> None:
    state = {name: value.clone() for name, value in network.state_dict().items()}
    state["trunk.model.bn1.running_var"][0] = 1e6  # more than half precision holds
    rounded = round_to_half(state)
    assert rounded.keys() == state.keys()
    changed = {name for name, value in state.items() if not torch.equal(rounded[name], value)}
    assert changed and all(state[name].ndim >= 2 for name in changed)
    assert {"logit_weight", "sub_networks.conv.weight", "trunk.model.conv1.weight"} <= changed
    for name, value in rounded.items():
        assert value.dtype == state[name].dtype
        if value.ndim >= 2:
            assert torch.equal(value.half().float(), value)
            torch.testing.assert_close(value, state[name], rtol=2**-11, atol=2**-24)


def test_rounding_to_half_twice_is_rounding_once(network: RegionNetwork) -> None:
    once = round_to_half(network.state_dict())
    assert all(torch.equal(value, once[name]) for name, value in round_to_half(once).items())
