"""From a finished run to a model file: one ONNX graph with its own description.

The graph keeps every weight under its own name and unfolded, so that the file is also the checkpoint to fine-tune
from; runtimes fold when loading. Matrices are stored in half precision, which is what they were rounded to before the
network was measured, and widened by the graph. Calibration (facelocus.metrics.calibration) is put into the weights of
the logits, so that whoever runs the file has calibrated probabilities; of these, it carries the thresholds.
"""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from facelocus.attributes import FRAME
from facelocus.errors import FacelocusError, UsageError
from facelocus.files import write_atomically
from facelocus.model import FORMAT, Model
from facelocus.nn.network import RegionNetwork
from facelocus.training.run import RunModel, calibrated

#: How far the file may be from the network it was made of.
TOLERANCE = 1e-4
OPSET = 18
LICENCE = (
    "Trained on CelebA: for non-commercial research only. "
    "Not for judging persons: labels are annotators' opinions about celebrities."
)


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


def export(run: Path, out: Path, *, licence: str = LICENCE) -> float:
    """Write the model file of a finished run, calibrated, and golden inputs with their outputs beside it.

    Args:
        run: a finished run folder.
        out: NAME.onnx; NAME.golden.npz is written beside it.
        licence: the sentence kept in the file.

    Returns:
        The largest difference between the file's outputs and the calibrated network's, below TOLERANCE.

    Raises:
        ModelFileError: the run is not finished or damaged.
        UsageError: `out` does not end in .onnx.
        StorageError: the file cannot be written.
        FacelocusError: the file does not compute what the network does.
    """
    if out.suffix != ".onnx":
        raise UsageError(f"{out}: a model file ends in .onnx")
    trained = calibrated(run)
    description = {
        "format": FORMAT,
        "name": out.stem,
        **{
            key: trained.metadata[key]
            for key in ("attributes", "thresholds", "calibration", "rates", "network", "training")
        },
        "licence": licence,
    }
    content = to_onnx(trained.network, description)
    images = golden_images()
    golden = out.with_suffix(".golden.npz")
    # The graph is read back and compared before it takes the name it was asked for.
    draft = out.with_name(f".{out.name}.draft")
    try:
        write_atomically(draft, content)
        model = Model.load(draft)
        difference = largest_difference(model, trained, images)
        prediction = model.predict(images)
    finally:
        draft.unlink(missing_ok=True)
    if difference > TOLERANCE:
        raise FacelocusError(f"{out}: the exported graph is off by {difference:.1e}: not written")
    arrays = {"images": images, "probabilities": prediction.probabilities}
    if prediction.masks is not None:
        arrays["masks"] = prediction.masks
    with io.BytesIO() as buffer:
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        write_atomically(golden, buffer.getvalue())
    write_atomically(out, content)
    return difference


def to_onnx(network: RegionNetwork, description: dict[str, Any]) -> bytes:
    """Return the serialised graph of a network with its description."""
    outputs = ["probabilities"] + (["masks"] if network.sub_networks.has_masks else [])
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Shapes are checked while tracing, and the older exporter announces its successor.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Graph(network.cpu().eval()),
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
    _store_half(model.graph)
    model.producer_name = "facelocus"
    helper.set_model_props(model, {"facelocus": json.dumps(description)})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _name_weights(graph: onnx.GraphProto) -> None:
    """Give weights the names of the network's state, without the wrapper's."""
    prefix = "network."
    for initializer in graph.initializer:
        initializer.name = initializer.name.removeprefix(prefix)
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = name.removeprefix(prefix)


def _store_half(graph: onnx.GraphProto) -> None:
    """Keep matrices in half precision; a Cast under the weight's name gives them back in single."""
    casts = []
    for initializer in graph.initializer:
        array = numpy_helper.to_array(initializer)
        half = array.astype(np.float16) if array.dtype == np.float32 and array.ndim >= 2 else None
        if half is None or not np.array_equal(half.astype(np.float32), array):
            continue
        name = initializer.name
        initializer.CopyFrom(numpy_helper.from_array(half, name))
        casts.append(helper.make_node("Cast", [name], [f"{name}.single"], to=TensorProto.FLOAT))
        for node in graph.node:
            for index, used in enumerate(node.input):
                if used == name:
                    node.input[index] = f"{name}.single"
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def golden_images() -> npt.NDArray[np.uint8]:
    """Return four drawn frames: smooth colour fields with blobs where a face has its parts, and noise."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: FRAME[0], : FRAME[1]]
    images = []
    for _ in range(4):
        image = np.full(FRAME, rng.uniform(30, 220, 3))
        for y, x, radius in ((120, 89, 60), (111, 69, 9), (111, 108, 9), (136, 88, 10), (152, 88, 16), (60, 89, 40)):
            near = np.exp(-(((rows - y) / radius) ** 2 + ((columns - x) / radius) ** 2))[..., None]
            image += near * rng.uniform(-90, 90, 3)
        images.append(image + rng.normal(0, 6, FRAME))
    return np.clip(np.array(images), 0, 255).astype(np.uint8)


def largest_difference(model: Model, trained: RunModel, images: npt.NDArray[np.uint8]) -> float:
    """Return the largest difference between two models' probabilities and masks on some frames."""
    ours, theirs = model.predict(images), trained.predict(images)
    difference = float(np.abs(ours.probabilities - theirs.probabilities).max())
    if ours.masks is not None and theirs.masks is not None:
        difference = max(difference, float(np.abs(ours.masks - theirs.masks).max()))
    return difference
