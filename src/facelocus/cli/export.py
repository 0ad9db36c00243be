"""facelocus export: a finished run to a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facelocus.cli.places import refuse_no_file


def export(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    out: Annotated[Path, typer.Argument(help="The model file, NAME.onnx.")],
    licence: Annotated[
        str | None, typer.Option(help="The sentence kept in the file; CelebA's terms by default.")
    ] = None,
) -> None:
    """Write a model file that needs nothing but an ONNX runtime; checked against the run before it is kept."""
    from facelocus.cli.lab import require_lab

    require_lab()
    refuse_no_file("OUT", out)
    from facelocus.export import LICENCE
    from facelocus.export import export as write

    difference = write(run, out, licence=licence or LICENCE)
    typer.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB, within {difference:.0e} of {run}")
