"""`facelocus runs`: what lies in run folders, side by side."""

from __future__ import annotations

import datetime
import json
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facelocus.cli.places import refuse_no_file

if TYPE_CHECKING:
    from facelocus.reports.runs import Best, BrokenRun, Run

_TITLES = ("recipe", "state", "accuracy", "balanced", "loss", "hours", "img/s", "date")
_WORDS = ("recipe", "state")
#: Runs that are named beside a value, and values of a setting that are listed; more are counted.
_NAMED, _VALUES = 6, 12


def runs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run folder, or a folder with runs below it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of text.")] = False,
    draw: Annotated[Path | None, typer.Option(metavar="PNG", help="Draw losses and validations here.")] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write TensorBoard's event files here, a folder a run, whole anew."),
    ] = None,
) -> None:
    """List runs, the newest last: how far each is, its best figures, its recipe and what differs between them.

    Accuracy and balanced accuracy are the best of the validations, in percent at a threshold of one half, with their
    epoch. A folder that cannot be read becomes a row that says why.

    With --draw, one run or runs that follow each other are drawn region by region; others are laid over each other.
    """
    from facelocus.cli.lab import require_lab

    require_lab()
    from facelocus.reports.runs import read_runs

    refuse_no_file("--draw", draw)
    readable, broken = read_runs(folder)
    if as_json:
        entries = [run.to_json() for run in broken] + [run.to_json() for run in readable]
        print(json.dumps(entries, indent=1))
    else:
        _print(readable, broken)
    if draw is not None:
        from facelocus.reports.curves import draw_runs

        draw_runs(readable, draw)
        typer.echo(f"{draw}: curves", err=True)
    if tensorboard is not None:
        from facelocus.reports.tensorboard import write_events

        write_events(readable, tensorboard)
        typer.echo(f"{tensorboard}: events; next: tensorboard --logdir {tensorboard}", err=True)


def _print(readable: Sequence[Run], broken: Sequence[BrokenRun]) -> None:
    from facelocus.reports.between import between

    width = shutil.get_terminal_size().columns
    _print_table(readable, broken, width)
    stands = {run.name: f"cannot be read: {run.error}" for run in broken}
    stands |= {run.name: _stand(run) for run in readable if run.state != "finished"}
    if stands:
        print("\nnot finished")
        for name, stand in stands.items():
            _print_item(f"{name}: {stand}", width)
    if readable:
        _print_differences(readable, width)
    if differing := between(readable):
        print("\nbetween these runs")
        for key, values in differing.items():
            listed = "; ".join(f"{_text(value)} ({_names(having)})" for value, having in values)
            _print_item(f"{key}: " + (listed if len(values) <= _VALUES else f"{len(values)} values"), width)


def _print_table(readable: Sequence[Run], broken: Sequence[BrokenRun], width: int) -> None:
    """One row a run; a name that is wider than what is left for it stands on a line of its own."""
    unknown = ("-",) * (len(_TITLES) - 2)
    rows = [_TITLES, *(("-", "broken", *unknown) for _ in broken), *map(_cells, readable)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    names = ["run", *(run.name for run in broken), *(run.name for run in readable)]
    left = min(max(map(len, names)), max(8, width - sum(1 + wide for wide in widths)))
    for name, cells in zip(names, rows, strict=True):
        first = name.ljust(left) if len(name) <= left else f"{name}\n{'':{left}}"
        # Words stand to the left, numbers to the right.
        padded = [cell.ljust(wide) if title in _WORDS else cell.rjust(wide)
                  for title, cell, wide in zip(_TITLES, cells, widths, strict=True)]  # fmt: skip
        print(" ".join((first, *padded)).rstrip())


def _cells(run: Run) -> tuple[str, ...]:
    loss = run.losses[-1]["loss"] if run.losses else None
    return (
        run.record["recipe"],
        run.state if run.state == "finished" else f"{run.state} {100 * run.step // run.steps}%",
        _best(run.best("mean_accuracy")),
        _best(run.best("mean_balanced_accuracy")),
        "-" if loss is None else f"{loss:.2f}",
        f"{run.seconds / 3600:.2f}" if run.seconds else "-",
        f"{run.speed:.0f}" if run.speed else "-",
        f"{datetime.datetime.fromisoformat(run.record['date']):%d %b}",
    )


def _best(best: Best | None) -> str:
    return f"{best.value:.2f} @{round(best.epoch, 2):g}" if best else "-"


def _stand(run: Run) -> str:
    done = f"step {run.step:,} of {run.steps:,}"
    if run.state == "running":
        return f"is training, {done}"
    if run.state == "failed":
        return f"ended with an error, kept is {done}: {run.error}"
    return f"stopped, kept is {done}: the same command goes on"


def _print_differences(readable: Sequence[Run], width: int) -> None:
    """Runs with the same differences from the same recipe stand together."""
    alike: dict[str, list[Run]] = {}
    for run in readable:
        base, changed = run.against()
        recipe = f"recipe {base}" if base else f"{run.record['recipe']} is no recipe here, so the defaults"
        listed = "; ".join(f"{key} {_text(ours)}, not {_text(theirs)}" for key, (ours, theirs) in changed.items())
        alike.setdefault(f"({recipe}): {listed or 'no difference'}", []).append(run)
    print("\nagainst their recipes")
    for text, having in alike.items():
        _print_item(f"{_names(having)} {text}", width)


def _names(having: Sequence[Run]) -> str:
    more = len(having) - _NAMED
    return ", ".join(run.name for run in having[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _text(value: Any) -> str:
    """Return a setting as short as it can be read; of a phase what is not zero."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items() if inner)
    if isinstance(value, list | tuple):
        return (" then " if value and isinstance(value[0], dict) else ",").join(map(_text, value))
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _print_item(text: str, width: int) -> None:
    print(textwrap.fill(text, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False))
