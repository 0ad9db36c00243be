"""The coefficients that are drawn are right, and pictures come out for any labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facelocus.attributes import CELEBA, AttributeSet
from facelocus.data.table import FaceTable, ImageFolder
from facelocus.reports.data_charts import co_occurrence, draw_co_occurrence, draw_frequencies

ONE = AttributeSet.by_region({"whole face": ("happy",)})
MANY = AttributeSet.by_region({"left": tuple(f"a{n}" for n in range(70)), "right": ("a name of some length",)})


def table(attributes: AttributeSet, labels: np.ndarray, splits: tuple[int, ...] = (0, 1, 2)) -> FaceTable:
    """Labels of pictures that do not exist: drawing needs none."""
    count = len(labels)
    return FaceTable(
        attributes=attributes,
        images=ImageFolder(Path("nowhere")),
        names=tuple(map(str, range(count))),
        labels=labels.astype(np.int8),
        splits=np.resize(np.array(splits, np.int8), count),
        people=None,
        aligned=True,
        description="drawn faces",
    )


def test_phi_is_the_correlation_of_known_labels() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(-1, 2, (300, 6)).astype(np.int8)
    labels[:, 5] = 1 - labels[:, 4] * (labels[:, 4] >= 0)  # opposite of column 4 where that is known
    phi = co_occurrence(labels)
    for one in range(6):
        for other in range(6):
            known = (labels[:, one] >= 0) & (labels[:, other] >= 0)
            expected = np.corrcoef(labels[known, one], labels[known, other])[0, 1]
            assert phi[one, other] == pytest.approx(expected, abs=1e-9)
    assert phi[4, 5] == pytest.approx(-1)


def test_phi_of_many_rows_is_that_of_few() -> None:
    few = np.random.default_rng(1).integers(0, 2, (50, 3)).astype(np.int8)
    assert co_occurrence(np.tile(few, (3000, 1))) == pytest.approx(co_occurrence(few))


def test_phi_is_undefined_where_a_label_does_not_vary() -> None:
    phi = co_occurrence(np.array([[1, 0, -1], [1, 1, -1]], np.int8))
    assert np.isnan(phi).tolist() == [[True, True, True], [True, False, True], [True, True, True]]


@pytest.mark.parametrize("draw", [draw_frequencies, draw_co_occurrence])
@pytest.mark.parametrize(
    ("attributes", "splits"), [(ONE, (2,)), (CELEBA, (0, 1, 2)), (MANY, (0, 2))], ids=["1", "40", "71"]
)
def test_a_picture_is_drawn_for_any_number_of_attributes(
    draw: object, attributes: AttributeSet, splits: tuple[int, ...], tmp_path: Path
) -> None:
    labels = np.random.default_rng(2).integers(-1, 2, (60, len(attributes)))
    file = tmp_path / "drawn.png"
    assert callable(draw)
    draw(table(attributes, labels, splits), file)
    with Image.open(file) as picture:
        assert picture.size[0] > 400 and np.asarray(picture.convert("RGB")).std() > 10


def test_labels_that_are_all_the_same_or_unknown_are_drawn_too(tmp_path: Path) -> None:
    for value in (0, 1, -1):
        constant = table(CELEBA, np.full((4, 40), value))
        draw_frequencies(constant, tmp_path / "frequencies.png")
        draw_co_occurrence(constant, tmp_path / "co_occurrence.png")


def test_the_longer_side_has_a_bound(tmp_path: Path) -> None:
    names = AttributeSet.by_region({"whole face": tuple(f"attribute {n}" for n in range(300))})
    draw_frequencies(table(names, np.ones((3, 300))), tmp_path / "drawn.png")
    with Image.open(tmp_path / "drawn.png") as picture:
        assert 4000 < max(picture.size) <= 5001
