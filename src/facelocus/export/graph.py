"""A network and its description as one ONNX graph.

The graph keeps every weight under its own name and unfolded, so that the file is also the checkpoint to fine-tune
from; runtimes fold when loading. Matrices are stored in half precision, which is what they were rounded to before the
network was measured, and widened by the graph. Convolutions that pad as TensorFlow does have their padding written
down for the one size that the graph resizes to.
"""

from __future__ import annotations

import copy
import io
import json
import warnings
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import get_same_padding
from torch import Tensor, nn

from facelocus.attributes import FRAME
from facelocus.export.nodes import constant, rename, replace_nodes
from facelocus.nn.network import RegionNetwork

OPSET = 18

#: Of a convolution, as ONNX has it: at the top, on the left, at the bottom, on the right.
Padding = tuple[int, int, int, int]


class _Graph(nn.Module):
    """uint8 frames in, probabilities and masks out."""

    def __init__(self, network: RegionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        if not self.network.sub_networks.has_masks:
            return torch.sigmoid(self.network(images))
        logits, masks = self.network(images, masks=True)
        return torch.sigmoid(logits), masks


def to_onnx(network: RegionNetwork, description: dict[str, Any]) -> bytes:
    """Return the serialised graph of a network with its description."""
    outputs = ["probabilities"] + (["masks"] if network.sub_networks.has_masks else [])
    network = copy.deepcopy(network).cpu().eval()
    uneven = _pad_evenly(network)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Shapes are checked while tracing, and the older exporter announces its successor.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Graph(network),
            (torch.zeros(2, *FRAME, dtype=torch.uint8),),
            buffer,  # type: ignore[arg-type]  # takes a stream, whatever its annotation says
            input_names=["images"],
            output_names=outputs,
            dynamic_axes={name: {0: "N"} for name in ["images", *outputs]},
            opset_version=OPSET,
            # Anything but EVAL keeps BatchNorm out of the convolutions, under its own names.
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    _name_weights(model.graph)
    _pad_as_before(model.graph, uneven)
    _store_half(model.graph)
    _store_bands(model.graph)
    model.producer_name = "facelocus"
    onnx.checker.check_model(model)
    return describe(bytes(model.SerializeToString()), description)


def describe(content: bytes, description: dict[str, Any]) -> bytes:
    """Return a serialised graph with its description in place of the one that it may have."""
    model = onnx.load_from_string(content)
    helper.set_model_props(model, {"facelocus": json.dumps(description)})
    return bytes(model.SerializeToString())


def _pad_evenly(network: RegionNetwork) -> dict[str, Padding]:
    """Let convolutions that pad as TensorFlow does pad opposite sides alike; returns how each of them padded, by name.

    Traced as they are they work out their padding for every batch, in a dozen nodes that keep a runtime from joining
    layers. Where opposite sides differ it is by one at a stride above one, so that even padding gives as many
    positions: the trace has the right shapes, and `_pad_as_before` the right answers.
    """
    padded = {name: layer for name, layer in network.named_modules() if isinstance(layer, Conv2dSame)}
    found: dict[str, Padding] = {}

    def read(layer: nn.Conv2d, inputs: tuple[Tensor], *, name: str) -> None:
        height, width = (
            get_same_padding(int(size), kernel, stride, dilation)
            for size, kernel, stride, dilation in zip(
                inputs[0].shape[-2:], layer.kernel_size, layer.stride, layer.dilation, strict=True
            )
        )
        found[name] = (height // 2, width // 2, height - height // 2, width - width // 2)

    hooks = [layer.register_forward_pre_hook(partial(read, name=name)) for name, layer in padded.items()]
    with torch.no_grad():
        network(torch.zeros(1, *FRAME, dtype=torch.uint8))
    for hook in hooks:
        hook.remove()
    for name, (_, _, bottom, right) in found.items():
        layer = padded[name]
        layer.padding = (bottom, right)
        layer.forward = partial(nn.Conv2d.forward, layer)  # type: ignore[method-assign]
    return found


def _pad_as_before(graph: onnx.GraphProto, paddings: dict[str, Padding]) -> None:
    """Give convolutions, found by the name of their layer, the padding of each side."""
    for node in graph.node:
        if node.op_type == "Conv" and (padding := paddings.get(node.input[1].removesuffix(".weight"))):
            (pads,) = (attribute for attribute in node.attribute if attribute.name == "pads")
            pads.ints[:] = padding


def _name_weights(graph: onnx.GraphProto) -> None:
    """Give weights the names of the network's state, without the wrapper's."""
    names = {initializer.name: initializer.name.removeprefix("network.") for initializer in graph.initializer}
    rename(graph.node, names)
    for initializer in graph.initializer:
        initializer.name = names[initializer.name]


def _store_half(graph: onnx.GraphProto) -> None:
    """Keep matrices in half precision; a Cast under the weight's name gives them back in single."""
    casts = []
    widened: dict[str, str] = {}
    for initializer in graph.initializer:
        array = numpy_helper.to_array(initializer)
        half = array.astype(np.float16) if array.dtype == np.float32 and array.ndim >= 2 else None
        if half is None or not np.array_equal(half.astype(np.float32), array):
            continue
        name = initializer.name
        initializer.CopyFrom(numpy_helper.from_array(half, name))
        casts.append(helper.make_node("Cast", [name], [f"{name}.single"], to=TensorProto.FLOAT))
        widened[name] = f"{name}.single"
    rename(graph.node, widened)
    replace_nodes(graph, [*casts, *graph.node])


def _store_bands(graph: onnx.GraphProto) -> None:
    """Keep of a constant matrix that is mostly zeros, as resizing has two, of each row the columns that are not.

    The graph puts them into zeros, which a runtime does once, when it loads: a twentieth of the file is spared.
    """
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        is_constant = node.op_type == "Constant"
        array: npt.NDArray[Any] = numpy_helper.to_array(node.attribute[0].t) if is_constant else np.zeros(0)
        width = _band(array) if array.ndim == 2 and array.dtype == np.float32 else 0
        if not 0 < 4 * width < array.shape[-1]:
            nodes.append(node)
            continue
        columns = np.minimum((array != 0).argmax(1), array.shape[1] - width)[:, None] + np.arange(width)
        values = np.take_along_axis(array, columns, 1)
        (name,) = node.output
        for part, value in (("shape", np.array(array.shape)), ("columns", columns), ("values", values)):
            nodes.append(constant(f"{name}.{part}", value))
        nodes.append(helper.make_node("ConstantOfShape", [f"{name}.shape"], [f"{name}.zeros"]))
        parts = [f"{name}.{part}" for part in ("zeros", "columns", "values")]
        nodes.append(helper.make_node("ScatterElements", parts, [name], axis=1))
    replace_nodes(graph, nodes)


def _band(matrix: npt.NDArray[np.float32]) -> int:
    """Return how many columns the widest row takes from its first to its last that is not zero."""
    filled = matrix != 0
    ends = filled.shape[1] - filled[:, ::-1].argmax(1)
    return int(np.max((ends - filled.argmax(1))[filled.any(1)], initial=0))
