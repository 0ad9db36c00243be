"""`facelocus index`: folders of photographs -> a library that can be searched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facelocus.errors import UsageError, one_line


def index(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of photographs.")],
    to: Annotated[
        Path, typer.Option("--to", metavar="LIBRARY", help="The library's folder; made where there is none.")
    ],
    model: Annotated[str, typer.Option(help="A shipped name or an .onnx file; always the same for one library.")] = (
        "default"
    ),
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The pictures are face crops framed like CelebA's aligned ones.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that work at once; all cores unless given.")
    ] = None,
) -> None:
    """Bring a library up to date with folders of photographs: analyze what is new or changed, drop what is gone.

    Only what is new or changed is analyzed; a picture that was moved or copied is recognised by its content. What the
    library holds of other folders stays. Stopped at any moment, the same command goes on, and who searches meanwhile
    sees the library as it was before or after a change. No photograph is ever written to.

    What cannot be read is counted and named on stderr, and read again once it changes; the exit code is 0 then too, as
    the library is up to date.
    """
    from facelocus.cli.models import open_model
    from facelocus.library.index import index_folders
    from facelocus.model import Model
    from facelocus.processes import cores

    loaded = open_model(model)
    if not isinstance(loaded, Model):
        raise UsageError("index takes a model file, not a run's folder: make one with `facelocus export`")
    done = index_folders(folders, to, loaded, aligned=aligned, workers=workers or cores())
    for reason in done.reasons:
        typer.echo(f"facelocus: {one_line(reason)}", err=True)
    typer.echo(
        f"{done.new:,} analyzed, {done.moved:,} moved or copied, {done.removed:,} removed; "
        f"{to} holds {done.photographs:,} photographs with {done.faces:,} faces, {done.failed:,} cannot be read"
    )
