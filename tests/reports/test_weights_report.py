"""What `facelocus report weights` says of the ways that were tried."""

import json
from pathlib import Path
from typing import Any

import pytest

from facelocus.errors import InputError
from facelocus.reports.weights import write_report
from paper_records import Drawn
from run_folders import write_run

RECORD = {
    "recipe": "soft",
    "from": {"recipe": "refine"},
    "date": "2026-11-28T01:00:00+00:00",
    "device": "a processor",
    "seconds": 400.0,
    "data": {"description": "drawn faces", "fingerprint": "f00d", "training_images": 100},
}


def tried(
    drawn: Drawn, way: str, seed: int, gain: float, iterations: int = 300, grid: str = "weights_small", **settings: Any
) -> None:
    drawn.add(grid, "way", "none", seed, gain=gain, iterations=iterations, **settings)
    line = drawn.lines[-1]
    counts = drawn.counts.pop(line["run"])
    line |= {"name": way, "run": f"{grid}/{way}/{seed}"}
    drawn.counts[line["run"]] = counts


@pytest.fixture
def records(tmp_path: Path) -> Path:
    drawn = Drawn()
    for seed in (0, 1):
        tried(drawn, "base", seed, 0)
        tried(drawn, "helps", seed, 1, **{"network.context": True})
    tried(drawn, "harms", 0, -1, iterations=600, batch_size=16)
    drawn.write(tmp_path)
    (tmp_path / "soft").mkdir()
    (tmp_path / "soft" / "record.json").write_text(json.dumps(RECORD))
    (tmp_path / "soft" / "metrics.jsonl").write_text(
        '{"step": 200, "validation": {"mean_accuracy": 91.517, "mean_balanced_accuracy": 82.0}}\n'
    )
    return tmp_path


def test_ways_stand_by_what_validation_says_with_what_they_change(records: Path) -> None:
    (page,) = write_report(records)
    text = page.read_text()
    helps, harms = (
        next(line for line in text.splitlines() if line.startswith(f"| {way}")) for way in ("helps", "harms")
    )
    assert text.index(helps) < text.index(harms)
    assert "Seconds are a run's, on a processor." in text
    assert helps.startswith("| helps: `network.context=True` | 2 | +")
    assert harms.startswith("| harms: `batch_size=16` and 600 iterations | 1 | -")
    # Gains of a point, well beyond what people differ by.
    for line, sign in ((helps, "+"), (harms, "-")):
        _, test, balanced, _ = line.split(" | ")[2:]
        assert test[0] == balanced[0] == sign
        assert test.split("[")[1].split(",")[0][0] == test.split(", ")[1][0] == sign


def test_runs_that_shipped_are_listed_and_equal_records_give_equal_bytes(records: Path) -> None:
    (page,) = write_report(records)
    first = page.read_bytes()
    assert b"| `soft` | `refine` | a processor | 200 | 7 | 91.52 |" in first
    write_report(records)
    assert page.read_bytes() == first


@pytest.mark.parametrize(
    ("start", "settings", "said"),
    [
        (None, (), "ImageNet weights"),
        (None, ("network.imagenet=false",), "random weights"),
        ({"layers_of": "cvgj", "caffemodel_sha256": "f00d"}, (), "layers of cvgj"),
    ],
)
def test_a_run_that_shipped_says_what_it_started_from(
    start: dict[str, str] | None, settings: tuple[str, ...], said: str, records: Path
) -> None:
    write_run(records / "first", settings=settings, start=start)
    (page,) = write_report(records)
    assert f"| `default` | {said} | a processor |" in page.read_text()


def test_a_run_that_has_not_ended_is_refused_in_one_line(records: Path) -> None:
    write_run(records / "begun", finished=False)
    with pytest.raises(InputError, match=r"begun/record\.json: is of a run that has not ended, seconds is missing"):
        write_report(records)


def test_runs_on_several_test_faces_are_not_compared(records: Path) -> None:
    file = records / "runs.jsonl"
    first, rest = file.read_text().split("\n", 1)
    file.write_text(first.replace('"labels": "f00d"', '"labels": "beef"') + "\n" + rest)
    with pytest.raises(InputError, match=r"runs\.jsonl: weights_small is of several test faces"):
        write_report(records)


def test_fewer_faces_stand_in_order_with_what_twice_as_many_gain(records: Path) -> None:
    drawn = Drawn()
    for images, gain in ((1000, 2.0), (250, 0.0), (500, 1.0)):
        tried(drawn, f"images_{images}", 0, gain, grid="weights_faces", images=images)
    drawn.write(records)
    (page,) = write_report(records)
    text = page.read_text()
    assert "facelocus grid weights_small" in text
    fewest, half, whole = (line for line in text.splitlines() if line.startswith(("| 250 ", "| 500 ", "| 1,000 ")))
    assert fewest.endswith("|  |  |")
    for line, than in ((half, fewest), (whole, half)):
        assert float(line.split(" | ")[1]) > float(than.split(" | ")[1])
        assert all(cell.startswith("+") for cell in line.split(" | ")[3:])


def test_without_records_it_says_what_makes_them(tmp_path: Path) -> None:
    (page,) = write_report(tmp_path)
    assert "facelocus grid weights_small" in page.read_text()


def test_lines_of_another_grid_and_missing_folders_are_refused(records: Path) -> None:
    file = records / "runs.jsonl"
    file.write_text(file.read_text().replace("weights_small/base", "paper_small/base").replace(
        '"grid": "weights_small", "name": "base"', '"grid": "paper_small", "name": "base"'))  # fmt: skip
    with pytest.raises(InputError, match=r"runs\.jsonl: line 1 .*none of weights"):
        write_report(records)
    with pytest.raises(InputError, match="no such folder"):
        write_report(records / "missing")
