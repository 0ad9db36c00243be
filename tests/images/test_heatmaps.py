"""Masks are drawn on their own scale over a face, or over a drawn head, from the numbers alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from facelocus.attributes import FRAME, REGIONS
from facelocus.images.align import LANDMARKS
from facelocus.images.heatmaps import draw_heatmaps, draw_mean_masks, drawn_head, heat, mask_grid
from facelocus.images.seen import seen_part, seen_share
from faces import draw_face

RESULTS = Path(__file__).parents[2] / "results" / "paper"
TILE = (142, 174)


def _masks(regions: int = 8) -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).random((regions, 12, 10), dtype=np.float32)


def _record(masks: npt.NDArray[np.float32]) -> dict[str, Any]:
    about = {"model": {"name": "drawn"}, "images": 3, "split": "test"}
    return about | {"regions": list(REGIONS[: len(masks)]), "masks": masks.round(4).tolist()}


def test_a_mask_is_red_above_its_mean_and_blue_below_on_one_scale() -> None:
    grey = np.full(FRAME, 128, dtype=np.uint8)
    mask = np.full((14, 12), 0.5, dtype=np.float32)
    mask[:4, :4], mask[-4:, -4:] = 0.7, 0.3
    heated = np.asarray(heat(grey, mask, TILE)).astype(int)
    high, low, mean = heated[10, 10], heated[-10, -10], heated[len(heated) // 2, heated.shape[1] // 2]
    assert high[0] - high[2] > 80
    assert low[2] - low[0] > 80
    assert np.ptp(mean) < 8, "at the mean there is no colour"
    weaker = np.asarray(heat(grey, (mask - 0.5) / 10 + 0.5, TILE)).astype(int)
    assert np.abs(weaker - heated).max() <= 1, "the scale is each mask's own"


@pytest.mark.parametrize("rounding", [0.0, 1e-7])
def test_a_mask_without_any_difference_has_no_colour(rounding: float) -> None:
    mask = np.full((13, 13), 0.25, np.float32)
    mask[::2] += np.float32(rounding)
    heated = np.asarray(heat(draw_face(2), mask, TILE))
    assert (heated.max(axis=2) == heated.min(axis=2)).all()


@pytest.mark.parametrize(("regions", "rows"), [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_masks_stand_four_in_a_row(regions: int, rows: int) -> None:
    names = [f"region {number}" for number in range(regions)]
    grid = np.asarray(mask_grid(draw_face(0), _masks(regions), names, TILE))
    white = (grid == 255).all(axis=2)
    places = [(place // 4 * 224, place % 4 * 158) for place in range(4 * rows)]
    filled = [not white[top : top + TILE[1], left : left + TILE[0]].any() for top, left in places]
    assert filled == [place < regions for place in range(4 * rows)]


def test_faces_stand_below_each_other() -> None:
    face = draw_face(0), _masks()
    sizes = [draw_heatmaps([face] * count, REGIONS).size for count in (1, 2, 3)]
    assert len({width for width, _ in sizes}) == 1
    assert 0 < sizes[1][1] - sizes[0][1] - (sizes[2][1] - sizes[1][1]) < 50, "two have titles, one has none"


def test_the_first_picture_is_the_input_as_it_is() -> None:
    sheet = draw_heatmaps([(draw_face(1), _masks())], REGIONS)
    first = np.asarray(sheet.crop((32, 32, 32 + 214, 32 + 262)).resize((178, 218))).astype(int)
    assert np.abs(first - draw_face(1)).mean() < 8


@pytest.mark.parametrize("regions", [1, 8])
def test_nothing_is_drawn_over_the_white_edge(regions: int) -> None:
    masks = _masks(regions)
    for drawn in (draw_heatmaps([(draw_face(0), masks)] * 2, REGIONS[:regions]), draw_mean_masks(_record(masks))):
        sheet = np.asarray(drawn)
        for edge in (sheet[:30], sheet[-30:], sheet[:, :30], sheet[:, -30:]):
            assert (edge == 255).all()


def test_the_drawn_head_has_eyes_nose_and_mouth_at_the_landmarks_and_is_symmetric() -> None:
    head = drawn_head()
    fine = head.shape[0] // FRAME[0]
    assert head.shape == (fine * FRAME[0], fine * FRAME[1], 3)
    ink = head[:, :, 0] < 128
    for x, y in LANDMARKS * fine:
        around = ink[round(y) - 4 * fine : round(y) + 4 * fine, round(x) - 4 * fine : round(x) + 4 * fine]
        assert around.any(), (x, y)
    assert (ink != ink[:, ::-1]).mean() < 0.01


def test_masks_of_a_network_that_sees_a_part_lie_over_that_part() -> None:
    share = seen_share({"size": [256, 256], "crop": [227, 224]})
    assert share == (227 / 256, 224 / 256) and seen_share({"size": [192, 160], "crop": None}) == (1, 1)
    face = draw_face(0)
    part = seen_part(face, share)
    assert part.shape == (218 - 2 * 12, 178 - 2 * 11, 3)
    np.testing.assert_array_equal(part, face[12:-12, 11:-11])
    np.testing.assert_array_equal(seen_part(face, (1, 1)), face)
    whole = _record(_masks())
    assert draw_mean_masks(whole | {"share of the frame": share}).tobytes() != draw_mean_masks(whole).tobytes()


def test_mean_masks_are_drawn_from_the_record_alone() -> None:
    record = _record(_masks())
    again = draw_mean_masks(json.loads(json.dumps(record)))
    assert again.tobytes() == draw_mean_masks(record).tobytes()
    record["masks"][7][0][0] = 1.0
    assert again.tobytes() != draw_mean_masks(record).tobytes()


def test_the_figure_in_the_results_is_drawn_from_the_numbers_beside_it() -> None:
    record = json.loads((RESULTS / "mean_masks.json").read_text(encoding="utf-8"))
    drawn = np.asarray(draw_mean_masks(record)).astype(int)
    with Image.open(RESULTS / "mean_masks.png") as figure:
        assert figure.size == (drawn.shape[1], drawn.shape[0])
        # Another Pillow may smooth letters and lines a little differently.
        assert np.abs(np.asarray(figure) - drawn).mean() < 0.5
