"""The annotated picture shows the photograph, and of each face where the network looked and what it found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from facelocus.attributes import CELEBA, AttributeSet
from facelocus.images import draw
from facelocus.images.draw import draw_faces
from faces import draw_face

_TWO = AttributeSet.by_region({"upper": ("A", "B"), "lower": ("C",)})


@dataclass
class _Face:
    box: tuple[float, float, float, float]
    landmarks: npt.NDArray[np.float64] | None
    crop: npt.NDArray[np.uint8]
    masks: npt.NDArray[np.float32] | None
    attributes: dict[str, float]


def _face(attributes: AttributeSet = CELEBA, masks: bool = True, probability: float = 0.4) -> _Face:
    pictures = np.random.default_rng(0).random((len(attributes.regions), 14, 12), dtype=np.float32)
    return _Face(
        (40.0, 60.0, 140.0, 180.0),
        np.array([[70.0, 110.0], [110, 110], [90, 130], [72, 150], [108, 150]]),
        draw_face(0),
        pictures if masks else None,
        dict.fromkeys(attributes.names, probability),
    )


def _limits(attributes: AttributeSet = CELEBA) -> npt.NDArray[np.float32]:
    return np.full(len(attributes), 0.5, dtype=np.float32)


def test_each_face_adds_a_panel_below_the_last_and_none_only_the_photograph() -> None:
    photo = draw_face(1)
    sizes = [draw_faces(photo, [_face()] * number, CELEBA, _limits()).size for number in range(4)]
    assert sizes[0][0] < sizes[1][0] == sizes[2][0] == sizes[3][0]
    assert sizes[0][1] <= sizes[1][1] < sizes[2][1] < sizes[3][1]


def test_a_crowd_is_drawn_bounded() -> None:
    most = draw_faces(draw_face(1), [_face(_TWO)] * draw.PANELS, _TWO, _limits(_TWO))
    assert draw_faces(draw_face(1), [_face(_TWO)] * 200, _TWO, _limits(_TWO)).size == most.size


@pytest.mark.parametrize("shape", [(10, 3000), (3000, 10), (1, 1), (4000, 3000)])
def test_photographs_of_any_shape_fit_their_column(shape: tuple[int, int]) -> None:
    sheet = draw_faces(np.zeros((*shape, 3), dtype=np.uint8), [], CELEBA, _limits())
    assert sheet.width <= 700
    assert sheet.height <= 1200


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("attributes", [CELEBA, _TWO])
def test_nothing_is_drawn_over_the_white_edge(masks: bool, attributes: AttributeSet) -> None:
    sheet = np.asarray(draw_faces(draw_face(1), [_face(attributes, masks)] * 2, attributes, _limits(attributes)))
    for edge in (sheet[:30], sheet[-30:], sheet[:, :30], sheet[:, -30:]):
        assert (edge == 255).all()


def test_a_face_without_landmarks_is_drawn() -> None:
    face = _face()
    face.landmarks = None
    assert draw_faces(draw_face(1), [face], CELEBA, _limits()).width > 1000


def test_bars_are_as_long_as_probable_and_darker_from_the_threshold_on() -> None:
    face = _face(_TWO)
    face.attributes = {"A": 0.25, "B": 0.75, "C": 0.5}
    bars = np.asarray(draw._bars(face, _TWO, _limits(_TWO), 1000, 1))
    rows = {name: bars[28 + 25 * number + 1] for number, name in enumerate("AB")}
    rows["C"] = bars[28 + 2 * 25 + 12 + 28 + 1]
    for name, row in rows.items():
        filled = np.flatnonzero((row != row[-1]).any(axis=1)).max()
        assert filled == pytest.approx(1000 * face.attributes[name], abs=2), name
    assert rows["C"][2].tolist() == rows["B"][2].tolist(), "at the threshold counts as above"
    assert rows["A"][2].sum() > rows["B"][2].sum()


def test_regions_are_broken_into_columns_in_order_and_of_least_height() -> None:
    assert draw._in_columns([5, 5, 5, 5], 4) == [[0], [1], [2], [3]]
    assert draw._in_columns([9, 1, 1, 7, 3], 3) == [[0], [1, 2, 3], [4]]
    assert draw._in_columns([4], 4) == [[0]]
