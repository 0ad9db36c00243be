"""Photograph -> faces, each with its attributes and where the network looked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from facelocus.detection.detect import READ_LONGEST, Detector
from facelocus.errors import FacelocusError
from facelocus.images.align import align, fit_to_frame
from facelocus.images.read import RGB, Source, read_image, read_reduced
from facelocus.model import Model, Predictor

AnySource = TypeVar("AnySource", bound=Source)
_Place = tuple[tuple[float, float, float, float], float | None, npt.NDArray[np.float64] | None]


@dataclass(frozen=True)
class Quality:
    """How much there was to see.

    Attributes:
        size: the longer side of the face's box, in pixels of the photograph; the frame shows a face about 115
            pixels high, so that below this the crop holds less detail than the network was trained on.
    """

    size: float


@dataclass(frozen=True)
class Face:
    """One face of a photograph.

    Attributes:
        box: (x0, y0, x1, y1) in pixels of the photograph, possibly reaching outside it.
        score: the detector's, in [0, 1]; None for a picture given as aligned, where nothing was detected.
        landmarks: float64 5 x 2 (x, y) in pixels of the photograph: eye image-left, eye image-right, nose
            tip, mouth image-left, mouth image-right; None for a picture given as aligned.
        quality: see Quality.
        attributes: attribute name -> probability in [0, 1], in the order of the model's AttributeSet.
        masks: float32 R x h x w in [0, 1], where the network looked for each region; None if it has no masks.
        crop: uint8 218 x 178 x 3, what the network saw.
    """

    box: tuple[float, float, float, float]
    score: float | None
    landmarks: npt.NDArray[np.float64] | None
    quality: Quality
    attributes: Mapping[str, float]
    masks: npt.NDArray[np.float32] | None
    crop: RGB

    def to_json(self) -> dict[str, Any]:
        """Return everything but the two pictures, masks and crop, JSON-ready."""
        return {
            "box": [round(side, 2) for side in self.box],
            "score": None if self.score is None else round(self.score, 4),
            "landmarks": None if self.landmarks is None else self.landmarks.round(2).tolist(),
            "quality": {"size": round(self.quality.size, 1)},
            "attributes": {name: round(value, 6) for name, value in self.attributes.items()},
        }


def analyze(
    source: Source,
    *,
    model: Predictor | str | Path = "default",
    detector: Detector | None = None,
    aligned: bool = False,
    flip: bool = False,
) -> list[Face]:
    """Return the faces of one photograph, the largest first; an empty list where there is none.

    Args:
        source: what read_image takes: a path, bytes, an open file, a Pillow image or a uint8 array.
        model: a loaded model, a path, or the name of a shipped model.
        detector: what finds the faces; None for one that all calls share and that uses all cores.
        aligned: the picture is a face crop already, framed like CelebA's aligned ones; no face is looked for.
        flip: average with the mirrored face: a little more accurate, twice the work.

    Raises:
        ImageError: the picture cannot be read.
        ModelFileError: the model cannot be used.
    """
    return _faces(source, _loaded(model), None if aligned else detector or _detector(), flip)


def analyze_many(
    sources: Iterable[AnySource],
    *,
    model: Predictor | str | Path = "default",
    detector: Detector | None = None,
    aligned: bool = False,
    flip: bool = False,
) -> Iterator[tuple[AnySource, list[Face] | FacelocusError]]:
    """Analyze photographs one by one, lazily: each comes with its faces, or with what is wrong with it.

    Arguments as for `analyze`. A picture that cannot be read does not end the iteration.

    Raises:
        ModelFileError: the model cannot be used; on the call, before the first photograph.
    """
    loaded, finding = _loaded(model), None if aligned else detector or _detector()

    def results() -> Iterator[tuple[AnySource, list[Face] | FacelocusError]]:
        for source in sources:
            try:
                yield source, _faces(source, loaded, finding, flip)
            except FacelocusError as error:
                yield source, error

    return results()


def _faces(source: Source, model: Predictor, detector: Detector | None, flip: bool) -> list[Face]:
    """Read, find faces (without a detector the picture is one), predict."""
    if detector is None:
        image = read_image(source)
        height, width = image.shape[:2]
        places: list[_Place] = [((0.0, 0.0, float(width), float(height)), None, None)]
        crops = [fit_to_frame(image)]
    else:
        image, factor = read_reduced(source, READ_LONGEST)
        found = detector.detect(image)
        if not found:
            return []
        crops = [align(image, face.landmarks) for face in found]
        places = []
        for face in found:
            x0, y0, x1, y1 = (side * factor for side in face.box)
            places.append(((x0, y0, x1, y1), face.score, face.landmarks * factor))
    prediction = model.predict(np.stack(crops), flip=flip)
    return [
        Face(
            box=box,
            score=score,
            landmarks=landmarks,
            quality=Quality(size=max(box[2] - box[0], box[3] - box[1])),
            attributes=dict(zip(model.attributes.names, prediction.probabilities[i].tolist(), strict=True)),
            masks=None if prediction.masks is None else prediction.masks[i],
            crop=crops[i],
        )
        for i, (box, score, landmarks) in enumerate(places)
    ]


def _loaded(model: Predictor | str | Path) -> Predictor:
    if not isinstance(model, (str, Path)):
        return model
    # A file may be exported anew while this process lives; what ships may not.
    return Model.load(model) if Path(model).exists() else _shipped(str(model))


@lru_cache(maxsize=1)
def _shipped(name: str) -> Model:
    return Model.load(name)


@lru_cache(maxsize=1)
def _detector() -> Detector:
    return Detector()
