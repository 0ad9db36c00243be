"""facelocus train: a recipe and labelled faces to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe in facelocus/recipes, such as default.")],
    data: Annotated[Path, typer.Option(help="CelebA (folder or zip) or a Pack.")],
    to: Annotated[Path, typer.Option(help="The run folder; an unfinished run there goes on.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key=value that differs from the recipe, repeatable.")
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", help="Weights to start from: a shipped name, an .onnx file, or a finished run's folder."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train a network; stop with Ctrl-C and go on with the same command."""
    from facelocus.cli.lab import require_lab

    require_lab()
    from facelocus.data.pack import open_pack
    from facelocus.model import shipped_models
    from facelocus.recipes import load_recipe
    from facelocus.training.loop import choose_device
    from facelocus.training.loop import train as run

    start = None if from_ is None else shipped_models().get(from_, Path(from_))
    chosen = load_recipe(recipe).with_settings(set_ or [])
    where = choose_device(device)
    run(chosen, open_pack(data), to, name=recipe, device=where, start=start)
    typer.echo(f"{to}: finished; next: facelocus export {to} model.onnx")
