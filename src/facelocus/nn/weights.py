"""Weights on disk: safetensors with a description, and model files read back. Nothing is unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from facelocus.attributes import AttributeSet
from facelocus.errors import ModelFileError
from facelocus.files import write_atomically
from facelocus.nn.network import NetworkSpec, RegionNetwork


def round_to_half(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a state whose matrices and convolutions hold only values that half precision can hold.

    Vectors (norms with their statistics, the logits' biases) keep single precision: they are few, and
    variances do not fit.
    """
    return {
        name: value.half().to(value.dtype) if value.is_floating_point() and value.ndim >= 2 else value
        for name, value in state.items()
    }


def save_tensors(tensors: dict[str, Tensor], description: dict[str, Any], path: Path) -> None:
    """Write tensors and a JSON description to one safetensors file, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_atomically(path, save(plain, {"facelocus": json.dumps(description)}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what save_tensors wrote.

    Raises:
        ModelFileError: missing, damaged, or not written by facelocus.
    """
    if not path.is_file():
        raise ModelFileError(f"{path}: no such weights file")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path}: damaged or not a safetensors file: train or download it again") from error
    if "facelocus" not in metadata:
        raise ModelFileError(f"{path}: safetensors without facelocus's description: not one of its weights files")
    return tensors, json.loads(metadata["facelocus"])


def build_from(description: dict[str, Any], tensors: dict[str, Tensor], source: Path) -> RegionNetwork:
    """Return the network of a description (keys "network" and "attributes") with these weights, in eval mode.

    Counters of batches seen may be missing: they matter to no output, and a model file does not carry them.

    Raises:
        ModelFileError: it describes no network, or the tensors do not fit the one described.
    """
    try:
        spec = msgspec.convert({**description["network"], "imagenet": False}, NetworkSpec)
        attributes = AttributeSet.from_json(description["attributes"])
    except (KeyError, ValueError) as error:
        raise ModelFileError(f"{source}: its description is of no network: not a file of trained weights") from error
    network = spec.build(attributes)
    expected = network.state_dict()
    counters = {name: value for name, value in expected.items() if name.endswith("num_batches_tracked")}
    tensors = counters | tensors
    wrong = [n for n in expected if n not in tensors or tensors[n].shape != expected[n].shape]
    if wrong or tensors.keys() - expected.keys():
        name = (wrong or sorted(tensors.keys() - expected.keys()))[0]
        raise ModelFileError(f"{source}: tensor {name!r} does not fit the network it describes: another version's file")
    network.load_state_dict(tensors)
    return network.eval()


def read_model_file(path: Path) -> tuple[RegionNetwork, dict[str, Any]]:
    """Return the network inside a model file, to fine-tune or inspect, and the file's description.

    Raises:
        ModelFileError: not a model file, or its graph lacks the network's named weights.
    """
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    if not path.is_file():
        raise ModelFileError(f"{path}: no such model file: check the path")
    try:
        model = onnx.load(path)
    except DecodeError as error:
        raise ModelFileError(f"{path}: damaged or not an ONNX file: export or download it again") from error
    described = {entry.key: entry.value for entry in model.metadata_props}.get("facelocus")
    if described is None:
        raise ModelFileError(
            f"{path}: an ONNX file without facelocus's description: use one made by `facelocus export`"
        )
    tensors = {}
    for initializer in model.graph.initializer:
        array = numpy_helper.to_array(initializer)
        tensors[initializer.name] = torch.from_numpy(
            array.astype("float32") if array.dtype == "float16" else array.copy()
        )
    description = json.loads(described)
    return build_from(description, tensors, path), description
