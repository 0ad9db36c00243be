"""Alexnet-cvgj caffemodels with random weights, written byte by byte, and what Caffe computes with them.

Nothing here knows of the package: the encoder follows caffe.proto, the forward pass is plain numpy in float64.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass
class Layer:
    name: str
    kind: str
    blobs: list[Floats]


def alexnet(seed: int = 0) -> list[Layer]:
    """Return the layers of the published network in their order, full shapes up to conv5, small ones after it."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int, scale: float = 1.0) -> Floats:
        return (scale * rng.standard_normal(shape)).astype(np.float32)

    def norm(name: str, channels: int, mean: float = 0.0, deviation: float = 1.0) -> Layer:
        factor = 9.99  # what a moving average of 0.9 sums its weights to
        means = factor * (mean + deviation * normal(channels, scale=0.3))
        variances = factor * deviation**2 * rng.uniform(0.5, 2, channels).astype(np.float32)
        return Layer(name, "BatchNorm", [means, variances, np.array([factor], np.float32)])

    layers = [
        Layer("data", "ImageData", []),
        norm("data/bn", 3, 110, 60),
        Layer("data/scale", "Scale", [normal(3, scale=0.3) + 1, normal(3, scale=0.3)]),
    ]
    for number, (out, into, side) in enumerate(
        ((96, 3, 11), (256, 48, 5), (384, 256, 3), (384, 192, 3), (256, 192, 3)), 1
    ):
        weight = normal(out, into, side, side, scale=math.sqrt(2 / (into * side * side)))
        layers += [
            Layer(f"conv{number}", "Convolution", [weight, normal(out, scale=0.1)]),
            norm(f"conv{number}/bn", out),
            Layer(f"relu{number}", "ReLU", []),
        ]
        layers += [Layer(f"pool{number}", "Pooling", [])] if number in (1, 2, 5) else []
    return [*layers, Layer("fc6", "InnerProduct", [normal(4, 8), normal(4)]), norm("fc6/bn", 4)]


LAYERS = alexnet()


# caffe.proto, as bytes


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number: int, content: bytes) -> bytes:
    """Return a field that says its length: text, a message or packed numbers."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def blob(values: npt.NDArray[np.floating], shape: Sequence[int] | None = None) -> bytes:
    """Return a BlobProto; float64 becomes double_data, and `shape` may lie."""
    dims = field(1, b"".join(map(_varint, values.shape if shape is None else shape)))
    double = values.dtype == np.float64
    content = values.astype("<f8" if double else "<f4").tobytes()
    return field(8 if double else 5, content) + field(7, dims)


def encode(layers: Sequence[Layer]) -> bytes:
    """Return a NetParameter."""
    out = field(1, b"AlexNet")
    for layer in layers:
        content = field(1, layer.name.encode()) + field(2, layer.kind.encode()) + field(3, b"below") + field(4, b"top")
        content += b"".join(field(7, blob(values)) for values in layer.blobs)
        content += field(106, b"\x08\x60") + struct.pack("<Bf", 5 << 3 | 5, 1.0)  # what nobody asked for
        out += field(100, content)
    return out


def write(path: Path, layers: Sequence[Layer]) -> Path:
    path.write_bytes(encode(layers))
    return path


# Caffe, in numpy

Maps = npt.NDArray[np.float64]


def caffe_conv(x: Maps, layer: Layer, stride: int, pad: int, groups: int) -> Maps:
    """C x H x W -> out x h x w: input group g makes output group g."""
    weight, bias = (values.astype(np.float64) for values in layer.blobs)
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    side = weight.shape[2]
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), (1, 2))[:, ::stride, ::stride]
    parts = zip(np.split(windows, groups), np.split(weight, groups), strict=True)
    y = np.concatenate([np.tensordot(w, part, axes=([1, 2, 3], [0, 3, 4])) for part, w in parts])
    return y + bias[:, None, None]


def caffe_norm(x: Maps, layer: Layer) -> Maps:
    mean, variance, factor = (values.astype(np.float64) for values in layer.blobs)
    return (x - (mean / factor)[:, None, None]) / np.sqrt((variance / factor)[:, None, None] + 1e-5)


def caffe_pool(x: Maps) -> Maps:
    """3 x 3, stride 2, sizes rounded up; the last window may hang over the edge."""
    rows, columns = (math.ceil((side - 3) / 2) + 1 for side in x.shape[1:])
    y = np.empty((len(x), rows, columns))
    for i in range(rows):
        for j in range(columns):
            y[:, i, j] = x[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max((1, 2))
    return y


def caffe(layers: Sequence[Layer], bgr: Maps) -> dict[str, Maps]:
    """Return what each layer makes of a picture, 3 x H x W in 0-255, BGR: "conv4" after its ReLU, "conv5/bn" before."""
    of = {layer.name: layer for layer in layers}
    scale, shift = of["data/scale"].blobs
    x = caffe_norm(bgr, of["data/bn"]) * scale[:, None, None] + shift[:, None, None]
    made = {}
    for name, stride, pad, groups in (
        ("conv1", 4, 0, 1),
        ("conv2", 1, 2, 2),
        ("conv3", 1, 1, 1),
        ("conv4", 1, 1, 2),
        ("conv5", 1, 1, 2),
    ):
        made[f"{name}/bn"] = caffe_norm(caffe_conv(x, of[name], stride, pad, groups), of[f"{name}/bn"])
        x = made[name] = np.maximum(made[f"{name}/bn"], 0)
        if name in ("conv1", "conv2"):
            x = caffe_pool(x)
    return made
