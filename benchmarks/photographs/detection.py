"""How often faces are found: as photographed, small and large, turned, many at once; and what is found without a face.

    python benchmarks/photographs/detection.py CELEBA.zip WILD.zip LFW.zip --json results/photographs/detection.json

WILD.zip holds original photographs under the names of their aligned crops in CELEBA.zip. Registering our crop against
the official one (registration.py) says whether the labelled face was found, and where the official frame lies in the
photograph. On LFW the person meant stands in the middle, about 110 pixels high: found is a box that covers the centre
with a longer side of 60 to 200. From there pictures are resized and turned; a face is found again when eyes, nose and
mouth lie on average within a fifth of the face's size (the longer side of its box) of where they should. Pictures
without faces are those inside scikit-image and matplotlib (pip install scikit-image), whole and in tiles. OpenCV is
needed as for registration.py.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import numpy.typing as npt
import skimage
from PIL import Image
from tqdm import tqdm

from facelocus.data.decode import decode_frame, decode_photograph
from facelocus.data.readers import read_table
from facelocus.detection.detect import Detection, Detector
from facelocus.detection.labelled import labelled_face
from facelocus.errors import ImageError
from facelocus.files import write_record
from facelocus.images.read import RGB, read_image
from facelocus.provenance import commit, cpu_name, now, versions
from registration import LEAST, similarity_of_pixels

SIZES = (24, 32, 48, 96, 200, 500, 1000, 1600)
ROLLS = (-40, -30, -20, -10, 0, 10, 20, 30, 40)
SAMPLE = 300
TILE = 256
NEAR = 0.2

#: Pictures that show a person's face.
LEFT_OUT = ("astronaut.png", "camera.png", "grace_hopper.jpg")

#: Looked at by eye: of the 330 other boxes of every third picture of LFW (names in order), 40 drawn at random, each cut
#: out with 0.9 of its longer side to all sides of its centre.
JUDGED = {"boxes": 40, "of": 330, "faces": 38, "no face": 1, "cannot be told": 1}

Points = npt.NDArray[np.float64]


class Known(NamedTuple):
    """A picture, where the five landmarks of its face lie, and the longer side of the face's box."""

    image: RGB
    landmarks: Points
    size: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("celeba", "wild", "lfw"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    detector = Detector(threads=1)
    labelled = labelled_faces(options.celeba, options.wild)
    centre, faces = lfw(detector, options.lfw)
    wild = [known for known in (upright(detector, read_image(p)) for p in pictures(options.wild)) if known is not None]
    several = faces[:: max(1, len(faces) // (9 * 100))]
    record = {
        "what": "faces found",
        "labelled face, photographs": labelled,
        "centre face, LFW": centre,
        "by size of the face, longer side in pixels": {
            "photographs": by_size(detector, wild),
            "LFW": by_size(detector, spread(faces)),
        },
        "by roll, degrees": {"photographs": by_roll(detector, wild), "LFW": by_roll(detector, spread(faces))},
        "several faces, 3 x 3 of LFW's centres": mosaics(detector, several),
        "without faces": without_faces(detector),
        "date": now(),
        "commit": commit(),
        "device": f"{cpu_name()}, 1 thread",
        "versions": versions("numpy", "pillow", "onnxruntime", "scikit-image", "matplotlib"),
    }
    write_record(options.json, record)
    print(json.dumps(record, indent=1))


def pictures(archive: Path) -> Iterable[bytes]:
    with zipfile.ZipFile(archive) as opened:
        for name in tqdm(sorted(n for n in opened.namelist() if n.endswith(".jpg")), desc=archive.stem, disable=None):
            yield opened.read(name)


def labelled_faces(celeba_file: Path, wild_file: Path) -> dict[str, Any]:
    """How many of the photographs give the face of the official crop, by the path that packs and analyzes."""
    celeba, wild = read_table(celeba_file), read_table(wild_file)
    found, registered, doubtful = 0, 0, []
    for name in tqdm(wild.names, desc="registering", disable=None):
        crop = decode_photograph(wild.images.read(name), name)
        if crop is None:
            doubtful.append({"photograph": name, "correlation": None})
            continue
        found += 1
        _, correlation = similarity_of_pixels(decode_frame(celeba.images.read(name), name), crop)
        registered += correlation >= LEAST
        if correlation < LEAST:
            doubtful.append({"photograph": name, "correlation": round(correlation, 3)})
    return {
        "photographs": len(wild),
        "a face found": found,
        f"registered, correlation of {LEAST} or more": registered,
        "others": doubtful,
    }


def lfw(detector: Detector, archive: Path) -> tuple[dict[str, Any], list[Known]]:
    missed, others, faces, names = [], 0, [], sorted(n for n in zipfile.ZipFile(archive).namelist() if ".jpg" in n)
    halves = [0, 0]
    for number, content in enumerate(pictures(archive)):
        image = read_image(content)
        found = detector.detect(image)
        meant = [face for face in found if covers(face, image.shape[1] / 2, image.shape[0] / 2)]
        others += len(found) - bool(meant)
        if meant:
            faces.append(Known(image, meant[0].landmarks, longer(meant[0])))
        else:
            missed.append(names[number].rsplit("/", 1)[-1])
            halves[number % 2] += 1
    count = len(names)
    report = {
        "photographs": count,
        "centre face found": count - len(missed),
        "percent": round(100 * (1 - len(missed) / count), 3),
        "missed": missed,
        "missed in even and odd places": halves,
        "other boxes": others,
        "other boxes judged by eye": JUDGED,
    }
    return report, faces


def covers(face: Detection, x: float, y: float) -> bool:
    x0, y0, x1, y1 = face.box
    return x0 < x < x1 and y0 < y < y1 and 60 <= longer(face) <= 200


def longer(face: Detection) -> float:
    return max(face.box[2] - face.box[0], face.box[3] - face.box[1])


def upright(detector: Detector, image: RGB) -> Known | None:
    height, width = image.shape[:2]
    face = labelled_face(detector.detect(image), width, height)
    return None if face is None else Known(image, face.landmarks, longer(face))


def spread(faces: list[Known]) -> list[Known]:
    return faces[:: max(1, len(faces) // SAMPLE)][:SAMPLE]


def by_size(detector: Detector, faces: list[Known]) -> dict[str, Any]:
    """Rescaled so that the face has a size (pictures stay within 3,000 pixels), and cut out so that it fills them."""

    def scaled(known: Known, size: float) -> Known | None:
        scale = size / known.size
        width, height = (round(side * scale) for side in known.image.shape[1::-1])
        # Enlarged, the face is cut out with as much around it.
        x, y = known.landmarks[2]
        half = min(1500 / scale, 2.0 * known.size) if scale > 1 else max(known.image.shape)
        left, top = max(0, int(x - half)), max(0, int(y - half))
        part = known.image[top : int(y + half), left : int(x + half)]
        width, height = (max(1, round(side * scale)) for side in part.shape[1::-1])
        image = np.asarray(Image.fromarray(part).resize((width, height), Image.Resampling.LANCZOS))
        return Known(image, (known.landmarks - [left, top]) * scale, size)

    def filling(known: Known) -> Known:
        x, y = known.landmarks.mean(0)
        half = known.size / 2
        left, top = max(0, round(x - 0.85 * half)), max(0, round(y - half))
        part = known.image[top : round(y + half), left : round(x + 0.85 * half)]
        return Known(part, known.landmarks - [left, top], known.size)

    report = {str(size): again(detector, (scaled(known, size) for known in faces)) for size in SIZES}
    return {**report, "filling the picture": again(detector, map(filling, faces))}


def by_roll(detector: Detector, faces: list[Known]) -> dict[str, Any]:
    """Turned about the face, what comes in from outside replicated from the border."""

    def turned(known: Known, degrees: float) -> Known:
        half = round(1.6 * known.size)
        x, y = known.landmarks.mean(0)
        turn = np.radians(degrees)
        there = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        back = np.column_stack([there.T, [x, y] - there.T @ [half, half]])
        pad = 2 * half
        image = Image.fromarray(np.pad(known.image, ((pad, pad), (pad, pad), (0, 0)), mode="edge"))
        back[:, 2] += pad
        bicubic = Image.Resampling.BICUBIC
        picture = image.transform((2 * half, 2 * half), Image.Transform.AFFINE, back.ravel().tolist(), bicubic)
        return Known(np.asarray(picture), (known.landmarks - [x, y]) @ there.T + half, known.size)

    return {
        str(roll): again(detector, (turned(known, roll) for known in tqdm(faces, desc="turned", disable=None)))
        for roll in ROLLS
    }


def again(detector: Detector, faces: Iterable[Known]) -> dict[str, Any]:
    """How many are found again, and how far their landmarks are, in percent of the face's size."""
    asked, errors, others = 0, [], 0
    for image, landmarks, size in faces:
        found = detector.detect(image)
        away = [float(np.linalg.norm(face.landmarks - landmarks, axis=1).mean()) / size for face in found]
        asked += 1
        errors += [min(away)] if away and min(away) < NEAR else []
        others += len(found)
    return {
        "faces": asked,
        "found": len(errors),
        "percent": round(100 * len(errors) / asked, 2),
        "landmark error, percent of the face, median": round(100 * float(np.median(errors)), 2) if errors else None,
        "landmark error, percent of the face, 90th percentile": (
            round(100 * float(np.percentile(errors, 90)), 2) if errors else None
        ),
        "other boxes": others - len(errors),
    }


def mosaics(detector: Detector, faces: list[Known]) -> dict[str, Any]:
    """Sheets of 3 x 3 faces, each cut out with half its size around it, between 40 and 160 pixels."""
    random = np.random.default_rng(0)
    asked = found = boxes = 0
    for start in range(0, len(faces) - 8, 9):
        sheet, places = np.zeros((960, 960, 3), dtype=np.uint8), []
        for cell, known in enumerate(faces[start : start + 9]):
            half = round(known.size)
            x, y = (round(value) for value in known.landmarks.mean(0))
            part = known.image[max(0, y - half) : y + half, max(0, x - half) : x + half]
            side = int(random.integers(80, 320))
            top, left = 320 * (cell // 3), 320 * (cell % 3)
            sheet[top : top + side, left : left + side] = np.asarray(Image.fromarray(part).resize((side, side)))
            scale = side / part.shape[1], side / part.shape[0]
            corner = max(0, x - half), max(0, y - half)
            places.append(((known.landmarks - corner) * scale + [left, top], known.size * scale[0]))
        here = detector.detect(sheet)
        boxes += len(here)
        asked += 9
        found += sum(
            any(np.linalg.norm(face.landmarks - marks, axis=1).mean() < NEAR * size for face in here)
            for marks, size in places
        )
    return {"sheets": asked // 9, "faces": asked, "found": found, "other boxes": boxes - found}


def without_faces(detector: Detector) -> dict[str, Any]:
    """Boxes on the pictures that come inside scikit-image and matplotlib and have no face."""
    files = [
        *(Path(skimage.__file__).parent / "data").iterdir(),
        *(Path(matplotlib.get_data_path()) / "sample_data").iterdir(),
    ]
    suffixes = {".png", ".jpg", ".tif", ".gif"}
    kept = sorted(f for f in files if f.suffix in suffixes and f.name not in LEFT_OUT)
    whole: dict[str, int] = {}
    tiles: dict[str, int] = {}
    count, unread = 0, []
    for file in kept:
        try:
            image = read_image(file)
        except ImageError:  # a format that photographs do not come in
            unread.append(file.name)
            continue
        if boxes := len(detector.detect(image)):
            whole[file.name] = boxes
        for tile in tiled(image):
            count += 1
            if boxes := len(detector.detect(tile)):
                tiles[file.name] = tiles.get(file.name, 0) + 1
    return {
        "pictures": len(kept) - len(unread),
        "pictures with a box": whole,
        f"tiles of {TILE} pixels, half overlapping": count,
        "tiles with a box": tiles,
        "left out, they show people": list(LEFT_OUT),
    }


def tiled(image: RGB) -> Iterable[RGB]:
    for top in range(0, image.shape[0] - TILE + 1, TILE // 2):
        for left in range(0, image.shape[1] - TILE + 1, TILE // 2):
            yield image[top : top + TILE, left : left + TILE]


if __name__ == "__main__":
    main()
