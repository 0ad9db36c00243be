"""A model file that computes in 8 bits: quicker, as right, and the same file to fine-tune from.

Ranges and the form of the graph are onnxruntime's own static quantisation. What is ours keeps the file a checkpoint:
the graph goes on carrying every weight under its name, in half precision, and makes 8 bits of them when it is loaded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata
from tqdm import tqdm

from facelocus.metrics.calibration import logit

#: Convolutions that stay in single precision, from the first on: 8 bits of theirs save no time and cost 0.05 points.
FIRST = 3
#: Parts of a banded matrix: of resizing's two, four leave out three quarters of the zeros.
BLOCKS = 4
_BATCH = 8


def quantize(content: bytes, faces: npt.NDArray[np.uint8]) -> bytes:
    """Return a model file's graph with the convolutions of trunk and sub-networks in 8 bits.

    Weights have a scale for each output channel and 7 of the 8 bits: sums of two products of 8 do not fit into the
    16 bits in which processors without VNNI add them. The first layers, PSE and the logits stay in single precision.
    By what 8 bits shift an attribute's logit on average, the graph shifts it back.

    Args:
        content: of a model file in single precision.
        faces: uint8 N x 218 x 178 x 3, RGB, aligned; they give each layer its range, and each logit its shift.
    """
    model = onnx.load_from_string(content)
    convolutions = _fold_norms(model.graph)
    with tempfile.TemporaryDirectory() as folder:
        folded, quantized = Path(folder) / "folded.onnx", Path(folder) / "quantized.onnx"
        _fold_constants(model, folded)
        _multiply_in_blocks(folded)
        quantize_static(
            folded,
            quantized,
            _Faces(faces),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=_with_what_follows(onnx.load(folded).graph, convolutions[FIRST:]),
            extra_options={"AddQDQPairToWeight": True},
        )
        graph = onnx.load(quantized).graph
    _put_weights_back(graph, model.graph)
    model.graph.CopyFrom(graph)
    shift = _mean_logits(content, faces) - _mean_logits(model.SerializeToString(), faces)
    _shift_logits(model.graph, shift)
    _number_tensors(model.graph)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


class _Faces(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, faces: npt.NDArray[np.uint8]) -> None:
        self._batches = _batches(faces, "ranges")

    def get_next(self) -> dict[str, npt.NDArray[np.uint8]] | None:
        return next(self._batches, None)


def _batches(faces: npt.NDArray[np.uint8], what: str) -> Iterator[dict[str, npt.NDArray[np.uint8]]]:
    for start in tqdm(range(0, len(faces), _BATCH), desc=what, unit="batch", leave=False, disable=None):
        yield {"images": faces[start : start + _BATCH]}


def _fold_norms(graph: onnx.GraphProto) -> list[str]:
    """Let the graph compute BatchNorm into the convolutions before it; returns the names of these, in order."""
    convolutions = {node.output[0]: node for node in graph.node if node.op_type == "Conv"}
    nodes: list[onnx.NodeProto] = []
    folded: list[str] = []
    for node in graph.node:
        if node.op_type == "BatchNormalization" and node.input[0] in convolutions:
            # Only here has the graph all that is folded.
            convolution = convolutions[node.input[0]]
            nodes.remove(convolution)
            nodes += [*_fold(convolution, node), convolution]
            folded.append(convolution.name)
        else:
            nodes.append(node)
    _replace_nodes(graph, nodes)
    return folded


def _fold(convolution: onnx.NodeProto, norm: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Give a convolution weights and a bias that do what the norm did; returns the nodes that compute these."""
    name = convolution.name
    _, weight, bias, mean, variance = norm.input
    epsilon = next(attribute.f for attribute in norm.attribute if attribute.name == "epsilon")
    nodes = [
        _constant(f"{name}.epsilon", np.array(epsilon, np.float32)),
        _constant(f"{name}.axes", np.array([1, 2, 3])),
        helper.make_node("Add", [variance, f"{name}.epsilon"], [f"{name}.variance"]),
        helper.make_node("Sqrt", [f"{name}.variance"], [f"{name}.deviation"]),
        helper.make_node("Div", [weight, f"{name}.deviation"], [f"{name}.factor"]),
        helper.make_node("Unsqueeze", [f"{name}.factor", f"{name}.axes"], [f"{name}.factors"]),
        helper.make_node("Mul", [convolution.input[1], f"{name}.factors"], [f"{name}.weight"]),
    ]
    if len(convolution.input) > 2:
        nodes.append(helper.make_node("Sub", [mean, convolution.input[2]], [f"{name}.centre"]))
        mean = f"{name}.centre"
    nodes += [
        helper.make_node("Mul", [mean, f"{name}.factor"], [f"{name}.mean"]),
        helper.make_node("Sub", [bias, f"{name}.mean"], [f"{name}.bias"]),
    ]
    convolution.input[1:] = [f"{name}.weight", f"{name}.bias"]
    convolution.output[0] = norm.output[0]
    return nodes


