"""The picture of runs: what is drawn, that labels keep apart, and that what follows is drawn as one course."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from facelocus.errors import InputError, StorageError
from facelocus.reports.curves import _apart, draw_runs
from facelocus.reports.runs import read_runs
from run_folders import write_run


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are saved."""
    figures: list[Figure] = []
    real = Figure.savefig

    def savefig(self: Figure, *args: object, **named: object) -> None:
        figures.append(self)
        real(self, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Figure, "savefig", savefig)
    return figures


def draw(folder: Path) -> Path:
    draw_runs(read_runs(folder)[0], folder / "curves.png")
    return folder / "curves.png"


def labels(figure: Figure, panel: int) -> list[Annotation]:
    """The names at line ends; the values at the points are numbers."""
    notes = [text for text in figure.axes[panel].texts if isinstance(text, Annotation)]
    return [note for note in notes if not re.fullmatch(r"[\d.]+", note.get_text())]


def test_one_run_is_drawn_region_by_region(tmp_path: Path, drawn: list[Figure]) -> None:
    write_run(tmp_path / "a")
    picture = matplotlib.image.imread(draw(tmp_path))
    assert picture.shape[2] == 4
    (figure,) = drawn
    assert [note.get_text() for note in labels(figure, 0)] == ["eyes", "mouth"]
    eyes, mouth = figure.axes[0].lines
    np.testing.assert_allclose(np.array(mouth.get_ydata()), 2 * np.array(eyes.get_ydata()))
    assert list(figure.axes[1].lines[0].get_ydata()) == [81, 82, 83, 84, 79]


def test_runs_that_follow_each_other_are_one_course(tmp_path: Path, drawn: list[Figure]) -> None:
    first = write_run(tmp_path / "z", day=1)
    write_run(tmp_path / "a", day=2, start=first)
    draw(tmp_path)
    eyes = drawn[0].axes[0].lines[0]
    assert len(drawn[0].axes[0].lines) == 2
    assert list(eyes.get_xdata()) == list(range(5, 101, 5))
    assert list(drawn[0].axes[1].lines[0].get_xdata()) == list(range(10, 101, 10))


def test_runs_side_by_side_are_laid_over_each_other_and_one_begins_where_its_start_ended(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    first = write_run(tmp_path / "a", day=1)
    write_run(tmp_path / "b", day=2)
    write_run(tmp_path / "c", day=3, start=first)
    draw(tmp_path)
    loss, accuracy, balanced = drawn[0].axes
    assert [line.get_xdata()[0] for line in loss.lines] == [0.5, 0.5, 5.5]
    assert [line.get_ydata()[-1] for line in accuracy.lines] == [79] * 3
    assert [line.get_ydata()[-1] for line in balanced.lines] == [69] * 3
    assert [note.get_text() for note in labels(drawn[0], 0)] == ["a", "b", "c"]


def test_a_run_on_other_data_does_not_begin_where_its_start_ended_and_all_are_drawn_by_steps(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    first = write_run(tmp_path / "a", day=1)
    write_run(tmp_path / "b", day=2, start=first)
    record = tmp_path / "b" / "record.json"
    # Only the run's own data, not that of its start, comes last.
    before, data, after = record.read_text().rpartition('"training_images": 640')
    record.write_text(f"{before}{data.replace('640', '650')}{after}")
    draw(tmp_path)
    assert [line.get_xdata()[0] for line in drawn[0].axes[0].lines] == [5, 5]
    assert drawn[0].axes[-1].get_xlabel() == "step"


def test_of_many_runs_the_newest_twelve_have_labels_that_keep_apart_and_styles_of_their_own(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    for day in range(1, 16):
        write_run(tmp_path / f"a-run-with-a-name-that-is-long-{day:02}", day=day)
    draw(tmp_path)
    names = labels(drawn[0], 0)
    assert len({note.get_text() for note in names}) == 12
    assert not any(note.get_text().endswith(("01", "02", "03")) for note in names)
    boxes = sorted((note.get_window_extent() for note in names), key=lambda box: box.y0)
    # The extent holds the thin line to the end too: what counts is the middle of the text.
    heights = sorted(note.xyann[1] for note in names)
    tall = min(box.height for box in boxes) / drawn[0].axes[0].bbox.height
    assert all(above - below >= 0.07 for below, above in pairwise(heights))
    assert 0 <= heights[0] <= heights[-1] <= 1
    assert tall < 0.075
    styles = [(line.get_color(), str(line.get_linestyle())) for line in drawn[0].axes[0].lines]
    assert len(set(styles[3:])) == 12
    assert len(set(styles[:3])) == 1
    assert "3 older runs" in drawn[0].axes[-1].get_xlabel()


def test_without_validations_only_losses_are_drawn(tmp_path: Path, drawn: list[Figure]) -> None:
    write_run(tmp_path / "a", steps=5, finished=False)
    write_run(tmp_path / "b", steps=5, finished=False)
    draw(tmp_path)
    draw_runs(read_runs(tmp_path / "a")[0], tmp_path / "a.png")
    assert len(drawn[0].axes) == 1
    assert [note.get_text() for note in labels(drawn[1], 0)] == ["eyes", "mouth"]


def test_a_validation_that_is_no_number_leaves_a_gap(tmp_path: Path, drawn: list[Figure]) -> None:
    scores = {"mean_accuracy": 85.0, "mean_balanced_accuracy": float("nan")}
    write_run(tmp_path / "a", steps=20, finished=False, last={"step": 30, "validation": scores})
    draw(tmp_path)
    ends = {note.get_text(): note.xy for note in labels(drawn[0], 1)}
    assert ends == {"accuracy": (30, 85), "balanced\naccuracy": (20, 72)}


def test_nothing_to_draw_is_refused_and_a_picture_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_run(tmp_path / "a", steps=0, finished=False)
    with pytest.raises(InputError, match="nothing to draw"):
        draw(tmp_path)
    assert not (tmp_path / "curves.png").exists()
    write_run(tmp_path / "b")
    with pytest.raises(StorageError):
        draw_runs(read_runs(tmp_path)[0], tmp_path / "nowhere" / "curves.png")


def test_the_same_runs_give_the_same_picture(tmp_path: Path) -> None:
    write_run(tmp_path / "a")
    assert draw(tmp_path).read_bytes() == draw(tmp_path).read_bytes()


def test_labels_move_as_little_as_keeps_them_apart() -> None:
    assert _apart({"a": 0.2, "b": 0.6}, 0.1) == pytest.approx({"a": 0.2, "b": 0.6})
    assert _apart({"b": 0.52, "a": 0.5}, 0.1) == pytest.approx({"a": 0.46, "b": 0.56})
    assert _apart({"a": 1.0, "b": 1.0}, 0.1) == pytest.approx({"a": 0.9, "b": 1.0})
    assert _apart({"a": 0.0, "b": 0.0}, 0.1) == pytest.approx({"a": 0.0, "b": 0.1})
    assert _apart({}, 0.1) == {}
