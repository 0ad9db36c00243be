"""facelocus convert: published Caffe weights to a file that a run can start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facelocus.errors import UsageError


def convert(
    caffemodel: Annotated[Path, typer.Argument(help="Alexnet-cvgj as published, NAME.caffemodel.")],
    out: Annotated[Path, typer.Argument(help="The weights to start from, NAME.safetensors.")],
) -> None:
    """Read the layers conv1 to conv5 of Alexnet-cvgj, for facelocus train --from; Caffe is not needed."""
    from facelocus.cli.lab import require_lab

    require_lab()
    from facelocus.nn.caffe import read_alexnet_cvgj
    from facelocus.nn.weights import save_tensors

    if out.suffix != ".safetensors":
        raise UsageError(f"{out}: weights to start from end in .safetensors: choose such a name")
    tensors, description = read_alexnet_cvgj(caffemodel)
    save_tensors(tensors, description, out)
    which = "the published file" if description["published"] else "not the published file, by its sha256"
    typer.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB, conv1 to conv5 of {caffemodel} ({which})")
    if description["left_out"]:
        typer.echo(f"left out, as only ImageNet's classes need them: {', '.join(description['left_out'])}")
    typer.echo(f"next: facelocus train RECIPE --data CELEBA --to RUN --from {out}")
