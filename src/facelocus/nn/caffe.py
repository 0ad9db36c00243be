"""Published Alexnet-cvgj weights: a caffemodel read without Caffe.

A caffemodel is a protobuf message, NetParameter of Caffe's caffe.proto; the few fields that matter are declared here,
everything else in the file is skipped. Layers are taken by order, type and shape, so that their names do not matter;
those of the published train.prototxt stand in messages.

Nothing is rearranged: Caffe's convolutions are out x in / groups x height x width like torch's, and the order of the
channels (BGR) stays, as AlexNetCVGJ turns its RGB input round. Caffe keeps BatchNorm's mean and variance as weighted
sums, with the sum of the weights as a third blob: both are divided by it. Its epsilon is torch's, 1e-5.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from torch import Tensor, nn

from facelocus.errors import ModelFileError
from facelocus.nn.backbones import AlexNetCVGJ

#: sha256 of the published file, alexnet_cvgj_iter_320000.caffemodel of github.com/cvjena/cnn-models.
PUBLISHED = "d907ac9b2b3427367b2d7a8ca9bd697b14a38a95f29c1a52fae06f45db3a6369"

#: Field of caffe.proto: (name, number, type or message, repeated). Text is read as bytes: damaged text is no error.
_MESSAGES: dict[str, list[tuple[str, int, str, bool]]] = {
    "BlobShape": [("dim", 1, "INT64", True)],
    "BlobProto": [("shape", 7, "BlobShape", False), ("data", 5, "FLOAT", True), ("double_data", 8, "DOUBLE", True)],
    "LayerParameter": [("name", 1, "BYTES", False), ("type", 2, "BYTES", False), ("blobs", 7, "BlobProto", True)],
    "NetParameter": [("layer", 100, "LayerParameter", True), ("layers", 2, "BYTES", True)],
}

#: The layers with weights, in their order: Caffe's name and type, and our module of that weight.
_LAYERS = (
    ("data/bn", "BatchNorm", "trunk.data"),
    ("data/scale", "Scale", "trunk.data"),
    *(
        layer
        for number in range(1, 6)
        for layer in (
            (f"conv{number}", "Convolution", f"trunk.conv{number}" if number < 5 else "conv5"),
            (f"conv{number}/bn", "BatchNorm", f"trunk.norm{number}" if number < 5 else "norm5"),
        )
    ),
)

#: Our tensors of each type's first blobs, in Caffe's order; BatchNorm has one more blob, a single number.
_TENSORS = {
    "BatchNorm": ("running_mean", "running_var"),
    "Scale": ("weight", "bias"),
    "Convolution": ("weight", "bias"),
}

#: Bytes of the largest file that is read; the published one has a quarter of that.
_LARGEST = 2**30

_MEND = "use alexnet_cvgj_iter_320000.caffemodel as published"


def read_alexnet_cvgj(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the layers conv1 to conv5 of an Alexnet-cvgj caffemodel, and a description.

    The tensors are those of AlexNetCVGJ under "trunk.", and conv5 with the BatchNorm after it: "conv5.weight"
    256 x 192 x 3 x 3, "conv5.bias", "norm5.running_mean" and "norm5.running_var", 256 each; float32, counters apart.
    The description has "layers_of", "caffemodel_sha256", "published" (whether that is the published file's), and
    "taken" and "left_out", names of the file's layers with weights.

    Raises:
        ModelFileError: missing, too large, not a caffemodel, or another network than Alexnet-cvgj; names the layer.
    """
    content = _read(path)
    layers = _layers_with_weights(path, content)
    expected = _expected()
    tensors = {name: torch.zeros_like(value, device="cpu") for name, value in expected.items() if value.ndim == 0}
    for position, (name, kind, ours) in enumerate(_LAYERS):
        there = layers[position] if position < len(layers) else None
        if there is None or _text(there.type) != kind:
            found = "the file ends" if there is None else f"there is {_text(there.name)!r}, a {_text(there.type)!r}"
            raise ModelFileError(f"{path}: layer {name!r} ({kind}; ours: {ours}) is missing, {found}: {_MEND}")
        shapes = [tuple(expected[f"{ours}.{tensor}"].shape) for tensor in _TENSORS[kind]]
        where = f"{path}: layer {_text(there.name)!r}, read as {name!r} ({kind}; ours: {ours}),"
        if kind == "BatchNorm":
            *arrays, weights = _arrays(there, [*shapes, (1,)], where)
            arrays = _statistics(arrays, float(weights[0]), where)
        else:
            arrays = _arrays(there, shapes, where)
        for tensor, array in zip(_TENSORS[kind], arrays, strict=True):
            tensors[f"{ours}.{tensor}"] = torch.from_numpy(array.astype(np.float32))
    sha256 = hashlib.sha256(content).hexdigest()
    return tensors, {
        "layers_of": "alexnet_cvgj",
        "caffemodel_sha256": sha256,
        "published": sha256 == PUBLISHED,
        "taken": [_text(layer.name) for layer in layers[: len(_LAYERS)]],
        "left_out": [_text(layer.name) for layer in layers[len(_LAYERS) :]],
    }


