"""facelocus report: what records of many runs say, as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Pages made from records.", rich_markup_mode=None)


@app.callback()
def _report() -> None:
    """Pages made from records."""


@app.command()
def paper(
    records: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="runs.jsonl, people/ and costs.json; the page is written beside them."),
    ] = Path("results/paper"),
) -> None:
    """Set the paper's tables and claims beside our runs, with intervals and a verdict on each claim.

    Writes report.md and its figures, the same bytes from the same records. What has no records yet says so.
    """
    from facelocus.cli.lab import require_lab

    require_lab()
    from facelocus.reports.paper import write_report

    for file in write_report(records):
        typer.echo(str(file))


@app.command()
def localisation(
    records: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="runs.jsonl, people/, masks.jsonl and measurements as JSON; the page is written beside them.",
        ),
    ] = Path("results/localisation"),
) -> None:
    """Answer whether sub-networks look at their regions, and which variant of PSE(b) does so best.

    Writes report.md and its figures, the same bytes from the same records. What has no records yet says so.
    """
    from facelocus.cli.lab import require_lab

    require_lab()
    from facelocus.reports.localisation.report import write_report

    for file in write_report(records):
        typer.echo(str(file))


@app.command()
def weights(
    records: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="runs.jsonl, people/ and records of runs; the page is written beside them."
        ),
    ] = Path("results/weights"),
) -> None:
    """List what was tried for the shipped weights: their runs, and one change at a time in a small form.

    Writes report.md, the same bytes from the same records. What has no records yet says so.
    """
    from facelocus.cli.lab import require_lab

    require_lab()
    from facelocus.reports.weights import write_report

    for file in write_report(records):
        typer.echo(str(file))
