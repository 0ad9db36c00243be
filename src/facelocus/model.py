"""The model file: face crops in, probabilities and masks out, on onnxruntime alone.

A model file is one ONNX graph. Input `images`: uint8 N x 218 x 178 x 3 RGB in CelebA's aligned frame, N free. Outputs
`probabilities`: float32 N x A in [0, 1], and optionally `masks`: float32 N x R x h x w in [0, 1]. One metadata entry,
`facelocus`, holds JSON: `format` (1), `attributes` (AttributeSet.to_json), `thresholds` (`accuracy` and `balanced`, A
probabilities each), `rates` (on validation faces at the accuracy thresholds: `sensitivity`, `specificity`, `positives`,
`negatives`, A numbers each), `network` (its spec, of which `flip` is read here and `crop` by what draws masks),
`training` and `calibration` (records, not read here; the last is what the probabilities went through already),
`licence`, and, where it computes in 8 bits, `quantized` (what it was made of).
"""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from facelocus.attributes import FRAME, AttributeSet
from facelocus.errors import ModelFileError, UsageError, first_line, one_line
from facelocus.runtime import CPU, open_session

FORMAT = 1

#: Crops in one run of a network: what it computes of more no longer fits into a processor's cache, and takes twice as
#: long with 64.
BATCH = 4


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about N faces.

    Attributes:
        probabilities: float32 N x A in [0, 1], in the order of the model's attributes.
        masks: float32 N x R x h x w in [0, 1], in the order of its regions; None where the model has none.
    """

    probabilities: npt.NDArray[np.float32]
    masks: npt.NDArray[np.float32] | None


class Predictor(Protocol):
    """What a model file and a trained run have in common.

    Attributes:
        name: how reports call it.
        attributes: the AttributeSet of its outputs.
        thresholds: "accuracy" and "balanced", float32 of shape A: yes from this probability on.
        metadata: its description.
        sha256: of a file's bytes, hexadecimal; None where there is no one file.
    """

    @property
    def name(self) -> str: ...
    @property
    def attributes(self) -> AttributeSet: ...
    @property
    def thresholds(self) -> Mapping[str, npt.NDArray[np.float32]]: ...
    @property
    def metadata(self) -> Mapping[str, Any]: ...
    @property
    def sha256(self) -> str | None: ...

    def predict(self, crops: npt.NDArray[np.uint8], flip: bool = False, batch: int = BATCH) -> Prediction:
        """Return the Prediction of N aligned faces, uint8 N x 218 x 178 x 3."""
        ...


class Model:
    """A model file, ready to run; made by `Model.load`.

    Threads may share one: predicting changes nothing in it. It pickles as its path, so another process
    reads the file again.

    Attributes:
        name: of the file, without .onnx, as text: bytes that are none are escaped.
        attributes: the AttributeSet of its outputs.
        thresholds: "accuracy" and "balanced", float32 of shape A: yes from this probability on.
        metadata: the whole description, as read.
        path: the file.
        sha256: of the file's bytes, hexadecimal.
    """

    def __init__(self, path: Path, threads: int | None = None, provider: str = CPU) -> None:
        self.path, self.name = path, one_line(path.stem)
        self._threads, self._provider = threads, provider
        content = _read(path)
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._session = open_session(path, content, threads, provider)
        self.metadata = _description(path, self._session)
        try:
            self.attributes = AttributeSet.from_json(self.metadata["attributes"])
            self.thresholds = {
                kind: np.array(self.metadata["thresholds"][kind], dtype=np.float32) for kind in ("accuracy", "balanced")
            }
            if not all(isinstance(self.metadata[record], dict) for record in ("network", "training")):
                raise ValueError("network and training are not records")
            if any(values.shape != (len(self.attributes),) for values in self.thresholds.values()):
                raise ValueError("thresholds and attributes differ in number")
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: its description is broken ({error}): export it again") from error
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._check_graph()

    @classmethod
    def load(
        cls, name_or_path: str | os.PathLike[str] = "default", threads: int | None = None, provider: str = CPU
    ) -> Model:
        """Open a model file.

        Args:
            name_or_path: the bare name of a shipped model, or a path to an .onnx file.
            threads: CPU threads one prediction uses; None: all that this process may use.
            provider: onnxruntime's name of what computes, "CUDAExecutionProvider" say; what it cannot do is done by
                the processor. Answers agree as golden_tolerance says.

        Raises:
            ModelFileError: there is no such model, or the file is not a usable one.
            UsageError: threads is below 1, or this onnxruntime lacks the provider.
        """
        shipped = shipped_models()
        if isinstance(name_or_path, str) and name_or_path in shipped:
            return cls(shipped[name_or_path], threads, provider)
        path = Path(name_or_path)
        # Path.exists raises where a name is too long.
        if path.suffix != ".onnx" and path.name == str(name_or_path) and not os.path.exists(path):  # noqa: PTH110
            names = ", ".join(sorted(shipped)) or "none"
            raise ModelFileError(
                f"no model is named {path.name!r}: shipped are {names}; or give a path to an .onnx file"
            )
        return cls(path, threads, provider)

    @property
    def in_8_bits(self) -> bool:
        """Whether it was made by `facelocus quantize`: its convolutions compute in 8 bits."""
        return "quantized" in self.metadata

    def __reduce__(self) -> tuple[Any, ...]:
        return Model, (self.path, self._threads, self._provider)

    def predict(self, crops: npt.NDArray[np.uint8], flip: bool = False, batch: int = BATCH) -> Prediction:
        """Run the network.

        Args:
            crops: uint8 N x 218 x 178 x 3, RGB, aligned; N may be 0.
            flip: average with the mirrored crops (their masks mirrored back first), if the network does not by itself.
            batch: how many crops are run at once, which bounds memory.

        Raises:
            UsageError: crops have another type or shape, or batch is below 1.
        """
        wanted = f"uint8 N x {FRAME[0]} x {FRAME[1]} x {FRAME[2]}"
        if crops.dtype != np.uint8 or crops.shape[1:] != FRAME:
            found = " x ".join(map(str, crops.shape)) or "a single number"
            raise UsageError(f"crops are {crops.dtype} {found}: a model takes aligned faces, {wanted}")
        if batch < 1:
            raise UsageError(f"batch is {batch}: give 1 or more")
        parts = [self._predict(crops[start : start + batch], flip) for start in range(0, len(crops), batch)]
        if not parts:
            one = self._run(np.zeros((1, *FRAME), dtype=np.uint8))
            return Prediction(one.probabilities[:0], None if one.masks is None else one.masks[:0])
        masks = [part.masks for part in parts if part.masks is not None]
        probabilities = np.concatenate([part.probabilities for part in parts])
        return Prediction(probabilities, np.concatenate(masks) if masks else None)

    def _predict(self, crops: npt.NDArray[np.uint8], flip: bool) -> Prediction:
        plain = self._run(crops)
        if not flip or self.metadata["network"].get("flip"):
            return plain
        mirrored = self._run(crops[:, :, ::-1])
        half = np.float32(0.5)
        masks = None
        if plain.masks is not None and mirrored.masks is not None:
            masks = half * (plain.masks + mirrored.masks[..., ::-1])
        return Prediction(half * (plain.probabilities + mirrored.probabilities), masks)

    def _run(self, crops: npt.NDArray[np.uint8]) -> Prediction:
        values = self._session.run(self._outputs, {"images": np.ascontiguousarray(crops)})
        outputs = dict(zip(self._outputs, values, strict=True))
        return Prediction(outputs["probabilities"], outputs.get("masks"))

    def _check_graph(self) -> None:
        """Refuse a graph that is not as described, by its declarations and by two black faces."""
        images = self._session.get_inputs()[0]
        if len(self._session.get_inputs()) != 1 or images.name != "images" or images.type != "tensor(uint8)":
            raise ModelFileError(f"{self.path}: its input is not uint8 `images`: export it again")
        if tuple(images.shape[1:]) != FRAME or isinstance(images.shape[0], int):
            raise ModelFileError(f"{self.path}: it takes {images.shape}, not N x {FRAME}: export it again")
        if "probabilities" not in self._outputs:
            raise ModelFileError(f"{self.path}: it has no output `probabilities`: export it again")
        try:
            found = self._run(np.zeros((2, *FRAME), dtype=np.uint8))
        except Exception as error:  # onnxruntime's errors share no base of their own
            raise ModelFileError(f"{self.path}: it does not run ({first_line(error)}): export it again") from error
        faces, regions = (2, len(self.attributes)), (2, len(self.attributes.regions))
        if found.probabilities.shape != faces:
            shape = found.probabilities.shape
            raise ModelFileError(f"{self.path}: probabilities are {shape}, not {faces}: export it again")
        if found.masks is not None and (found.masks.ndim != 4 or found.masks.shape[:2] != regions):
            shape = found.masks.shape
            raise ModelFileError(f"{self.path}: masks are {shape}, not {regions} x h x w: export it again")


def check_golden(model: Model) -> float:
    """Return the largest difference between what a model computes here and what is stored beside it.

    Beside NAME.onnx lies NAME.golden.npz: `images` (uint8, drawn), `probabilities` and, where the model has
    them, `masks`.

    Raises:
        ModelFileError: the file is missing, damaged or of another model.
    """
    path = model.path.with_suffix(".golden.npz")
    try:
        with np.load(path, allow_pickle=False) as stored:
            images, wanted = stored["images"], [stored["probabilities"]]
            if "masks" in stored:
                wanted.append(stored["masks"])
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no such file: export the model again, or reinstall") from error
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelFileError(f"{path}: not a golden file ({first_line(error)}): export the model again") from error
    got = model.predict(images)
    found = [values for values in (got.probabilities, got.masks) if values is not None]
    if [values.shape for values in found] != [values.shape for values in wanted]:
        raise ModelFileError(f"{path}: its outputs are of another model: export the model again")
    return float(np.max([np.abs(f - w).max() for f, w in zip(found, wanted, strict=True)]))  # keeps a nan


def golden_tolerance(model: Model) -> float:
    """Return how far golden outputs may be off on another processor or with another release of onnxruntime.

    In single precision that is rounding. In 8 bits what is rounded otherwise may take another of 255 steps, and what
    follows with it: probabilities were seen to move by 0.03 at most and by 0.001 on average.
    """
    return 0.05 if model.in_8_bits else 1e-3


def shipped_models() -> dict[str, Path]:
    """Return name -> file of the models inside the package."""
    folder = Path(str(importlib.resources.files("facelocus"))) / "models"
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ModelFileError(f"{path}: is a folder, not a model file: give the .onnx file")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no such file: give a model file (.onnx) or a shipped name") from error
    except OSError as error:
        raise ModelFileError(
            f"{path}: cannot be read ({error.strerror}): check the path and its permissions"
        ) from error
    if not content:
        raise ModelFileError(f"{path}: is empty: copy or export it again")
    return content


def _description(path: Path, session: onnxruntime.InferenceSession) -> dict[str, Any]:
    text = session.get_modelmeta().custom_metadata_map.get("facelocus")
    if text is None:
        raise ModelFileError(f"{path}: an ONNX file without a facelocus description: make one with `facelocus export`")
    try:
        value = json.loads(text)
        made = int(value["format"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: its description is broken ({error}): export it again") from error
    if made > FORMAT:
        raise ModelFileError(
            f"{path}: made by a newer facelocus (format {made}, this one reads {FORMAT}): update facelocus"
        )
    return dict(value)
