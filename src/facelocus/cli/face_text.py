"""What `facelocus analyze` prints of photographs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from facelocus.errors import one_line

if TYPE_CHECKING:
    from facelocus.model import Predictor
    from facelocus.photos.analyze import Face
    from facelocus.photos.request import Options

LEGEND = "* as probable as it takes for a yes, by the model's accuracy thresholds"


def print_faces(
    photos: Iterable[Path],
    model: Predictor,
    options: Options,
    as_json: bool,
) -> bool:
    """Analyze photographs one by one and print each as it comes; return whether all could be read and drawn."""
    from facelocus import __version__
    from facelocus.errors import FacelocusError, ImageError
    from facelocus.photos.analyze import analyze_many
    from facelocus.photos.drawings import Drawings, write_drawing
    from facelocus.photos.sidecar import keywords, write_sidecar

    drawings = None if options.drawings is None else Drawings(options.drawings)
    good, any_face, left = True, False, 0
    between = "[\n"
    for photo, result in analyze_many(
        photos, model=model, aligned=options.aligned, flip=options.flip, min_quality=options.min_quality
    ):
        target = drawings.name(photo) if drawings is not None else None
        if isinstance(result, FacelocusError):
            good = False
            typer.echo(f"facelocus: {result}", err=True)
            entry: dict[str, Any] = {"path": str(photo), **result.to_json()}
        else:
            any_face |= bool(result)
            if target is not None:
                try:
                    write_drawing(target, photo, result, model)
                except ImageError as error:  # it is read again, whole
                    good = False
                    typer.echo(undrawn(str(error)), err=True)
            left += options.sidecars and not write_sidecar(photo, keywords(result, model), __version__)
            entry = {"path": str(photo), "faces": [face.to_json() for face in result]}
            if not as_json:
                typer.echo(_text(photo, result, model))
        if as_json:
            # In ASCII, which every output can spell; bytes of a name that are no text are escapes, too.
            typer.echo(between + json.dumps(entry), nl=False)
            between = ",\n"
    if as_json:
        typer.echo("\n]")
    elif any_face:
        typer.echo(LEGEND)
    if left:
        typer.echo(sidecars_left(left), err=True)
    return good


def undrawn(reason: str) -> str:
    """Say why a photograph whose faces are there has no drawing."""
    return f"facelocus: no drawing: {reason}"


def sidecars_left(count: int) -> str:
    """Say of how many photographs the XMP file is not ours, or cannot be made."""
    files = "file" if count == 1 else "files"
    return f"{count:,} XMP {files} left out: other programs wrote or changed them, or their names would be too long"


def _text(photo: Path, faces: Sequence[Face], model: Predictor) -> str:
    """Return the faces of one photograph as lines of text, attributes by region."""
    name = one_line(str(photo))
    if not faces:
        return f"{name}: no face found"
    limits = dict(zip(model.attributes.names, model.thresholds["accuracy"].tolist(), strict=True))
    lines = [f"{name}: {'1 face' if len(faces) == 1 else f'{len(faces)} faces'}"]
    for number, face in enumerate(faces, 1):
        if face.score is not None:
            x0, y0, x1, y1 = face.box
            score, trust = face.score, face.quality.trust
            lines.append(
                f"  face {number}: box {x0:.0f},{y0:.0f} to {x1:.0f},{y1:.0f}, score {score:.2f}, trust {trust:.2f}"
            )
        for region in model.attributes.regions:
            items = []
            for name in model.attributes.in_region(region):
                star = "*" if face.attributes[name] >= limits[name] else " "
                items.append(f"{star} {name.replace('_', ' '):20}{face.attributes[name]:4.0%}")
            for start in range(0, len(items), 2):
                title = region if start == 0 else ""
                lines.append(f"    {title:18}" + "   ".join(items[start : start + 2]))
    return "\n".join(lines)
