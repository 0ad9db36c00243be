"""`facelocus summary`: how many faces of a library have each attribute."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facelocus.cli.found import AsJson, LibraryFolder, opened
from facelocus.cli.lab import require_drawing
from facelocus.cli.places import refuse_no_file

if TYPE_CHECKING:
    from facelocus.search.shares import Share

_BAR = 30
_OTHERS = "  not corrected: other error rates than on validation faces"


def summary(
    library: LibraryFolder,
    draw: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw the shares with their intervals into this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count the faces that have each attribute, corrected for how often the model is wrong, with 95 % intervals.

    The correction needs the model's error rates on validation faces; where its file has none, that is said, and the
    shares are of what the model said yes to. With --json: "pictures", "faces", and "attributes" by name.
    """
    from facelocus.search.shares import shares

    refuse_no_file("--draw", draw)
    if draw is not None:
        require_drawing()
    with opened(library) as opening, opening.state() as scores:
        rows, pictures, faces = shares(scores, opening.about), len(scores.pictures), len(scores.faces)
    if draw is not None:
        from facelocus.reports.shares_chart import draw_shares

        draw_shares(rows, draw, f"{pictures:,} pictures, {faces:,} faces")
    corrected = opening.about.rates is not None
    if as_json:
        each = {row.attribute: {"counted": _json(row.counted), "corrected": _json(row.corrected)} for row in rows}
        typer.echo(json.dumps({"pictures": pictures, "faces": faces, "attributes": each}))
        return
    kind = "corrected for the model's error rates" if corrected else "not corrected: the model file has no error rates"
    typer.echo(f"{pictures:,} pictures with {faces:,} faces; percent of the faces, {kind}")
    for row in rows if faces else []:
        share = row.corrected if row.corrected is not None else row.counted
        bar = "#" * round(_BAR * share.share)
        mark = "" if row.corrected is not None or not corrected else _OTHERS
        typer.echo(
            f"{row.attribute.replace('_', ' '):20} {100 * share.share:5.1f}  "
            f"({100 * share.low:5.1f} to {100 * share.high:5.1f})  {bar:{_BAR}}{mark}".rstrip()
        )


def _json(share: Share | None) -> list[Any] | None:
    if share is None:
        return None
    return [None if math.isnan(value) else round(value, 6) for value in (share.share, share.low, share.high)]
