"""How well photographs land in CelebA's frame, and how often a face is found.

    python benchmarks/photographs/alignment.py CELEBA.zip [LFW.zip] --to results/photographs/alignment.json

Two disjoint samples of 600 official aligned validation faces: the first gives the template (where our
detector finds the five landmarks in the frame: LANDMARKS of images/align.py), the second is reported. On an
official crop the similarity that takes the template to the detected landmarks should be the identity; its
error is what a photograph of a user will have, the inaccuracy of CelebA's own annotation included. What of that
error the landmarks themselves foretell is learnt on 6,000 train faces: CORRECTION. On LFW a face is hit when a box
covers the centre.
"""

from __future__ import annotations

import argparse
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from facelocus.attributes import FRAME
from facelocus.detection.detect import Detection, Detector
from facelocus.files import write_record
from facelocus.images.align import CORRECTION, FITTED, LANDMARKS, frame_to_photo, similarity
from facelocus.images.read import RGB, read_image
from facelocus.provenance import commit, cpu_name, now, versions

FACES = 600
TRAIN_FACES = 6_000
RIDGE = 10.0
MIRROR = [1, 0, 2, 4, 3]
PHOTOGRAPHS = 300
OUTLIER = 15.0  # pixels off the median: a mistaken landmark, left out of the template but not of the errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("celeba", type=Path, help="aligned CelebA as a zip, with list_eval_partition.txt")
    parser.add_argument("lfw", type=Path, nargs="?", help="LFW as a zip")
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    detector = Detector(threads=1)
    order = np.random.default_rng(0)

    with zipfile.ZipFile(arguments.celeba) as archive:
        names = order.permutation(_names(archive, "1"))
        train = _landmarks(detector, archive, order.permutation(_names(archive, "0"))[:TRAIN_FACES])
        first, second = (_landmarks(detector, archive, names[i * FACES : (i + 1) * FACES]) for i in (0, 1))
    report: dict[str, Any] = {
        "unit": "pixels of the 178 x 218 frame, continuous coordinates (a pixel's centre is at .5)",
        "order": ["eye image-left", "eye image-right", "nose tip", "mouth image-left", "mouth image-right"],
        "template": _template(first),
        "template in use": LANDMARKS.tolist(),
        "correction": _correction(train).round(4).tolist(),
        "correction in use": CORRECTION.tolist(),
        "fit": {"faces asked": FACES, **_errors(np.array([frame_to_photo(face) for face in second]))},
        "fit without correction": _errors(_fitted(second, FITTED)),
        "fit without correction, with the nose": _errors(_fitted(second, list(range(5)))),
    }
    if arguments.lfw is not None:
        with zipfile.ZipFile(arguments.lfw) as archive:
            pictures = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
            report["lfw"] = _hits(detector, archive, order.permutation(pictures)[:PHOTOGRAPHS])
    report |= {
        "date": now(),
        "commit": commit(),
        "versions": versions("numpy", "pillow", "onnxruntime"),
        "device": f"{cpu_name()}, 1 thread",
    }
    write_record(arguments.to, report)
    print(json.dumps(report, indent=1))


def _names(archive: zipfile.ZipFile, split: str) -> list[str]:
    listing = next(name for name in archive.namelist() if name.endswith("list_eval_partition.txt"))
    folder = listing.removesuffix("list_eval_partition.txt") + "img_align_celeba/"
    rows = (line.split() for line in archive.read(listing).decode().splitlines())
    return [folder + name for name, part in rows if part == split]


def _landmarks(detector: Detector, archive: zipfile.ZipFile, names: list[str]) -> np.ndarray:
    """Landmarks of the face at the frame's centre, where one is found: N x 5 x 2."""
    centre = FRAME[1] / 2, FRAME[0] / 2
    found = (_covering(detector.detect(read_image(archive.read(name))), centre) for name in tqdm(names))
    return np.array([face.landmarks for face in found if face is not None])


def _covering(faces: list[Detection], point: tuple[float, float]) -> Detection | None:
    """The largest face whose box covers a point."""
    x, y = point
    return next((f for f in faces if f.box[0] < x < f.box[2] and f.box[1] < y < f.box[3]), None)


