"""facelocus quantize: a model file that computes in 8 bits, of one in single precision."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facelocus.cli.models import weights_path
from facelocus.cli.places import refuse_no_file
from facelocus.errors import DataError

#: Fixed, so that the same file is made of the same faces.
_SEED = 0


def quantize(
    model: Annotated[str, typer.Argument(help="A shipped name or an .onnx file in single precision.")],
    data: Annotated[
        Path, typer.Argument(help="Labelled faces of any layout, or a Pack; training faces are looked at.")
    ],
    out: Annotated[Path, typer.Argument(help="The model file in 8 bits, NAME.onnx.")],
    faces: Annotated[int, typer.Option(min=1, help="How many faces give the layers their ranges.")] = 512,
) -> None:
    """Write a model file that computes in 8 bits: quicker on a processor, nearly as right, as good to go on from.

    Labels are not looked at, and nothing is trained. `facelocus evaluate` says what it cost.
    """
    from facelocus.cli.lab import require_lab

    require_lab()
    refuse_no_file("OUT", out)
    import numpy as np

    from facelocus.data import open_pack
    from facelocus.export import export_8_bits
    from facelocus.recipes import load_recipe

    pack = open_pack(data)
    rows = pack.rows("train", exclude=load_recipe("default").left_out_names())
    if not len(rows):
        raise DataError(f"{data}: has no training face: give the faces that the model was trained on")
    drawn = np.sort(np.random.default_rng(_SEED).choice(rows, min(faces, len(rows)), replace=False))
    of = {"description": pack.description, "fingerprint": pack.fingerprint}
    difference = export_8_bits(weights_path(model), pack.frames(drawn), out, of=of)
    size = out.stat().st_size / 1e6
    typer.echo(f"{out}: {size:.1f} MB, on average {difference:.4f} from {model} on {len(drawn)} faces")
