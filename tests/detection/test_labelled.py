"""The face that labels are about is the large one near the middle."""

from __future__ import annotations

import numpy as np
import pytest

from facelocus.detection.detect import Detection
from facelocus.detection.labelled import labelled_face


def square(x: float, y: float, side: float) -> Detection:
    """A face with its centre at (x, y)."""
    half = side / 2
    return Detection((x - half, y - half, x + half, y + half), 1.0, np.zeros((5, 2)))


@pytest.mark.parametrize(
    ("faces", "meant"),
    [
        ([square(100, 100, 40)], 0),
        ([square(100, 100, 40), square(100, 100, 60)], 1),
        ([square(20, 100, 60), square(100, 100, 40)], 1),
        ([square(90, 100, 60), square(100, 100, 40)], 0),
        # 60 x 60 = 3600 less twice the square of 31.7 is 1590; 40 x 40 = 1600.
        ([square(131.7, 100, 60), square(100, 100, 40)], 1),
        ([square(100, 68.4, 60), square(100, 100, 40)], 0),
    ],
)
def test_area_less_twice_the_squared_offset_decides(faces: list[Detection], meant: int) -> None:
    assert labelled_face(faces, 200, 200) is faces[meant]


def test_the_middle_is_that_of_the_picture() -> None:
    left, right = square(50, 40, 30), square(150, 40, 30)
    assert labelled_face([left, right], 120, 80) is left
    assert labelled_face([left, right], 300, 80) is right


def test_no_face_is_none() -> None:
    assert labelled_face([], 200, 200) is None
