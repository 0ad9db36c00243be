"""A model file that computes in 8 bits: quicker, as right, and the same file to fine-tune from.

Ranges and the form of the graph are onnxruntime's own static quantisation. What is ours keeps the file a checkpoint:
the graph goes on carrying every weight under its name, in half precision, and makes 8 bits of them when it is loaded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata
from tqdm import tqdm

from facelocus.export.folding import fold_constants, fold_norms, put_weights_back
from facelocus.export.nodes import constant, rename, replace_nodes
from facelocus.metrics.calibration import logit

#: Convolutions that stay in single precision, from the first on: 8 bits of theirs save no time and cost 0.05 points.
FIRST = 3
#: Parts of a banded matrix: of resizing's two, four leave out three quarters of the zeros.
BLOCKS = 4
_BATCH = 8


def quantize(content: bytes, faces: npt.NDArray[np.uint8]) -> bytes:
    """Return a model file's graph with the convolutions of trunk and sub-networks in 8 bits.

    Those are meant that a BatchNorm follows at once: the sub-networks' not where they have groups.

    Weights have a scale for each output channel and 7 of the 8 bits: sums of two products of 8 do not fit into the
    16 bits in which processors without VNNI add them. The first layers, PSE and the logits stay in single precision.
    By what 8 bits shift an attribute's logit on average, the graph shifts it back.

    Args:
        content: of a model file in single precision.
        faces: uint8 N x 218 x 178 x 3, RGB, aligned; they give each layer its range, and each logit its shift.
    """
    model = onnx.load_from_string(content)
    convolutions = fold_norms(model.graph)
    with tempfile.TemporaryDirectory() as folder:
        folded, quantized = Path(folder) / "folded.onnx", Path(folder) / "quantized.onnx"
        fold_constants(model, folded)
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
    put_weights_back(graph, model.graph)
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
    replace_nodes(model.graph, nodes)
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
    constants = [constant(f"{out}.{what}", np.array(values)) for what, values in bounds.items()]
    return [*constants, helper.make_node("Slice", [name, f"{out}.from", f"{out}.to", f"{out}.axes"], [out])]


def _mean_logits(content: bytes, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found = np.concatenate([session.run(["probabilities"], batch)[0] for batch in _batches(faces, "logits")])
    mean: npt.NDArray[np.float32] = logit(found).mean(0).astype(np.float32)
    return mean


def _shift_logits(graph: onnx.GraphProto, shift: npt.NDArray[np.float32]) -> None:
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.output[0] == "probabilities":
            nodes += [constant("shift", shift), helper.make_node("Add", [node.input[0], "shift"], ["shifted"])]
            node.input[0] = "shifted"
        nodes.append(node)
    replace_nodes(graph, nodes)


def _number_tensors(graph: onnx.GraphProto) -> None:
    """Call what lies between nodes by numbers: names made of names made of paths are a twentieth of a small file."""
    outputs = {output.name for output in graph.output}
    between = [name for node in graph.node for name in node.output if name not in outputs]
    rename(graph.node, {name: str(number) for number, name in enumerate(between)})
    for node in graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            node.ClearField("name")
