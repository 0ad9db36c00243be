"""Whether the detector finds here what it found where it was made, in a drawn picture that lies beside this file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from facelocus.detection.detect import Detector
from facelocus.errors import FacelocusError
from facelocus.images.read import read_image

PICTURE = Path(__file__).with_name("golden.png")
WANTED = Path(__file__).with_name("golden.json")


def check_golden_picture() -> float:
    """Return the largest difference, in pixels, of box and landmarks from those written down.

    Raises:
        ImageError: the picture is missing or damaged.
        FacelocusError: not one face is found in it.
    """
    found = Detector(threads=1).detect(read_image(PICTURE))
    if len(found) != 1:
        raise FacelocusError(f"{PICTURE}: {len(found)} faces found, not 1: reinstall onnxruntime or facelocus")
    wanted = json.loads(WANTED.read_text(encoding="utf-8"))
    (face,) = found
    off = np.abs(np.array(face.box) - wanted["box"]).max(), np.abs(face.landmarks - wanted["landmarks"]).max()
    return float(max(off))
