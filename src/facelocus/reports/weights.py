"""What was tried for the shipped weights: the runs that made them, one change at a time, and fewer faces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from facelocus.errors import InputError
from facelocus.reports.grid import runs
from facelocus.reports.grid.differences import Resamples
from facelocus.reports.grid.markdown import listed, points, table, with_bounds
from facelocus.reports.grid.page import write_page
from facelocus.reports.grid.people import read_people
from facelocus.reports.run_files import read_json, read_lines, read_record
from facelocus.training.recipe import Recipe

#: The grid of ways, and the way that the others are compared with.
WAYS, BASE = "weights_small", "base"
#: The grid of shares of the faces.
FACES = "weights_faces"


class Run(runs.Run, frozen=True, kw_only=True):
    """One line of runs.jsonl, of a grid of ways to better weights; its name is the way."""

    def __post_init__(self) -> None:
        if self.grid.split("_")[0] != "weights":
            raise ValueError(f"grid {self.grid!r} is none of weights")
        super().__post_init__()
        self.refuse_other_attributes()


def write_report(folder: Path) -> list[Path]:
    """Write report.md beside the records of a folder; equal records give equal bytes.

    Args:
        folder: runs.jsonl with people/, and a folder with record.json and metrics.jsonl for each run that shipped.

    Returns:
        The file written.

    Raises:
        InputError: no such folder, a file or line of it is damaged, a run has not ended, or its runs may not be
            compared; names the file.
        StorageError: the page cannot be written.
    """
    read = runs.read_runs(folder, Run)
    for grid in (WAYS, FACES):
        if len({run.test.labels for run in read if run.grid == grid}) > 1:
            raise InputError(f"{folder / 'runs.jsonl'}: {grid} is of several test faces: keep them in two folders")
    resamples = Resamples(*read_people(folder / "people", read))
    sections = {
        "# What was tried for the shipped weights": [
            "Choices are made by validation faces alone; test faces say what they were worth. Made by "
            "`facelocus report weights` from the records beside it."
        ],
        "## The runs that shipped": [_shipped(folder)],
        "## One change at a time": [_ways([run for run in read if run.grid == WAYS], resamples)],
        "## Fewer faces": [_fewer_faces([run for run in read if run.grid == FACES], resamples)],
    }
    return write_page(folder, sections, {})


def _shipped(folder: Path) -> str:
    """Return each run that is kept, in the order of their dates."""
    records = {file.parent: _finished(file) for file in folder.glob("*/record.json")}
    rows = []
    for run, record in sorted(records.items(), key=lambda item: (item[1]["date"], item[0])):
        validations = [line for line in read_lines(run / "metrics.jsonl") if "validation" in line]
        scores = [f"{line['validation']['mean_accuracy']:.2f}" for line in validations]
        rows.append(
            (
                f"`{record['recipe']}`",
                _start(run, record),
                record["device"],
                f"{validations[-1]['step']:,}" if validations else "",
                f"{record['seconds'] / 60:.0f}",
                ", ".join(scores),
            )
        )
    text = (
        "What the last one scores is in the [model card](../../docs/model-card.md). Validation accuracy at a threshold "
        "of one half, in percent, by epochs:"
    )
    header = ("recipe", "from", "device", "steps", "minutes", "validation")
    return f"{text}\n\n{table(header, rows, words=3)}" if rows else "No records yet of them."


def _finished(file: Path) -> dict[str, Any]:
    """Return the record of a run that came to its end, or raise an InputError that names it."""
    record = read_record(file)
    if missing := {"device", "seconds"} - record.keys():
        raise InputError(f"{file}: is of a run that has not ended, {min(missing)} is missing: train on, or remove it")
    return record


def _start(run: Path, record: dict[str, Any]) -> str:
    """Say where a run's weights come from."""
    if before := record.get("from"):
        return f"layers of {before['layers_of']}" if "layers_of" in before else f"`{before['recipe']}`"
    recipe = Recipe.from_json(read_json(run / "recipe.json"))
    return "ImageNet weights" if recipe.network.imagenet else "random weights"


