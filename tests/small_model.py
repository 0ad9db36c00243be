"""A small model file: each attribute weighs the mean colours of the left and right halves of a crop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from facelocus.attributes import AttributeSet

SMALL = AttributeSet.by_region({"left": ("Left_Red", "Left_Dark"), "right": ("Right_Red", "Right_Dark")})

#: Rows: red, green, blue of the left half, then of the right half, in [0, 1]. Columns: attributes.
_WEIGHTS = np.zeros((6, 4), dtype=np.float32)
_WEIGHTS[0, 0] = _WEIGHTS[3, 2] = 8.0
_WEIGHTS[0:3, 1] = _WEIGHTS[3:6, 3] = -4.0
_BIAS = np.array([-4, 6, -4, 6], dtype=np.float32)


def description(attributes: AttributeSet = SMALL, **changes: Any) -> dict[str, Any]:
    """The metadata of the small model, with some keys changed."""
    half = [0.5] * len(attributes)
    return {
        "format": 1,
        "attributes": attributes.to_json(),
        "thresholds": {"accuracy": half, "balanced": half},
        "network": {},
        "training": {"commit": "0123abc"},
        "licence": "drawn",
        **changes,
    }


def write_model(
    path: Path,
    metadata: dict[str, Any] | str | None = None,
    *,
    masks: bool = True,
    frame: tuple[int, int, int] = (218, 178, 3),
    regions: int = 2,
) -> Path:
    """Write the small model; `metadata` is the description (a mapping, raw text, or "" for none)."""
    height, width, _ = frame
    middle = width // 2
    constants = {
        "weights": _WEIGHTS,
        "bias": _BIAS,
        "white": np.float32(255),
        "zero": np.array([0]),
        "middle": np.array([middle]),
        "end": np.array([width]),
        "across": np.array([2]),
        "area": np.array([1, 2]),
        "strength": np.linspace(1, 0.5, regions, dtype=np.float32).reshape(1, regions, 1, 1),
        "channels": np.array([1]),
    }
    nodes = [
        helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["float", "white"], ["unit"]),
        helper.make_node("Slice", ["unit", "zero", "middle", "across"], ["left"]),
        helper.make_node("Slice", ["unit", "middle", "end", "across"], ["right"]),
        helper.make_node("ReduceMean", ["left", "area"], ["left_mean"], keepdims=0),
        helper.make_node("ReduceMean", ["right", "area"], ["right_mean"], keepdims=0),
        helper.make_node("Concat", ["left_mean", "right_mean"], ["means"], axis=1),
        helper.make_node("Gemm", ["means", "weights", "bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
    ]
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 4])]
    if masks:
        pool = [height // 2, middle]
        nodes += [
            helper.make_node("Transpose", ["unit"], ["planes"], perm=[0, 3, 1, 2]),
            helper.make_node("ReduceMean", ["planes", "channels"], ["grey"], keepdims=1),
            helper.make_node("AveragePool", ["grey"], ["pooled"], kernel_shape=pool, strides=pool),
            helper.make_node("Mul", ["pooled", "strength"], ["masks"]),
        ]
        outputs.append(helper.make_tensor_value_info("masks", TensorProto.FLOAT, ["N", regions, 2, 2]))
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", *frame])],
        outputs,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    text = metadata if isinstance(metadata, str) else json.dumps(metadata or description())
    if text:
        helper.set_model_props(model, {"facelocus": text})
    path.write_bytes(model.SerializeToString())
    return path


def crops(count: int, seed: int = 0) -> np.ndarray:
    """Draw uint8 count x 218 x 178 x 3: each half of one colour, a little noise on top."""
    rng = np.random.default_rng(seed)
    halves = rng.integers(0, 236, (count, 1, 2, 3))
    plain = np.repeat(halves, 89, axis=2)
    return (plain + rng.integers(0, 20, (count, 218, 178, 3))).astype(np.uint8)


def write_golden(model_path: Path, images: np.ndarray, probabilities: np.ndarray, masks: np.ndarray) -> None:
    """Write the golden file that lies beside a model file."""
    target = model_path.with_suffix(".golden.npz")
    np.savez(target, images=images, probabilities=probabilities, masks=masks)
