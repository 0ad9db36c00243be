"""From a finished run to a model file, and from that to one in 8 bits; each with golden answers beside it.

Calibration (facelocus.metrics.calibration) is put into the weights of the logits, so that whoever runs the file has
calibrated probabilities; of these, it carries the thresholds.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.attributes import FRAME
from facelocus.errors import FacelocusError, ModelFileError, UsageError
from facelocus.export.graph import describe, to_onnx
from facelocus.export.quantization import quantize
from facelocus.files import write_atomically
from facelocus.model import FORMAT, Model
from facelocus.training.run import RunModel, calibrated

#: How far the file may be from the network it was made of.
TOLERANCE = 1e-4
#: How far the probabilities of a file in 8 bits may be from those of the file it was made of, on average over faces.
TOLERANCE_8_BITS = 0.02
LICENCE = (
    "Trained on CelebA: for non-commercial research only. "
    "Not for judging persons: labels are annotators' opinions about celebrities."
)


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
    _refuse_name(out)
    trained = calibrated(run)
    description = {
        "format": FORMAT,
        **{
            key: trained.metadata[key]
            for key in ("attributes", "thresholds", "calibration", "rates", "network", "training")
        },
        "licence": licence,
    }
    content = to_onnx(trained.network, description)
    return _write(out, content, lambda model: largest_difference(model, trained, golden_images()), TOLERANCE)


def export_8_bits(source: Path, faces: npt.NDArray[np.uint8], out: Path, *, of: Mapping[str, Any]) -> float:
    """Write a model file that computes in 8 bits what another one computes, and golden outputs beside it.

    Args:
        source: a model file in single precision.
        faces: uint8 N x 218 x 178 x 3, RGB, aligned, N at least 1; they give each layer its range.
        out: NAME.onnx; NAME.golden.npz is written beside it.
        of: what the file is to say of these faces.

    Returns:
        The mean difference between the two files' probabilities of these faces, below TOLERANCE_8_BITS.

    Raises:
        ModelFileError: `source` is not a model file, or is one in 8 bits.
        UsageError: `out` does not end in .onnx.
        StorageError: the file cannot be written.
        FacelocusError: in 8 bits the network says something else.
    """
    _refuse_name(out)
    single = Model.load(source)
    if single.in_8_bits:
        raise ModelFileError(f"{source}: computes in 8 bits already: give the model file that it was made of")
    description = {**single.metadata, "quantized": {"from": single.sha256, "faces": len(faces), **of}}
    content = describe(quantize(source.read_bytes(), faces), description)

    def difference(model: Model) -> float:
        return float(np.abs(model.predict(faces).probabilities - single.predict(faces).probabilities).mean())

    return _write(out, content, difference, TOLERANCE_8_BITS)


def _refuse_name(out: Path) -> None:
    if out.suffix != ".onnx":
        raise UsageError(f"{out}: a model file ends in .onnx")


def _write(out: Path, content: bytes, differ: Callable[[Model], float], tolerance: float) -> float:
    """Write a model file that may differ so much from its source, and its golden outputs; returns how much it does."""
    # The graph is read back and compared before it takes the name it was asked for.
    draft, images = out.with_name(f".{out.name}.draft"), golden_images()
    try:
        write_atomically(draft, content)
        model = Model.load(draft)
        difference = differ(model)
        prediction = model.predict(images)
    finally:
        with suppress(OSError):  # where it could not be written, that is what is said
            draft.unlink()
    if not difference <= tolerance:
        raise FacelocusError(f"{out}: the exported graph is off by {difference:.1e}: not written")
    arrays = {"images": images, "probabilities": prediction.probabilities}
    if prediction.masks is not None:
        arrays["masks"] = prediction.masks
    with io.BytesIO() as buffer:
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        write_atomically(out.with_suffix(".golden.npz"), buffer.getvalue())
    write_atomically(out, content)
    return difference


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
