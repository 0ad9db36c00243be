"""Runs as TensorBoard's event files."""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from facelocus.errors import MissingExtraError, StorageError
from facelocus.reports.runs import FIGURES, Run
from facelocus.training.settings import dotted

_EVENTS = "events.out.tfevents.*"


def write_events(runs: Sequence[Run], folder: Path) -> None:
    """Write the lines of metrics of each run to folder/NAME; event files there from before are replaced.

    Scalars: loss, loss/REGION, rate, validation/mean_accuracy and validation/mean_balanced_accuracy. Hyperparameters:
    the recipe, with the best validations. Text: the record. The lines hold no time: each step gets the start of the run
    plus its share of the time in training, so pauses are left out.

    Raises:
        MissingExtraError: tensorboard is not installed.
        StorageError: the folder cannot be written.
    """
    if find_spec("tensorboard") is None:
        raise MissingExtraError("--tensorboard needs tensorboard: pip install 'facelocus[tensorboard]'")
    for run in runs:
        target = folder / run.name
        try:
            target.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".events-", dir=folder) as unfinished:
                _write(run, unfinished)
                for old in target.glob(_EVENTS):
                    old.unlink()
                for new in Path(unfinished).glob(_EVENTS):
                    new.replace(target / new.name)
        except OSError as error:
            raise StorageError(f"{target}: cannot be written ({error.strerror}): name another folder") from error


def _write(run: Run, folder: str) -> None:
    from torch.utils.tensorboard import SummaryWriter

    started = datetime.datetime.fromisoformat(run.record["date"]).timestamp()
    a_step = run.recipe.batch_size / run.speed if run.speed else 0.0
    with SummaryWriter(folder) as writer:
        writer.add_text("record", _code(run.record), walltime=started)
        for line in (*run.losses, *run.validations):
            for tag, value in _scalars(line).items():
                if value is not None:
                    writer.add_scalar(tag, value, line["step"], walltime=started + a_step * line["step"])
        best = {f"best/{figure}": found.value for figure in FIGURES if (found := run.best(figure))}
        settings = {key: _plain(value) for key, value in dotted(run.recipe.to_json()).items()}
        writer.add_hparams(settings, best, run_name=".")


def _scalars(line: dict[str, Any]) -> dict[str, float | None]:
    if "validation" in line:
        return {f"validation/{figure}": line["validation"][figure] for figure in FIGURES}
    regions = {f"loss/{region}": value for region, value in line["loss_by_region"].items()}
    return {"loss": line["loss"], "rate": line["rate"]} | regions


def _plain(value: Any) -> bool | float | str:
    """Return a setting as one of the types that hyperparameters may have."""
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)


def _code(value: dict[str, Any]) -> str:
    """Return JSON as a block of code in Markdown."""
    return "\n".join(f"    {line}" for line in json.dumps(value, indent=1, ensure_ascii=False).splitlines())
