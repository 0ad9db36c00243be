"""Nodes of an ONNX graph: made, renamed, replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper


def rename(nodes: Iterable[onnx.NodeProto], new: Mapping[str, str]) -> None:
    """Give tensors other names wherever nodes read or write them."""
    for node in nodes:
        for names in (node.input, node.output):
            names[:] = [new.get(name, name) for name in names]


def replace_nodes(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto]) -> None:
    """Let a graph have these nodes in place of its own."""
    del graph.node[:]
    graph.node.extend(nodes)


def constant(name: str, values: npt.NDArray[Any]) -> onnx.NodeProto:
    """Return the node that gives an array a name."""
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(values)))
