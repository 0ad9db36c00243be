"""Run folders read back: how far each is, and its best figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from facelocus.errors import FacelocusError, InputError
from facelocus.recipes import load_recipe, recipe_names
from facelocus.reports.run_files import checkpoint_head, is_held, read_json, read_lines, read_record
from facelocus.training import checkpoint
from facelocus.training.folder import FINISHED
from facelocus.training.plan import Plan
from facelocus.training.recipe import Recipe, changes

#: Levels below the folder given in which runs are looked for.
LEVELS = 3
#: The two figures of a validation, in percent at a threshold of one half.
FIGURES = ("mean_accuracy", "mean_balanced_accuracy")

_SIGNS = ("recipe.json", "record.json", checkpoint.FILE)


@dataclass(frozen=True)
class Best:
    """The highest value of a figure, in percent, and the step and epoch at which it first stood."""

    value: float
    step: int
    epoch: float


@dataclass(frozen=True)
class Run:
    """A run as its folder tells it.

    Attributes:
        folder: the run folder.
        name: its path from the folder that was listed.
        recipe: what it does.
        record: record.json.
        state: "failed" is a run that ended with an error.
        error: that error.
        step: steps done; of a run that does not go on by itself, those that its checkpoint keeps.
        steps: steps of the whole run.
        steps_an_epoch: full batches in the training images.
        seconds: of training, for `step` steps where the run is stopped; None before the first checkpoint.
        speed: training images a second over all of them, validations included; None as seconds.
        losses: the lines of metrics.jsonl with a loss; each has step, epoch, rate, loss, loss_by_region.
        validations: those with a validation; each has step, epoch and validation, with FIGURES.
    """

    folder: Path
    name: str
    recipe: Recipe
    record: dict[str, Any]
    state: Literal["finished", "running", "stopped", "failed"]
    error: str | None
    step: int
    steps: int
    steps_an_epoch: int
    seconds: float | None
    speed: float | None
    losses: list[dict[str, Any]]
    validations: list[dict[str, Any]]

    def best(self, figure: str) -> Best | None:
        """Return the best of one of FIGURES; None without a validation."""
        scored = [line for line in self.validations if line["validation"][figure] is not None]
        if not scored:
            return None
        line = max(scored, key=lambda line: line["validation"][figure])
        return Best(line["validation"][figure], line["step"], line["epoch"])

    def against(self) -> tuple[str | None, dict[str, tuple[Any, Any]]]:
        """Return the named recipe that this one is compared with, and where it differs: setting -> value, theirs.

        Where the package has no recipe of that name, it is compared with the defaults: None.
        """
        name = self.record["recipe"] if self.record["recipe"] in recipe_names() else None
        return name, changes(self.recipe, load_recipe(name) if name else Recipe())

    def to_json(self) -> dict[str, Any]:
        """Return everything but the lines of metrics, JSON-ready."""
        base, changed = self.against()
        best = {figure: self.best(figure) for figure in FIGURES}
        return {
            "name": self.name,
            "state": self.state,
            "error": self.error,
            "step": self.step,
            "steps": self.steps,
            "best": {figure: None if found is None else vars(found) for figure, found in best.items()},
            "loss": self.losses[-1]["loss"] if self.losses else None,
            "seconds": self.seconds,
            "images_a_second": None if self.speed is None else round(self.speed, 1),
            "compared_with": base or "defaults",
            "differences": changed,
            "recipe": self.recipe.to_json(),
            "record": self.record,
        }


@dataclass(frozen=True)
class BrokenRun:
    """A folder that was to be a run, and what is wrong with it in one line."""

    folder: Path
    name: str
    error: str

    def to_json(self) -> dict[str, Any]:
        """Return the row of a listing."""
        return {"name": self.name, "state": "broken", "error": self.error}


def read_runs(folder: Path) -> tuple[list[Run], list[BrokenRun]]:
    """Read a run folder, or all run folders up to LEVELS below a folder.

    Returns:
        The runs, the newest last, and those that cannot be read.

    Raises:
        InputError: no such folder, or it holds no run.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder: name a run, or a folder with runs below it")
    runs: list[Run] = []
    broken: list[BrokenRun] = []
    for found in _run_folders(folder, LEVELS):
        name = folder.resolve().name if found == folder else found.relative_to(folder).as_posix()
        try:
            runs.append(read_run(found, name))
        except FacelocusError as error:
            broken.append(BrokenRun(found, name, str(error)))
    if not runs and not broken:
        raise InputError(f"{folder}: holds no run, nor do the folders up to {LEVELS} levels below it")
    return sorted(runs, key=lambda run: (run.record["date"], run.name)), broken


def _run_folders(folder: Path, levels: int) -> Iterator[Path]:
    try:
        inside = sorted(folder.iterdir())
    except OSError:  # reading it as a run says why
        yield folder
        return
    if any((folder / sign).exists() for sign in _SIGNS):
        yield folder
    elif levels:
        for below in inside:
            if below.is_dir() and below.name[0] != ".":
                yield from _run_folders(below, levels - 1)


def read_run(folder: Path, name: str) -> Run:
    """Read one run folder, which another process may be writing.

    Raises:
        InputError: a file of it is missing, damaged, or not what a run writes.
        FacelocusError: its recipe is of another version, or does not fit its images.
    """
    recipe = Recipe.from_json(read_json(folder / "recipe.json"))
    record = read_record(folder / "record.json")
    plan = Plan(recipe, record["data"]["training_images"])
    lines = read_lines(folder / "metrics.jsonl")
    for line in lines:
        line.setdefault("epoch", round(line["step"] / plan.steps_an_epoch, 4))
    kept, spent = checkpoint_head(folder / checkpoint.FILE)
    # results that are published leave out the weights; a run killed in writing them still has a checkpoint.
    finished = (folder / FINISHED).exists() or ("seconds" in record and kept is None)
    running = not finished and is_held(folder)
    error = next((line["error"] for line in lines if "error" in line), None)
    step = plan.steps if finished else kept or 0
    seconds: float | None = record["seconds"] if finished and "seconds" in record else spent
    speed = step * recipe.batch_size / seconds if seconds else None
    if running:
        step = max(step, *(line["step"] for line in lines), 0)
    return Run(
        folder=folder,
        name=name,
        recipe=recipe,
        record=record,
        state="finished" if finished else "running" if running else "failed" if error else "stopped",
        error=None if finished or running else error,
        step=step,
        steps=plan.steps,
        steps_an_epoch=plan.steps_an_epoch,
        seconds=seconds,
        speed=speed,
        losses=[line for line in lines if "loss" in line],
        validations=[line for line in lines if "validation" in line],
    )
