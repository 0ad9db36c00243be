"""Which of the faces of a photograph its labels are about."""

from __future__ import annotations

from collections.abc import Sequence

from facelocus.detection.detect import Detection


def labelled_face(faces: Sequence[Detection], width: int, height: int) -> Detection | None:
    """Return the face that is large and near the middle of a picture of width x height; None where there is none.

    FaceNet's rule: the area of the box less twice the squared distance of its centre from the picture's.
    """

    def weight(face: Detection) -> float:
        x0, y0, x1, y1 = face.box
        away = (x0 + x1 - width) ** 2 + (y0 + y1 - height) ** 2
        return (x1 - x0) * (y1 - y0) - away / 2  # the sums are twice the offset: their squares four times

    return max(faces, key=weight, default=None)