def _ways(read: Sequence[Run], resamples: Resamples) -> str:
    """Return every way less the base: on validation faces, and on test faces with intervals over people and seeds."""
    cells: dict[str, list[Run]] = defaultdict(list)
    for run in read:
        cells[run.name].append(run)
    base = cells.pop(BASE, [])
    if not base:
        return _missing(WAYS)
    first = base[0]
    text = (
        f"PSE(b), small pictures, {first.iterations:,} iterations on some of {first.data.training_images:,} images: "
        "what so short a training shows may be otherwise in a long one. The base reaches "
        f"{fmean(run.validation.mean_accuracy_at_half for run in base):.2f} on validation faces and "
        f"{with_bounds(resamples.mean(base, 'mean_accuracy_at_half'), signed=False)} on test faces. Points more than "
        "it, the best on validation faces first; in brackets are 95 % intervals, over people alone where there is one "
        f"seed. Seconds are a run's, on {listed(sorted({run.device for run in read}))}."
    )
    rows = []
    for way, cell in sorted(cells.items(), key=lambda item: (-(_validation(item[1], base) or 0), item[0])):
        gained = _validation(cell, base)
        changed = listed(_changed(cell[0], first))
        rows.append(
            (
                f"{way.replace('_', ' ')}: {changed}",
                str(len(cell)),
                "no seed in common" if gained is None else points(gained),
                with_bounds(resamples.difference(cell, base, "mean_accuracy_at_half")),
                with_bounds(resamples.difference(cell, base, "mean_balanced_accuracy")),
                f"{fmean(run.seconds for run in cell):.0f}",
            )
        )
    header = ("changed", "seeds", "validation", "test", "test, balanced", "seconds")
    return f"{text}\n\n{table(header, rows)}"


def _fewer_faces(read: Sequence[Run], resamples: Resamples) -> str:
    """Return what each share of the faces reaches, the fewest first, and what it gains on the share before."""
    cells: dict[int, list[Run]] = defaultdict(list)
    for run in read:
        cells[run.data.training_images].append(run)
    if not cells:
        return _missing(FACES)
    text = (
        f"`laptop`, {read[0].iterations:,} iterations each: what faces are worth at equal work. Percent, "
        "and points more than the line above; in brackets are 95 % intervals over people."
    )
    rows: list[tuple[str, ...]] = []
    before: list[Run] = []
    for images, cell in sorted(cells.items()):
        rows.append(
            (
                f"{images:,}",
                f"{fmean(run.validation.mean_accuracy_at_half for run in cell):.2f}",
                with_bounds(resamples.mean(cell, "mean_accuracy_at_half"), signed=False),
                with_bounds(resamples.difference(cell, before, "mean_accuracy_at_half")) if before else "",
                with_bounds(resamples.difference(cell, before, "mean_balanced_accuracy")) if before else "",
            )
        )
        before = cell
    header = ("faces", "validation", "test", "test, more", "test, balanced, more")
    return f"{text}\n\n{table(header, rows)}"


def _missing(grid: str) -> str:
    """Return what a section says before its grid has run."""
    return f"No records yet: `facelocus grid {grid} --data CELEBA --to runs --results results/weights`"


def _validation(ours: Sequence[Run], theirs: Sequence[Run]) -> float | None:
    """Return how many points more ours have on validation faces, over the seeds of both; None without any."""
    score = {run.seed: run.validation.mean_accuracy_at_half for run in theirs}
    apart = [run.validation.mean_accuracy_at_half - score[run.seed] for run in ours if run.seed in score]
    return fmean(apart) if apart else None


def _changed(run: Run, base: Run) -> list[str]:
    """Return the settings that a way has otherwise than the base."""
    keys = sorted((run.settings | base.settings).keys() - {"seed", "phases"})
    changed = [
        f"`{key}={run.settings.get(key, 'its default')}`"
        for key in keys
        if run.settings.get(key) != base.settings.get(key)
    ]
    return changed + ([f"{run.iterations:,} iterations"] if run.iterations != base.iterations else [])
