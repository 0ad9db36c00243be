"""facelocus data: labelled faces, packed for training and evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Labelled faces.", rich_markup_mode=None)


@app.callback()
def _data() -> None:
    """Labelled faces."""


@app.command()
def pack(
    data: Annotated[Path, typer.Argument(help="CelebA as a folder or a zip.")],
    to: Annotated[Path, typer.Argument(help="The folder of the Pack.")],
    workers: Annotated[int | None, typer.Option(help="Decoding processes; one a core by default.", min=1)] = None,
) -> None:
    """Decode every face once into a folder that training and evaluation read from."""
    from facelocus.data.celeba import read_celeba
    from facelocus.data.pack import Pack

    made = Pack.build(read_celeba(data), to, workers)
    typer.echo(f"{to}: {made.description}")
