"""What `facelocus analyze` says of many photographs: before, with --dry-run, and after, with --out."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from facelocus.cli.face_text import sidecars_left, undrawn
from facelocus.errors import one_line

if TYPE_CHECKING:
    from facelocus.photos.listing import Arguments
    from facelocus.photos.request import Options, Request, Summary


def make_table(arguments: Arguments, out: Path, request: Request, workers: int | None) -> bool:
    """Write the table and say what is in it; return whether all photographs could be read and drawn."""
    from facelocus.photos.folder import analyze_folder
    from facelocus.processes import cores

    began = time.monotonic()
    summary = analyze_folder(arguments, out, request, workers or cores())
    for reason in summary.undrawn_reasons:
        typer.echo(undrawn(reason), err=True)
    if summary.undrawn > len(summary.undrawn_reasons):
        typer.echo(f"facelocus: and {summary.undrawn - len(summary.undrawn_reasons):,} more without one", err=True)
    if summary.sidecars_left:
        typer.echo(sidecars_left(summary.sidecars_left), err=True)
    _print_summary(summary, str(out), time.monotonic() - began)
    return not (summary.failed or summary.undrawn)


def make_partitions(arguments: Arguments, out: str, request: Request, size: int, workers: int | None) -> bool:
    """Write the partitions on Ray and say what is in those made now; return whether all photographs could be read."""
    from facelocus.cluster.run import analyze_partitions

    began = time.monotonic()
    made = analyze_partitions(arguments, out, request, size, workers)
    if made.before:
        typer.echo(f"{made.before:,} of {made.before + made.partitions:,} partitions were done before")
    _print_summary(made.summary, out, time.monotonic() - began)
    return made.summary.failed == 0


def _print_summary(summary: Summary, out: str, seconds: float) -> None:
    place = one_line(out)
    for reason in summary.reasons:
        typer.echo(f"facelocus: {reason}", err=True)
    if summary.failed > len(summary.reasons):
        typer.echo(f"facelocus: and {summary.failed - len(summary.reasons):,} more; {place} has every reason", err=True)
    typer.echo(
        f"{summary.photographs:,} photographs: {summary.faces:,} faces, {summary.faceless:,} without a face, "
        f"{summary.failed:,} failed; {seconds:,.1f} s; rows are in {place}"
    )


def print_listing(arguments: Arguments) -> None:
    """Say how many photographs are named, how large they are and of which formats."""
    kinds: Counter[str] = Counter()
    size = missing = 0
    for photo in arguments.photographs():
        kinds[photo.suffix.lower() or "no ending"] += 1
        try:
            size += photo.stat().st_size
        except OSError:
            missing += 1
    each = ", ".join(f"{count:,} {one_line(kind)}" for kind, count in kinds.most_common())
    cannot = f"; {missing:,} of them cannot be opened" if missing else ""
    typer.echo(f"{sum(kinds.values()):,} photographs, {size / 1e6:,.1f} MB: {each}{cannot}")


def print_pictures(options: Options) -> None:
    """Say what would be written of each photograph by itself."""
    if options.drawings is not None:
        typer.echo(f"drawings would go to {one_line(str(options.drawings))}")
    if options.sidecars:
        typer.echo("keywords would go into PHOTO.xmp beside each photograph")


def print_plan(arguments: Arguments, out: Path, request: Request) -> None:
    """Say where rows would go, and how much is done where a run was stopped.

    Raises:
        UsageError: the table is there already, or what lies beside it is of another run.
    """
    from facelocus.photos.folder import progress_of

    progress = progress_of(arguments, out, request)
    place = one_line(str(out))
    if progress is None:
        typer.echo(f"rows would go to {place}")
    else:
        typer.echo(
            f"rows would go to {place}: {progress[0]:,} of {progress[1]:,} photographs are done, the rest goes on"
        )