def _expected() -> dict[str, Tensor]:
    """Return what is to be found, shapes without values: the trunk's state, conv5 and the BatchNorm after it."""
    with torch.device("meta"):
        trunk, conv5 = AlexNetCVGJ(), nn.Conv2d(AlexNetCVGJ.channels, 256, 3, groups=2)
        norm5 = nn.BatchNorm2d(256, affine=False, track_running_stats=True)
    parts = {"trunk": trunk, "conv5": conv5, "norm5": norm5}
    state = {f"{part}.{name}": value for part, module in parts.items() for name, value in module.state_dict().items()}
    del state["norm5.num_batches_tracked"]  # a sub-network's counter counts its own batches
    return state


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise ModelFileError(f"{path}: no such caffemodel")
    size = path.stat().st_size
    if size > _LARGEST:
        raise ModelFileError(f"{path}: {size / 1e9:.1f} GB are too much for Alexnet-cvgj, which has 0.25: {_MEND}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror}): allow it, or copy the file") from error


def _layers_with_weights(path: Path, content: bytes) -> list[Any]:
    """Return the LayerParameters that have blobs, in the file's order."""
    net = _message("NetParameter")()
    try:
        net.ParseFromString(content)
    except DecodeError as error:
        raise ModelFileError(f"{path}: damaged or not a caffemodel: download it again") from error
    layers = [layer for layer in net.layer if layer.blobs]
    if not layers:
        why = "holds layers in the form of 2014, which had no BatchNorm" if net.layers else "holds no layer's weights"
        raise ModelFileError(f"{path}: {why}, so it is not Alexnet-cvgj: {_MEND}")
    return layers


def _arrays(layer: Any, shapes: list[tuple[int, ...]], where: str) -> list[npt.NDArray[np.float64]]:
    """Return a layer's blobs as arrays of these shapes; numbers are counted before any is copied."""
    if len(layer.blobs) != len(shapes):
        raise ModelFileError(f"{where} has {len(layer.blobs)} blobs, not {len(shapes)}: {_MEND}")
    arrays = []
    for number, (blob, shape) in enumerate(zip(layer.blobs, shapes, strict=True), 1):
        if tuple(blob.shape.dim) != shape:
            raise ModelFileError(f"{where} has blob {number} of {_by(blob.shape.dim)}, not {_by(shape)}: {_MEND}")
        values = blob.double_data or blob.data
        if len(values) != np.prod(shape):
            raise ModelFileError(
                f"{where} has {len(values)} numbers in blob {number} of {_by(shape)}: download it again"
            )
        array = np.array(values, np.float64).reshape(shape)
        if not np.isfinite(array).all():
            raise ModelFileError(f"{where} has a blob {number} with values that are no numbers: download it again")
        arrays.append(array)
    return arrays


def _statistics(sums: list[npt.NDArray[np.float64]], weights: float, where: str) -> list[npt.NDArray[np.float64]]:
    """Return mean and variance from Caffe's weighted sums."""
    if weights <= 0:
        # Caffe itself takes both as 0 then: nothing has been trained yet.
        raise ModelFileError(f"{where} has a scale factor of {weights:g}, so no statistics: use trained weights")
    mean, variance = (each / weights for each in sums)
    if (variance < 0).any():
        raise ModelFileError(f"{where} has a negative variance: download it again")
    return [mean, variance]


def _message(name: str) -> Any:
    """Return the class of one of _MESSAGES, built in memory: no generated code, no compiler."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for field, number, kind, repeated in fields:
            label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            if kind in _MESSAGES:
                described.field.add(name=field, number=number, label=label, type_name=f".caffe.{kind}")
            else:
                described.field.add(name=field, number=number, label=label, type=kinds.Type.Value(f"TYPE_{kind}"))
    pool = descriptor_pool.DescriptorPool()  # one of its own: Caffe's messages may be known to the process already
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"caffe.{name}"))


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _by(shape: Any) -> str:
    return " x ".join(map(str, shape)) or "no shape"
