"""facelocus grid: many runs that are compared, one line of results each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def grid(
    name: Annotated[str, typer.Argument(help="Name of a grid in facelocus/grids, such as paper_small.")],
    data: Annotated[Path, typer.Option(help="Labelled faces with people, such as CelebA, or a Pack.")],
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the runs lie, a folder each.")],
    results: Annotated[Path, typer.Option(metavar="FOLDER", help="Where runs.jsonl and people/ lie.")],
    only: Annotated[str, typer.Option(metavar="PART", help="Only runs whose name, with its seed, has this part.")] = "",
    from_: Annotated[
        str | None, typer.Option("--from", help="Weights that each run starts from, see facelocus train.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train and measure every run of a grid; stop with Ctrl-C and go on with the same command.

    A run that has its line in the results is not repeated, so a grid can be spread over days or machines.
    """
    from facelocus.cli.lab import require_lab

    require_lab()
    from facelocus.cli.models import open_start
    from facelocus.cli.report import app
    from facelocus.data.pack import open_pack
    from facelocus.grids import load_grid
    from facelocus.training.grid import run_grid
    from facelocus.training.loop import choose_device

    chosen = load_grid(name)
    where = choose_device(device)
    start = open_start(from_)
    made = run_grid(chosen, name, open_pack(data), to / name, results, device=where, start=start, only=only)
    report, _, _ = name.partition("_")  # a grid is named after the report that reads it, if there is one
    reports = [command.callback.__name__ for command in app.registered_commands if command.callback]
    following = f"; next: facelocus report {report} --records {results}" if report in reports else ""
    typer.echo(f"{results}: {made} runs added{following}")
