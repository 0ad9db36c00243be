"""Where the regions lie: on the landmarks they are named for, soft at their edges, the same left and right."""

from __future__ import annotations

import numpy as np
import pytest

from facelocus.attributes import CELEBA, FRAME
from facelocus.errors import UsageError
from facelocus.images.align import LANDMARKS
from facelocus.images.regions import region_maps

EYE, OTHER_EYE, NOSE, CORNER, OTHER_CORNER = LANDMARKS.tolist()
MIDDLE = FRAME[1] / 2


def at(region: str, x: float, y: float) -> float:
    return float(region_maps((region,))[0, int(y), int(x)])


@pytest.mark.parametrize(
    ("region", "inside", "outside"),
    [
        ("whole face", [EYE, NOSE, CORNER], [(5, 5), (MIDDLE, 214), (5, 112)]),
        ("hair", [(MIDDLE, 45), (30, 110), (148, 110)], [EYE, NOSE, CORNER, (MIDDLE, 210)]),
        ("eyes", [EYE, OTHER_EYE, (EYE[0], EYE[1] - 12)], [NOSE, CORNER, (MIDDLE, 45)]),
        ("nose", [NOSE, (MIDDLE, 120)], [EYE, CORNER, (MIDDLE, 180)]),
        ("cheeks and ears", [(EYE[0] - 8, NOSE[1]), (41, 130), (137, 130)], [NOSE, EYE, (MIDDLE, 180)]),
        ("mouth", [CORNER, OTHER_CORNER, (MIDDLE, 147)], [NOSE, EYE, (MIDDLE, 185)]),
        ("chin", [(MIDDLE, 180), (65, 180)], [CORNER, NOSE, (MIDDLE, 215)]),
        ("neck", [(MIDDLE, 212), (60, 214)], [(MIDDLE, 170), NOSE]),
    ],
)
def test_a_region_lies_on_what_it_is_named_for(
    region: str, inside: list[tuple[float, float]], outside: list[tuple[float, float]]
) -> None:
    assert min(at(region, *point) for point in inside) > 0.8
    assert max(at(region, *point) for point in outside) < 0.25


def test_maps_are_soft_symmetric_and_whole() -> None:
    maps = region_maps()
    assert maps.shape == (len(CELEBA.regions), *FRAME[:2]) and maps.dtype == np.float32
    assert maps.min() == 0 and maps.max() <= 1 and (maps.reshape(len(maps), -1).max(axis=1) > 0.95).all()
    np.testing.assert_allclose(maps, maps[:, :, ::-1], atol=0.08)
    assert max(np.abs(np.diff(maps, axis=axis)).max() for axis in (1, 2)) < 0.15


def test_cells_have_the_mean_of_their_pixels() -> None:
    small = region_maps(size=(14, 11))
    assert small.shape == (len(CELEBA.regions), 14, 11)
    np.testing.assert_allclose(small.mean(axis=(1, 2)), region_maps().mean(axis=(1, 2)), atol=4e-3)


def test_a_region_of_other_attributes_is_refused() -> None:
    with pytest.raises(UsageError, match="where the region 'hands' lies is not known: known are whole face, hair"):
        region_maps(("eyes", "hands"))
