"""Photograph -> faces, each with its attributes and where the network looked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from facelocus.detection.detect import Detector
from facelocus.detection.photograph import Photograph
from facelocus.errors import FacelocusError, UsageError
from facelocus.images.align import fit_to_frame
from facelocus.images.bounds import MAX_PIXELS
from facelocus.images.read import RGB, Source, read_image
from facelocus.model import Model, Prediction, Predictor
from facelocus.photos.quality import Quality, judge

AnySource = TypeVar("AnySource", bound=Source)
_Place = tuple[tuple[float, float, float, float], float | None, npt.NDArray[np.float64] | None]


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a photograph.

    Attributes:
        box: (x0, y0, x1, y1) in pixels of the photograph, possibly reaching outside it.
        score: the detector's, in [0, 1]; None for a picture given as aligned, where nothing was detected.
        landmarks: float64 5 x 2 (x, y) in pixels of the photograph: eye image-left, eye image-right, nose
            tip, mouth image-left, mouth image-right; None for a picture given as aligned.
        quality: what there was to see, and how far the attributes can be trusted.
        attributes: attribute name -> probability in [0, 1], in the order of the model's AttributeSet.
        masks: float32 R x h x w in [0, 1], where the network looked for each region, over what it sees of the crop
            (facelocus.images.seen: all of it, but for networks of the paper's recipes); None if it has no masks.
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
            "quality": self.quality.to_json(),
            "attributes": {name: round(value, 6) for name, value in self.attributes.items()},
        }


def analyze(
    source: Source,
    *,
    model: Predictor | str | Path = "default",
    detector: Detector | None = None,
    aligned: bool = False,
    flip: bool = False,
    min_quality: float = 0.0,
) -> list[Face]:
    """Return the faces of one photograph, the largest first; an empty list where there is none.

    Args:
        source: what read_image takes: a path, bytes, an open file, a Pillow image or a uint8 array.
        model: a loaded model, a path, or the name of a shipped model.
        detector: what finds the faces; None for one that all calls share and that uses all cores.
        aligned: the picture is a face crop already, framed like CelebA's aligned ones; no face is looked for.
        flip: average with the mirrored face, if the model does not by itself: a little more accurate, twice the work.
        min_quality: leave out the faces whose quality.trust is below this; in [0, 1].

    Raises:
        ImageError: the picture cannot be read.
        ModelFileError: the model cannot be used.
        UsageError: min_quality is not in [0, 1].
    """
    _check(min_quality)
    return _faces(source, _loaded(model), None if aligned else detector or _detector(), flip, min_quality)


def analyze_many(
    sources: Iterable[AnySource],
    *,
    model: Predictor | str | Path = "default",
    detector: Detector | None = None,
    aligned: bool = False,
    flip: bool = False,
    min_quality: float = 0.0,
) -> Iterator[tuple[AnySource, list[Face] | FacelocusError]]:
    """Analyze photographs one by one, lazily: each comes with its faces, or with what is wrong with it.

    Arguments as for `analyze`. A picture that cannot be read does not end the iteration.

    Raises:
        ModelFileError, UsageError: as for `analyze`, on the call, before the first photograph.
    """
    _check(min_quality)
    loaded, finding = _loaded(model), None if aligned else detector or _detector()

    def results() -> Iterator[tuple[AnySource, list[Face] | FacelocusError]]:
        for source in sources:
            try:
                yield source, _faces(source, loaded, finding, flip, min_quality)
            except FacelocusError as error:
                yield source, error

    return results()


def analyze_together(
    sources: Sequence[Source],
    *,
    model: Predictor,
    detector: Detector | None = None,
    aligned: bool = False,
    flip: bool = False,
    min_quality: float = 0.0,
    max_pixels: int = MAX_PIXELS,
) -> list[list[Face] | FacelocusError]:
    """Return the faces of each of a few photographs, or what is wrong with it; their faces fill the network's batches.

    Arguments as for `analyze`; a photograph with more than max_pixels is refused.

    Raises:
        UsageError: min_quality is not in [0, 1].
    """
    _check(min_quality)
    finding = None if aligned else detector or _detector()
    seen: list[_Seen | FacelocusError] = []
    for source in sources:
        try:
            seen.append(_look(source, finding, min_quality, max_pixels))
        except FacelocusError as error:
            seen.append(error)
    crops = [crop for each in seen if isinstance(each, _Seen) for crop in each.crops]
    if not crops:
        return [each if isinstance(each, FacelocusError) else [] for each in seen]
    prediction = model.predict(np.stack(crops), flip=flip)
    found: list[list[Face] | FacelocusError] = []
    first = 0
    for each in seen:
        if isinstance(each, FacelocusError):
            found.append(each)
            continue
        rows = range(first, first + len(each.crops))
        found.append([_face(each, k, model, prediction, row) for k, row in enumerate(rows)])
        first = rows.stop
    return found


@dataclass(frozen=True)
class _Seen:
    """A photograph's faces, before the network has seen them."""

    places: list[_Place]
    crops: list[RGB]
    qualities: list[Quality]


def _faces(source: Source, model: Predictor, detector: Detector | None, flip: bool, min_quality: float) -> list[Face]:
    seen = _look(source, detector, min_quality, MAX_PIXELS)
    if not seen.crops:
        return []
    prediction = model.predict(np.stack(seen.crops), flip=flip)
    return [_face(seen, k, model, prediction, k) for k in range(len(seen.crops))]


def _look(source: Source, detector: Detector | None, min_quality: float, max_pixels: int) -> _Seen:
    """Read, find faces (without a detector the picture is one), judge."""
    if detector is None:
        image = read_image(source, max_pixels=max_pixels)
        height, width = image.shape[:2]
        places: list[_Place] = [((0.0, 0.0, float(width), float(height)), None, None)]
        crops, size = [fit_to_frame(image)], (width, height)
    else:
        photo = Photograph(source, max_pixels)
        found = photo.find(detector)
        crops, size = [photo.crop(face) for face in found], photo.size
        places = [(face.box, face.score, face.landmarks) for face in found]
    qualities = [judge(crop, box, marks, size) for crop, (box, _, marks) in zip(crops, places, strict=True)]
    kept = [i for i, quality in enumerate(qualities) if quality.trust >= min_quality]
    return _Seen([places[i] for i in kept], [crops[i] for i in kept], [qualities[i] for i in kept])


def _face(seen: _Seen, k: int, model: Predictor, prediction: Prediction, row: int) -> Face:
    """Return the k-th face that was seen, with the row of the prediction that is its own."""
    return Face(
        *seen.places[k],
        quality=seen.qualities[k],
        attributes=dict(zip(model.attributes.names, prediction.probabilities[row].tolist(), strict=True)),
        masks=None if prediction.masks is None else prediction.masks[row],
        crop=seen.crops[k],
    )


def _check(min_quality: float) -> None:
    if not 0 <= min_quality <= 1:
        raise UsageError(f"min_quality is {min_quality}: give a number from 0 to 1")


def _loaded(model: Predictor | str | Path) -> Predictor:
    if not isinstance(model, (str, Path)):
        return model
    # A file may be exported anew while this process lives; what ships may not.
    return Model.load(model) if os.path.exists(model) else _shipped(str(model))  # noqa: PTH110, a name may be too long


@lru_cache(maxsize=1)
def _shipped(name: str) -> Model:
    return Model.load(name)


@lru_cache(maxsize=1)
def _detector() -> Detector:
    return Detector()
