"""What one worker process does: a few pictures in, what is said of them out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from facelocus.detection.detect import Detector
from facelocus.errors import FacelocusError, ModelFileError
from facelocus.images.align import frame_to_photo
from facelocus.model import Model
from facelocus.photos.analyze import Face, analyze_together
from facelocus.serve.settings import Options


@dataclass(frozen=True)
class Picture:
    """A picture that a client sent: its name as the client says, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Workshop:
    """What a worker opens, once: the model file as it was when the server started, and the most pixels it reads."""

    model: Path
    sha256: str
    pixels: int


class _Named(io.BytesIO):
    """A picture's bytes as a file that has its name, for what is said of it."""

    def __init__(self, picture: Picture) -> None:
        super().__init__(picture.content)
        self.name = picture.name


def describe(pictures: Sequence[Picture], options: Options, workshop: Workshop) -> list[dict[str, Any]]:
    """Return an entry of the answer for each picture; one that cannot be read carries its error."""
    model, detector = _tools(workshop)
    found = analyze_together(
        [_Named(picture) for picture in pictures],
        model=model,
        detector=detector,
        aligned=options.aligned,
        flip=options.flip,
        min_quality=options.min_quality,
        max_pixels=workshop.pixels,
    )
    entries: list[dict[str, Any]] = []
    for picture, faces in zip(pictures, found, strict=True):
        if isinstance(faces, FacelocusError):
            entries.append({"name": picture.name, "faces": [], "error": faces.to_json()["error"]})
        else:
            told = [_face(face, options.masks) for face in faces]
            entries.append({"name": picture.name, "faces": told, "error": None})
    return entries


def warm_up(workshop: Workshop) -> None:
    """Open everything, so that the first client does not wait for it."""
    describe([], Options(), workshop)


@lru_cache(maxsize=1)
def _tools(workshop: Workshop) -> tuple[Model, Detector]:
    model = Model.load(workshop.model, threads=1)
    if model.sha256 != workshop.sha256:
        raise ModelFileError(f"{workshop.model}: has changed since the server started: start it anew")
    return model, Detector(threads=1)


def _face(face: Face, masks: bool) -> dict[str, Any]:
    told = face.to_json()
    told["frame"] = None if face.landmarks is None else np.round(frame_to_photo(face.landmarks), 4).tolist()
    if masks:
        told["masks"] = None
        if face.masks is not None:
            _, rows, columns = face.masks.shape
            told["masks"] = {"rows": rows, "columns": columns, "values": np.round(face.masks.astype(float), 3).tolist()}
    return told
