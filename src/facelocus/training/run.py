"""A finished run, read as a model: the same interface as a model file, computed by torch."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from facelocus.attributes import FRAME, AttributeSet
from facelocus.data.pack import Pack
from facelocus.errors import ModelFileError, first_line
from facelocus.metrics.accuracy import Confusion
from facelocus.metrics.calibration import Calibration
from facelocus.metrics.label_shift import LabelShift
from facelocus.model import Prediction
from facelocus.nn.network import RegionNetwork
from facelocus.nn.weights import build_from, read_model_file, read_tensors
from facelocus.training.folder import FINISHED
from facelocus.training.memory import keep_freed_memory


class RunModel:
    """A RegionNetwork that predicts from NumPy frames.

    Attributes:
        network: the network, used in eval mode on whatever device it is.
        attributes: its AttributeSet.
        name: how it is called in reports.
        metadata: the description kept with its weights.
        sha256: None, as it is no single file.
    """

    sha256 = None

    def __init__(
        self,
        network: RegionNetwork,
        metadata: dict[str, Any] | None = None,
        name: str = "run",
        precision: str = "fp32",
    ) -> None:
        self.network = network
        self.metadata = metadata or {}
        self.name = name
        self._autocast = precision == "bf16"

    @property
    def attributes(self) -> AttributeSet:
        return self.network.attributes

    @property
    def thresholds(self) -> dict[str, npt.NDArray[np.float32]]:
        """ "accuracy" and "balanced", each float32 of shape A."""
        return {kind: np.array(values, dtype=np.float32) for kind, values in self.metadata["thresholds"].items()}

    def predict(self, crops: npt.NDArray[np.uint8], flip: bool = False, batch: int = 64) -> Prediction:
        """Return probabilities N x A and, with PSE, masks N x R x h x w, both float32.

        Args:
            crops: uint8 N x 218 x 178 x 3; N may be 0.
            flip: average with the mirrored crops (masks are mirrored back first), if the network does not by itself.
            batch: crops computed at once.
        """
        if not len(crops):
            one = self.predict(np.zeros((1, *FRAME), np.uint8))
            return Prediction(one.probabilities[:0], None if one.masks is None else one.masks[:0])
        probabilities, masks = [], []
        for start in range(0, len(crops), batch):
            part = np.array(crops[start : start + batch])  # a copy: a memory map is read-only
            ours, its_masks = self._forward(part)
            if flip and not self.network.spec.flip:
                mirrored, mirrored_masks = self._forward(np.ascontiguousarray(part[:, :, ::-1]))
                ours = np.float32(0.5) * (ours + mirrored)
                if its_masks is not None and mirrored_masks is not None:
                    its_masks = np.float32(0.5) * (its_masks + mirrored_masks[..., ::-1])
            probabilities.append(ours)
            if its_masks is not None:
                masks.append(its_masks)
        return Prediction(np.concatenate(probabilities), np.concatenate(masks) if masks else None)

    def predict_rows(
        self, pack: Pack, rows: npt.NDArray[np.int64], flip: bool = False, batch: int = 128
    ) -> npt.NDArray[np.float32]:
        """Return the probabilities of rows of a Pack, len(rows) x A, with a progress bar; `flip` as in `predict`."""
        parts = [np.empty((0, len(self.attributes)), np.float32)]
        parts += [
            self.predict(pack.frames(rows[start : start + batch]), flip, batch).probabilities
            for start in tqdm(range(0, len(rows), batch), desc="predicting", unit="batch", leave=False, disable=None)
        ]
        return np.concatenate(parts)

    def _forward(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
        device = self.network.logit_bias.device
        self.network.eval()
        images = torch.from_numpy(crops).to(device)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=self._autocast):
            if not self.network.sub_networks.has_masks:
                return torch.sigmoid(self.network(images).float()).cpu().numpy(), None
            logits, masks = self.network(images, masks=True)
        return torch.sigmoid(logits.float()).cpu().numpy(), masks.float().cpu().numpy()


def load_run(run: Path) -> RunModel:
    """Return the model of a finished run folder, on the CPU, where freed memory is kept from then on.

    Raises:
        ModelFileError: the run is not finished, not a run, or its weights are damaged.
    """
    if not (run / FINISHED).is_file():
        state = (
            "not finished: run its command again"
            if (run / "recipe.json").is_file()
            else "not a run folder: name what `facelocus train --to` wrote"
        )
        raise ModelFileError(f"{run}: {state}")
    tensors, description = read_tensors(run / FINISHED)
    network = build_from(description, tensors, run / FINISHED)
    keep_freed_memory()
    return RunModel(network, description, description["training"]["recipe"])


def calibrated(run: Path) -> RunModel:
    """Return a finished run's model, calibrated on its validation faces to how new faces are expected to be labelled.

    Its metadata say in "calibration" what was done to the logits. Of calibrated probabilities, most decisions are right
    at one half, and positives and negatives alike at the attribute's rate: its thresholds. Beside them it keeps how
    often the first decide right on validation faces ("rates"), by which counts of decisions can be corrected.

    Raises:
        ModelFileError: the run is not finished or damaged.
    """
    trained = load_run(run)
    labels, probabilities, shift = read_validation(run)
    calibration, half = Calibration.fit(labels, probabilities), np.full(len(trained.attributes), 0.5)
    rates = half
    if len(labels):
        rates = shift.expected(calibration.apply(probabilities).mean(axis=0))
        calibration = calibration.to_rates(probabilities, rates)
    trained.network.calibrate(*(torch.from_numpy(n).float() for n in (calibration.slope, calibration.offset)))
    description = {
        "thresholds": {"accuracy": half.tolist(), "balanced": rates.tolist()},
        "calibration": calibration.to_json(),
        "rates": Confusion.count(labels, calibration.apply(probabilities), half).to_rates(),
    }
    return RunModel(trained.network, trained.metadata | description, trained.name)


def read_validation(run: Path) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32], LabelShift]:
    """Return the labels of a finished run's validation faces, its probabilities of them, both N x A, and their shift.

    Raises:
        ModelFileError: they are missing or damaged.
    """
    file = run / "validation.npz"
    try:
        with np.load(file, allow_pickle=False) as kept:
            return kept["labels"], kept["probabilities"], LabelShift(kept["shift"], kept["noise"])
    except FileNotFoundError as error:
        raise ModelFileError(f"{file}: no such file: copy the whole folder of the run, or train again") from error
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelFileError(
            f"{file}: damaged or another version's ({first_line(error)}): copy the run again, or train again"
        ) from error


def load_weights(source: Path) -> tuple[RegionNetwork, dict[str, Any]]:
    """Return the network of a finished run's folder or of a model file, and its description.

    Raises:
        ModelFileError: it is neither, or damaged.
    """
    if source.is_dir():
        run = load_run(source)
        return run.network, run.metadata
    return read_model_file(source)
