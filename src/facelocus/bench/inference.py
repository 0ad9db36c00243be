"""What a model file answers: onnxruntime, as the camera runs it, against the plain reference in torch."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from facelocus.attributes import FRAME
from facelocus.bench.limits import operations, operations_a_second, share_of_limit
from facelocus.bench.reference import PlainNetwork
from facelocus.bench.timing import Step, alternate, rates
from facelocus.errors import FacelocusError
from facelocus.export import TOLERANCE_8_BITS
from facelocus.export.graph import to_onnx
from facelocus.export.quantization import quantize
from facelocus.model import BATCH, Model
from facelocus.nn.network import RegionNetwork
from facelocus.nn.weights import read_model_file
from facelocus.provenance import commit, now, versions
from facelocus.training.record import device_name

FACES = 32
#: Largest difference of probabilities between ours and the reference, which computes in single precision.
TOLERANCE = 1e-3


def inference_record(name: str, rounds: int) -> dict[str, Any]:
    """Return the record of a model file on this machine's processor: aligned faces to probabilities and masks.

    Args:
        name: a shipped name or an .onnx file made by `facelocus export`.
        rounds: turns that ours and the reference take.

    Raises:
        ModelFileError: there is no such file, or no network is described in it.
        FacelocusError: the reference computes something else.
    """
    model = Model.load(name)
    network, description = read_model_file(model.path)
    device = torch.device("cpu")
    faces = np.random.default_rng(0).integers(0, 256, (FACES, *FRAME), dtype=np.uint8)
    steps: dict[str, Step] = {}
    _add(steps, "", model, network, faces)
    with tempfile.TemporaryDirectory() as folder:
        if network.spec.attention != "none":
            bare = _without_attention(network)
            file = Path(folder) / "without.onnx"
            content = to_onnx(bare, description)
            file.write_bytes(quantize(content, faces) if model.in_8_bits else content)
            _add(steps, " without", Model.load(file), bare, faces)
        record: dict[str, Any] = {
            "what": "inference",
            "model": model.name,
            "sha256": model.sha256,
            "network": network.spec.trunk,
            "attention": network.spec.attention,
            "size": list(network.spec.crop or network.spec.size),
            "precision": "int8" if model.in_8_bits else "fp32",
            "batch": BATCH,
            "device_name": device_name(device),
            "device": device.type,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "rounds": rounds,
        }
        bounded = not model.in_8_bits  # torch has no product of 8 bits whose rate would bound onnxruntime's
        before = operations_a_second(device, "fp32") if bounded else 0.0
        record |= rates(alternate(steps, rounds, device), FACES)
    if bounded:
        forward = operations(lambda: network(torch.from_numpy(faces[:1])))
        record |= share_of_limit(record, forward, device, before)
    return record | {"commit": commit(), "date": now(), "versions": versions("torch", "timm", "onnxruntime")}


def _add(
    steps: dict[str, Step], which: str, model: Model, network: RegionNetwork, faces: npt.NDArray[np.uint8]
) -> None:
    """Add both sides of one network, after comparing their answers."""
    answer = _reference(network)
    differences = np.abs(model.predict(faces[:4]).probabilities - answer(faces[:4]))
    difference = float(differences.mean() if model.in_8_bits else differences.max())
    if not difference < (TOLERANCE_8_BITS if model.in_8_bits else TOLERANCE):
        raise FacelocusError(f"{model.path}: the reference's answers differ by {difference:.2g}: report it")
    steps[f"ours{which}"] = lambda: model.predict(faces)
    steps[f"reference{which}"] = lambda: [answer(faces[at : at + BATCH]) for at in range(0, len(faces), BATCH)]


def _reference(network: RegionNetwork) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]:
    plain = PlainNetwork(network).eval()

    def answer(faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            frames = torch.from_numpy(faces).permute(0, 3, 1, 2).float()
            probabilities: npt.NDArray[np.float32] = torch.sigmoid(plain(frames)).numpy()
        return probabilities

    return answer


def _without_attention(network: RegionNetwork) -> RegionNetwork:
    """Return the same network with its attention left out."""
    bare = replace(network.spec, attention="none", imagenet=False).build(network.attributes)
    kept = {name: value for name, value in network.state_dict().items() if ".attention." not in name}
    bare.load_state_dict(kept)
    return bare.eval()
