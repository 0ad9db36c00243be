"""The sheet of examples shows training faces, each beside its own copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from facelocus.data import Pack, read_table
from facelocus.reports import expansion
from facelocus.reports.expansion import draw_expansion
from facelocus.training.expand import expand
from faces import write_celeba


def shown(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> list[list[np.ndarray]]:
    """Return the frames of the sheet, row by row."""
    figures: list[Figure] = []
    monkeypatch.setattr(expansion, "save_figure", lambda figure, file: figures.append(figure))
    draw_expansion(pack, Path("unused.png"))
    panels = [axes.images[0].get_array() for axes in figures[0].axes]
    columns = sum(bool(axes.get_title()) for axes in figures[0].axes)
    return [panels[start : start + columns] for start in range(0, len(panels), columns)]


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    folder = tmp_path_factory.mktemp("drawn")
    return Pack.build(read_table(write_celeba(folder / "celeba", 15)), folder / "pack", workers=1)


def test_a_row_is_a_training_face_and_its_copies(faces: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = expand(faces, tmp_path / "expanded", 3, workers=1)
    sheet = shown(pack, monkeypatch)
    assert [len(line) for line in sheet] == [3] * 4
    for line, row in zip(sheet, faces.rows("train"), strict=False):
        wanted = [pack.names.index(name) for name in (faces.names[row], *(f"{faces.names[row]}#{n}" for n in (1, 2)))]
        np.testing.assert_array_equal(np.stack(line), pack.frames(np.array(wanted)))


def test_many_copies_fit_and_the_file_is_a_picture(
    faces: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = expand(faces, tmp_path / "expanded", 14, workers=1)
    draw_expansion(pack, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as picture:
        assert 1000 < picture.width < 1600 and 400 < picture.height < 1000
    assert [len(line) for line in shown(pack, monkeypatch)] == [12] * 4
