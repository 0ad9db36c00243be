"""How far our crop of a photograph is from the official one of the same photograph, and what that costs.

    python benchmarks/photographs/registration.py CELEBA.zip WILD.zip --json results/photographs/registration.json

WILD.zip holds original photographs under the names of their aligned crops in CELEBA.zip. The face that the labels are
about is found and aligned as everywhere (facelocus data pack); the similarity from the official crop to ours is then
estimated from the pixels (enhanced correlation, OpenCV: pip install opencv-python-headless), not from landmarks. The
identity would be perfect. The same without the correction of the fit is what was before it. Beside them the accuracy of
the shipped model on both crops of the same faces, and on ours made more like the official ones: warped onto them, and
compressed as the training pictures are.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from facelocus.attributes import FRAME
from facelocus.data.decode import decode_frame, decode_photograph
from facelocus.data.readers import read_table
from facelocus.data.table import FaceTable
from facelocus.files import write_record
from facelocus.images import align
from facelocus.metrics.accuracy import measure
from facelocus.metrics.intervals import RESAMPLES, SEED, interval, resample
from facelocus.model import Model
from facelocus.provenance import commit, cpu_name, now, versions

#: Below this correlation of the registered crops the registration itself is not believed.
LEAST = 0.9

Frames = npt.NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description="Register our crops against the official ones.")
    parser.add_argument("celeba", type=Path)
    parser.add_argument("wild", type=Path)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    wild = read_table(options.wild)
    celeba = read_table(options.celeba)
    official, ours, rows = pairs(celeba, wild)
    found, maps = registration(official, ours)
    correction = align.CORRECTION
    align.CORRECTION = np.zeros_like(correction)
    before, _ = registration(official, pairs(celeba, wild)[1])
    align.CORRECTION = correction
    record = {
        "what": "registration of our crop against the official one of the same photograph",
        "unit": "pixels of the 178 x 218 frame; accuracy in percent",
        "photographs": len(wild),
        "face found": len(rows),
        "registration": found,
        "registration without the correction": before,
        "accuracy": accuracies(
            wild,
            rows,
            {
                "official crop": official,
                "photograph": ours,
                "photograph, warped onto the official crop": warped(ours, maps),
                "photograph, compressed like the training pictures": compressed(ours),
                "photograph, both": compressed(warped(ours, maps)),
            },
        ),
        "date": now(),
        "commit": commit(),
        "device": cpu_name(),
        "versions": versions("numpy", "pillow", "onnxruntime", "opencv-python-headless"),
    }
    write_record(options.json, record)
    print(json.dumps(record, indent=1))


def pairs(celeba: FaceTable, wild: FaceTable) -> tuple[Frames, Frames, npt.NDArray[np.int64]]:
    """Return the official frames and ours, each uint8 M x 218 x 178 x 3, and the rows of `wild` they are of."""
    official, ours, rows = [], [], []
    for row, name in enumerate(tqdm(wild.names, desc="aligning", disable=None)):
        crop = decode_photograph(wild.images.read(name), wild.images.where(name))
        if crop is not None:
            ours.append(crop)
            official.append(decode_frame(celeba.images.read(name), celeba.images.where(name)))
            rows.append(row)
    return np.stack(official), np.stack(ours), np.array(rows)


def warped(ours: Frames, maps: npt.NDArray[np.float64]) -> Frames:
    """Return our crops in the geometry of the official ones."""
    height, width, _ = FRAME
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    found = []
    for crop, to_ours in zip(ours, maps, strict=True):
        whole = to_ours.copy()  # OpenCV has pixel centres at whole numbers
        whole[:, 2] += to_ours[:, :2] @ [0.5, 0.5] - 0.5
        found.append(cv2.warpAffine(crop, whole, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE))
    return np.stack(found)


def compressed(crops: Frames) -> Frames:
    """Return crops as WebP of quality 26 leaves them."""
    found = []
    for crop in crops:
        with io.BytesIO() as stream:
            Image.fromarray(crop).save(stream, "WEBP", quality=26)
            found.append(np.asarray(Image.open(stream).convert("RGB")))
    return np.stack(found)


def registration(official: Frames, ours: Frames) -> tuple[dict[str, Any], npt.NDArray[np.float64]]:
    """Return how the similarities from the official crops to ours differ from the identity, and them: N x 2 x 3."""
    height, width, _ = FRAME
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], dtype=float)
    centre = np.array([width / 2, height / 2, 1])
    maps, correlations = [], []
    for theirs, our in zip(official, tqdm(ours, desc="registering", disable=None), strict=True):
        found, correlation = similarity_of_pixels(theirs, our)
        maps.append(found)
        correlations.append(correlation)
    believed = np.array(correlations) >= LEAST
    every = np.array(maps)
    kept = every[believed]
    scale, turn = np.hypot(kept[:, 0, 0], kept[:, 1, 0]), np.degrees(np.arctan2(kept[:, 1, 0], kept[:, 0, 0]))
    shift = np.linalg.norm(kept @ centre - centre[:2], axis=1)
    corner = np.linalg.norm(corners @ kept.swapaxes(1, 2) - corners[:, :2], axis=2).mean(axis=1)
    return {
        "registered": int(believed.sum()),
        "not believed, correlation below": LEAST,
        "median correlation": round(float(np.median(correlations)), 4),
        "scale mean": round(float(scale.mean()), 4),
        **_spread("scale error, percent", 100 * np.abs(scale - 1)),
        "rotation mean, degrees": round(float(turn.mean()), 3),
        **_spread("rotation error, degrees", np.abs(turn)),
        "shift mean (x, y)": (kept @ centre - centre[:2]).mean(axis=0).round(2).tolist(),
        **_spread("shift of the centre", shift),
        **_spread("error at the corners", corner),
    }, every


def similarity_of_pixels(official: Frames, ours: Frames) -> tuple[npt.NDArray[np.float64], float]:
    """Return the 2 x 3 similarity from points of the official crop to points of ours, and the correlation reached.

    Coarse to fine; the affine map that is found is reduced to the similarity nearest to it over the frame.
    """
    grey = [cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32) for crop in (official, ours)]
    warp, correlation = np.eye(2, 3, dtype=np.float32), 0.0
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-6)
    for blur in (21, 9, 3):
        try:
            correlation, warp = cv2.findTransformECC(grey[0], grey[1], warp, cv2.MOTION_AFFINE, stop, None, blur)
        except cv2.error:  # it did not converge
            return np.eye(2, 3), 0.0
    height, width, _ = FRAME
    columns, rows = np.meshgrid(np.arange(0, width, 8), np.arange(0, height, 8))
    points = np.stack([columns.ravel(), rows.ravel(), np.ones(columns.size)])
    # ECC has pixel centres at whole numbers, we at halves.
    there = warp.astype(np.float64) @ points + 0.5
    z, w = points[0] + 0.5 + 1j * (points[1] + 0.5), there[0] + 1j * there[1]
    spread = z - z.mean()
    a = np.vdot(spread, w) / np.vdot(spread, spread).real
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]]), float(correlation)


def accuracies(wild: FaceTable, rows: npt.NDArray[np.int64], ways: dict[str, Frames]) -> dict[str, Any]:
    """Return the shipped model's mean accuracy on several crops of the same faces, and what is lost to the first."""
    model = Model.load("default")
    labels = wild.labels[rows]
    people = None if wild.people is None else wild.people[rows]
    drawn, found = {}, {}
    for way, crops in ways.items():
        probabilities = model.predict(crops).probabilities
        found[way] = float(measure(labels, probabilities, model.thresholds)["accuracy"].mean())
        drawn[way] = resample(labels, probabilities, model.thresholds, people)["accuracy"].mean(1)
    first = next(iter(ways))
    return {
        "each": "mean over 40 attributes at the model's thresholds, low and high end of 95 % over people",
        **{
            way: {
                "accuracy": [_percent(found[way]), *map(_percent, interval(drawn[way]))],
                "difference": [
                    _percent(found[way] - found[first]),
                    *map(_percent, interval(drawn[way] - drawn[first])),
                ],
            }
            for way in ways
        },
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED},
        "model": model.sha256,
    }


def _spread(name: str, values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {
        f"{name}, median": round(float(np.median(values)), 3),
        f"{name}, 90th percentile": round(float(np.percentile(values, 90)), 3),
    }


def _percent(share: float) -> float:
    return round(100 * share, 2)


if __name__ == "__main__":
    main()