def _template(landmarks: np.ndarray) -> dict[str, Any]:
    off = np.abs(landmarks - np.median(landmarks, axis=0)).max(axis=(1, 2))
    kept = landmarks[off <= OUTLIER]
    return {
        "faces asked": FACES,
        "faces found": len(landmarks),
        "left out, a point over 15 off the median": len(landmarks) - len(kept),
        "mean": kept.mean(axis=0).round(2).tolist(),
        "std": kept.std(axis=0).round(2).tolist(),
    }


def _fitted(landmarks: np.ndarray, points: list[int]) -> np.ndarray:
    """The similarities from the frame to each face, fitted to some of the landmarks: N x 2 x 3."""
    return np.array([similarity(LANDMARKS[points], face[points]) for face in landmarks])


def _correction(landmarks: np.ndarray) -> np.ndarray:
    """Ridge regression from where fitted landmarks are off to how the fit is, over faces and mirror images: 10 x 4."""
    mirrored = landmarks[:, MIRROR] * [-1, 1] + [FRAME[1], 0]
    faces = np.concatenate([landmarks, mirrored])
    maps = _fitted(faces, FITTED)
    back = np.linalg.inv(maps[:, :, :2])
    off = (np.einsum("nij,npj->npi", back, faces - maps[:, None, :, 2]) - LANDMARKS).reshape(len(faces), 10)
    centre = np.array([FRAME[1] / 2, FRAME[0] / 2])
    scale, turn = np.hypot(maps[:, 0, 0], maps[:, 1, 0]), np.arctan2(maps[:, 1, 0], maps[:, 0, 0])
    # The face is a frame: what the fit says of it beyond the identity is its error.
    error = np.column_stack([np.log(scale), turn, maps[:, :, :2] @ centre + maps[:, :, 2] - centre])
    kept = np.abs(off).max(axis=1) < OUTLIER
    off, error = off[kept], error[kept]
    found: np.ndarray = np.linalg.solve(off.T @ off + RIDGE * np.eye(10), off.T @ error)
    return found


def _errors(maps: np.ndarray) -> dict[str, Any]:
    """How far similarities N x 2 x 3 from the frame to official crops are from the identity."""
    rows, columns, _ = FRAME
    corners = np.array([[0, 0, 1], [columns, 0, 1], [0, rows, 1], [columns, rows, 1]], dtype=float)
    centre = np.array([columns / 2, rows / 2, 1])
    corner_errors = np.linalg.norm(corners @ maps.swapaxes(1, 2) - corners[:, :2], axis=2).mean(axis=1)
    centre_errors = np.linalg.norm(maps @ centre - centre[:2], axis=1)
    scale, turn = np.hypot(maps[:, 0, 0], maps[:, 1, 0]), np.arctan2(maps[:, 1, 0], maps[:, 0, 0])
    return {
        "faces found": len(maps),
        "scale mean": round(float(scale.mean()), 4),
        "scale std": round(float(scale.std()), 4),
        "rotation std, degrees": round(float(np.degrees(turn).std()), 2),
        "centre error median": round(float(np.median(centre_errors)), 2),
        "corner error median": round(float(np.median(corner_errors)), 2),
        "corner error 90th percentile": round(float(np.percentile(corner_errors, 90)), 2),
    }


def _hits(detector: Detector, archive: zipfile.ZipFile, names: list[str]) -> dict[str, Any]:
    hits = boxes = 0
    seconds = 0.0
    for name in tqdm(names):
        image: RGB = read_image(archive.read(name))
        start = time.perf_counter()
        faces = detector.detect(image)
        seconds += time.perf_counter() - start
        hits += _covering(faces, (image.shape[1] / 2, image.shape[0] / 2)) is not None
        boxes += len(faces)
    return {
        "photographs": len(names),
        "hit": hits,
        "other boxes (not checked by eye)": boxes - hits,
        "ms a photograph": round(seconds / len(names) * 1000, 1),
    }


if __name__ == "__main__":
    main()
