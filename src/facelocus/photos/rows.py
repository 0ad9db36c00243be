"""What a table of faces holds: a row a face, and one for a photograph that shows none or cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from facelocus.attributes import AttributeSet
from facelocus.errors import ModelFileError
from facelocus.photos.analyze import Face
from facelocus.photos.quality import COLUMNS as QUALITY

Value = str | int | float | None

#: Text, whole number, number; the second is how tables of typed columns call it.
TEXT, WHOLE, NUMBER = "string", "int32", "float32"

# Before the face's own values.
_PLACE = {
    "path": (TEXT, "the photograph, as it was named or found below the folder that was named"),
    "face": (WHOLE, "which face of the photograph, 1 for the largest; 0 where the row stands for no face"),
    "faces": (WHOLE, "how many faces of the photograph have rows; null where it could not be read"),
}
_BOX = {
    "x0": (NUMBER, "left side of the face's box"),
    "y0": (NUMBER, "top"),
    "x1": (NUMBER, "right side"),
    "y1": (NUMBER, "bottom"),
    "score": (NUMBER, "the detector's, 0 to 1"),
}
_LANDMARKS = {
    f"{point}_{axis}": (NUMBER, f"{meaning}, {axis}")
    for point, meaning in {
        "eye_left": "the eye that is left in the picture",
        "eye_right": "the eye that is right in the picture",
        "nose": "tip of the nose",
        "mouth_left": "the corner of the mouth that is left in the picture",
        "mouth_right": "the corner of the mouth that is right in the picture",
    }.items()
    for axis in ("x", "y")
}
_QUALITY = {f"quality_{name}": (NUMBER, f"`quality.{name}` of a Face") for name in QUALITY}
_ORIGIN = {
    "model": (TEXT, "the model's name"),
    "model_sha256": (TEXT, "of the model file"),
    "version": (TEXT, "of facelocus"),
    "error_type": (TEXT, "what kind of error it is; null where there is none"),
    "error": (TEXT, "why there is no result, in one line; null where there is none"),
}

#: Every column but those of the attributes, in order, with its type and meaning; attributes come before `model`.
COLUMNS: Mapping[str, tuple[str, str]] = {**_PLACE, **_BOX, **_LANDMARKS, **_QUALITY, **_ORIGIN}


@dataclass(frozen=True)
class Origin:
    """What all rows of a table have in common: the last columns but the errors."""

    model: str
    sha256: str
    version: str


def columns(attributes: AttributeSet) -> dict[str, str]:
    """Return name -> type of all columns, in order.

    Raises:
        ModelFileError: an attribute has the name of another column.
    """
    for name in attributes.names:
        if name in COLUMNS:
            raise ModelFileError(f"the attribute {name!r} has the name of another column: rename it in the model")
    before = {name: kind for name, (kind, _) in COLUMNS.items() if name not in _ORIGIN}
    after = {name: kind for name, (kind, _) in _ORIGIN.items()}
    return {**before, **dict.fromkeys(attributes.names, NUMBER), **after}


def face_values(face: Face) -> list[Value]:
    """Return what is one face's own, in the order of the columns from x0 on; rounded as in Face.to_json."""
    value: dict[str, Any] = face.to_json()
    landmarks = [axis for point in value["landmarks"] for axis in point] if value["landmarks"] else [None] * 10
    quality = [value["quality"][name] for name in QUALITY]
    return [*value["box"], value["score"], *landmarks, *quality, *value["attributes"].values()]


def photo_rows(
    path: str, faces: list[list[Value]], error: list[str] | None, origin: Origin, width: int
) -> Iterator[list[Value]]:
    """Yield the rows of one photograph, `width` columns each.

    Args:
        path: as it is written.
        faces: face_values of each face.
        error: type and message where it could not be read.
        origin: of the table.
        width: number of columns.
    """
    count = None if error else len(faces)
    tail: list[Value] = [origin.model, origin.sha256, origin.version, *(error or (None, None))]
    for number, values in enumerate(faces, 1):
        yield [path, number, count, *values, *tail]
    if not faces:
        yield [path, 0, count, *[None] * (width - len(_PLACE) - len(tail)), *tail]
