"""facelocus data expand: a Pack whose training faces also come in distorted copies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facelocus.cli.places import refuse_no_file


def expand(
    data: Annotated[Path, typer.Argument(help="A Pack, or labelled faces: a CSV or Parquet file, a folder or a zip.")],
    to: Annotated[Path, typer.Argument(help="The folder of the new Pack.")],
    times: Annotated[
        int, typer.Option(help="How often each training face is in it: once as itself, otherwise distorted.", min=2)
    ] = 12,
    seed: Annotated[int, typer.Option(help="Seed of the distortions: another gives others.")] = 0,
    draw: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw the first training faces and their copies here.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; one a core by default.", min=1)] = None,
) -> None:
    """Write a Pack in which training faces also come in distorted copies: few faces, as those of LFWA, made many.

    Validation and test faces, and all labels, stay as they are. A copy of NAME is called NAME#1, NAME#2 and so on.
    """
    from facelocus.cli.lab import require_lab

    require_lab()
    refuse_no_file("--draw", draw)
    from facelocus.data.pack import open_pack
    from facelocus.training.expand import expand as make

    made = make(open_pack(data), to, times, seed, workers)
    typer.echo(f"{to}: {made.description}; {len(made.rows('train')):,} rows to train on")
    if draw is not None:
        from facelocus.reports.expansion import draw_expansion

        draw_expansion(made, draw)
        typer.echo(f"{draw}: examples", err=True)
