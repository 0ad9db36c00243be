"""Draw the picture with a face that `facelocus doctor` searches, and write down what is found in it.

    python benchmarks/photographs/golden_picture.py

Writes src/facelocus/detection/golden.png and golden.json; again whenever the detector is changed on purpose.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from facelocus.detection.detect import Detector
from facelocus.detection.golden import PICTURE, WANTED
from facelocus.images.read import read_image

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from faces import draw_face

#: A drawn face that the detector is sure of.
SEED = 10


def main() -> None:
    face = Image.fromarray(draw_face(SEED)).quantize(64)
    face.save(PICTURE, optimize=True)
    (found,) = Detector(threads=1).detect(read_image(PICTURE))
    value = asdict(found) | {"landmarks": np.round(found.landmarks, 3).tolist()}
    WANTED.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
