"""`facelocus page`: the page as files that need no server of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facelocus.errors import UsageError


def page(
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="The folder to write; must not be there yet.")],
    model: Annotated[str, typer.Option(help="A shipped name or an .onnx file.")] = "default",
) -> None:
    """Write a page that looks at pictures in the browser alone: any host can show it, and nothing is sent anywhere.

    Try it with `python -m http.server --directory FOLDER`: a browser does not run it from a file.
    """
    if to.exists():
        raise UsageError(f"{to} is there already: choose another --to, or remove it")
    from facelocus.model import Model
    from facelocus.serve.static import page_files, write_page

    size = write_page(page_files(Model.load(model)), to)
    typer.echo(f"{to}: {size / 1e6:.1f} MB; try it with `python -m http.server --directory {to}`")
