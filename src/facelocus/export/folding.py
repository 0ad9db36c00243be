"""Constants of an ONNX graph: computed once for a tool that wants them so, and made again of the named weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from facelocus.export.nodes import constant, rename, replace_nodes


def fold_norms(graph: onnx.GraphProto) -> list[str]:
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
    replace_nodes(graph, nodes)
    return folded


def _fold(convolution: onnx.NodeProto, norm: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Give a convolution weights and a bias that do what the norm did; returns the nodes that compute these."""
    name = convolution.name
    _, weight, bias, mean, variance = norm.input
    epsilon = next(attribute.f for attribute in norm.attribute if attribute.name == "epsilon")
    nodes = [
        constant(f"{name}.epsilon", np.array(epsilon, np.float32)),
        constant(f"{name}.axes", np.array([1, 2, 3])),
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


def fold_constants(model: onnx.ModelProto, out: Path) -> None:
    """Write the graph with all that no face changes computed once, each under the name it had."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(out)
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def put_weights_back(graph: onnx.GraphProto, source: onnx.GraphProto) -> None:
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
    rounded: dict[str, str] = {}
    nodes: list[onnx.NodeProto] = []
    for initializer in graph.initializer:
        name, bias = initializer.name, initializer.name.removesuffix("_quantized")
        if name in made:
            asked.append(name)
        elif bias in made:
            asked.append(bias)
            # What is left of the bias after its way through integers goes by the bias's own name.
            rounded[bias] = f"{name}_single"
            nodes += [
                helper.make_node("Div", [bias, f"{name}_scale"], [f"{name}_steps"]),
                helper.make_node("Round", [f"{name}_steps"], [f"{name}_rounded"]),
                helper.make_node("Cast", [f"{name}_rounded"], [name], to=TensorProto.INT32),
            ]
        elif name not in named | zeros:
            nodes.insert(0, constant(name, numpy_helper.to_array(initializer)))
    rename(graph.node, rounded)
    needed: set[str] = set()
    while asked:
        node = made[asked.pop()]
        if node.output[0] not in needed:
            needed.add(node.output[0])
            asked += [name for name in node.input if name in made]
    replace_nodes(graph, [*(node for node in source.node if node.output[0] in needed), *nodes, *graph.node])
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(source.initializer)
