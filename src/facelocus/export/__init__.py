"""From a finished run to a model file, and the golden answers beside it.

Calibration (facelocus.metrics.calibration) is put into the weights of the logits, so that whoever runs the file has
calibrated probabilities; of these, it carries the thresholds.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facelocus.attributes import FRAME
from facelocus.errors import FacelocusError, UsageError
from facelocus.export.graph import to_onnx
from facelocus.files import write_atomically
from facelocus.model import FORMAT, Model
from facelocus.training.run import RunModel, calibrated

#: How far the file may be from the network it was made of.
TOLERANCE = 1e-4
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
    if out.suffix != ".onnx":
        raise UsageError(f"{out}: a model file ends in .onnx")
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