def _fold_constants(model: onnx.ModelProto, out: Path) -> None:
    """Write the graph with all that no face changes computed once, each under the name it had."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(out)
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _multiply_in_blocks(file: Path) -> None:
    """Let products with a constant matrix, which is banded where images are resized, leave out most of its zeros."""
    model = onnx.load(file)
    constants = {initializer.name: numpy_helper.to_array(initializer) for initializer in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        left = node.op_type == "MatMul" and node.input[0] in constants
        if not left and not (node.op_type == "MatMul" and node.input[1] in constants):
            nodes.append(node)
            continue
        (image, name), result = node.input[::-1] if left else node.input, node.output[0]
        # Its lines that make one line of the result each, and in these the places that are read.
        lines, axis = (constants[name], -2) if left else (constants[name].T, -1)
        products: list[str] = []
        for rows in np.array_split(np.arange(len(lines)), BLOCKS):
            places = np.flatnonzero(lines[rows].any(0))
            block = ((rows[0], rows[-1] + 1), (places[0], places[-1] + 1))
            part = f"{result}.{len(products)}"
            products.append(f"{part}.product")
            matrix = _slice(name, f"{part}.matrix", dict(enumerate(block if left else block[::-1])))
            seen = _slice(image, f"{part}.image", {axis: block[1]})
            operands = [f"{part}.matrix", f"{part}.image"]
            nodes += [*matrix, *seen, helper.make_node("MatMul", operands if left else operands[::-1], products[-1:])]
        nodes.append(helper.make_node("Concat", products, [result], axis=axis))
    _replace_nodes(model.graph, nodes)
    add_pre_process_metadata(model)  # or onnxruntime advises to fold constants first
    onnx.save(model, file)


def _with_what_follows(graph: onnx.GraphProto, convolutions: Sequence[str]) -> list[str]:
    """Return names of convolutions and of the activations, sums and poolings that take what these give, in order."""
    names: list[str] = []
    given: set[str] = set()
    for node in graph.node:
        follows = node.op_type in ("Clip", "Relu", "Add", "MaxPool") and not given.isdisjoint(node.input)
        if follows or node.name in convolutions:
            names.append(node.name)
            given.update(node.output)
    return names


def _slice(name: str, out: str, ranges: Mapping[int, tuple[int, int]]) -> list[onnx.NodeProto]:
    """Return the nodes that cut `out` from a tensor: of each axis, from where to before where."""
    bounds = {
        "axes": list(ranges),
        "from": [start for start, _ in ranges.values()],
        "to": [end for _, end in ranges.values()],
    }
    constants = [_constant(f"{out}.{what}", np.array(values)) for what, values in bounds.items()]
    return [*constants, helper.make_node("Slice", [name, f"{out}.from", f"{out}.to", f"{out}.axes"], [out])]


def _put_weights_back(graph: onnx.GraphProto, source: onnx.GraphProto) -> None:
    """Let a quantised graph compute from the named weights of its source what was folded; scales become constants."""
    made = {output: node for node in source.node for output in node.output}
    named = {initializer.name for initializer in source.initializer}
    # Zero, the default: one for each bias would be a hundredth of a small file.
    zeros = {
        initializer.name for initializer in graph.initializer if initializer.name.endswith("_quantized_zero_point")
    }
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[2] in zeros:
            del node.input[2]
    asked: list[str] = []
    nodes: list[onnx.NodeProto] = []
    for initializer in graph.initializer:
        name, bias = initializer.name, initializer.name.removesuffix("_quantized")
        if name in made:
            asked.append(name)
        elif bias in made:
            asked.append(bias)
            # What is left of the bias after its way through integers goes by the bias's own name.
            _rename(graph.node, {bias: f"{name}_single"})
            nodes += [
                helper.make_node("Div", [bias, f"{name}_scale"], [f"{name}_steps"]),
                helper.make_node("Round", [f"{name}_steps"], [f"{name}_rounded"]),
                helper.make_node("Cast", [f"{name}_rounded"], [name], to=TensorProto.INT32),
            ]
        elif name not in named | zeros:
            nodes.insert(0, _constant(name, numpy_helper.to_array(initializer)))
    needed: set[str] = set()
    while asked:
        node = made[asked.pop()]
        if node.output[0] not in needed:
            needed.add(node.output[0])
            asked += [name for name in node.input if name in made]
    _replace_nodes(graph, [*(node for node in source.node if node.output[0] in needed), *nodes, *graph.node])
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(source.initializer)


def _mean_logits(content: bytes, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found = np.concatenate([session.run(["probabilities"], batch)[0] for batch in _batches(faces, "logits")])
    mean: npt.NDArray[np.float32] = logit(found).mean(0).astype(np.float32)
    return mean


def _shift_logits(graph: onnx.GraphProto, shift: npt.NDArray[np.float32]) -> None:
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.output[0] == "probabilities":
            nodes += [_constant("shift", shift), helper.make_node("Add", [node.input[0], "shift"], ["shifted"])]
            node.input[0] = "shifted"
        nodes.append(node)
    _replace_nodes(graph, nodes)


def _number_tensors(graph: onnx.GraphProto) -> None:
    """Call what lies between nodes by numbers: names made of names made of paths are a twentieth of a small file."""
    outputs = {output.name for output in graph.output}
    between = [name for node in graph.node for name in node.output if name not in outputs]
    _rename(graph.node, {name: str(number) for number, name in enumerate(between)})
    for node in graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            node.ClearField("name")


def _rename(nodes: Iterable[onnx.NodeProto], new: Mapping[str, str]) -> None:
    for node in nodes:
        for names in (node.input, node.output):
            names[:] = [new.get(name, name) for name in names]


def _replace_nodes(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto]) -> None:
    del graph.node[:]
    graph.node.extend(nodes)


def _constant(name: str, values: npt.NDArray[np.generic]) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(values)))
