"""`facelocus analyze`: photographs -> faces and their attributes."""

from __future__ import annotations

import json
import warnings
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from facelocus.model import Predictor
    from facelocus.photos.analyze import Face

_KEY = "facelocus photo"


def analyze(
    photos: Annotated[list[Path], typer.Argument(help="Pictures.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of text.")] = False,
    draw: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write an annotated picture of each photo here.")
    ] = None,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The pictures are face crops framed like CelebA's aligned ones.")
    ] = False,
    model: Annotated[
        str, typer.Option(help="A shipped name, an .onnx file, or a run's folder (needs the lab).")
    ] = "default",
    flip: Annotated[bool, typer.Option("--flip", help="Average each face with its mirror image.")] = False,
) -> None:
    """Find the faces in photographs and say what each one shows; a star marks what is above its threshold.

    With --json the output is one list with an entry a photo, in order: its "path" and its "faces", the largest
    first. A face has "box" (x0, y0, x1, y1) and "landmarks" (five x, y: eyes, nose tip, corners of the mouth) in
    pixels of the upright photo, the detector's "score", "quality" ("size" of the box in pixels) and "attributes",
    each name with its probability. With --aligned, score and landmarks are null.

    A photo without a face has an empty list. One that cannot be read has an "error" ("type", "message") instead of
    "faces" and a line on stderr; the others go on, and the exit code is 1.

    With --draw each photo gives DIR/NAME.facelocus.png, further photos of that name NAME-2.facelocus.png.
    """
    from facelocus.cli.models import open_model
    from facelocus.errors import FacelocusError
    from facelocus.photos.analyze import analyze_many

    warnings.filterwarnings("ignore", module="PIL")  # about oddities in a file that is then read all the same
    loaded = open_model(model)
    drawings = _drawings(photos, draw) if draw is not None else []
    failed = False
    entries: list[dict[str, Any]] = []
    for number, (photo, result) in enumerate(analyze_many(photos, model=loaded, aligned=aligned, flip=flip)):
        if isinstance(result, FacelocusError):
            failed = True
            typer.echo(f"facelocus: {result}", err=True)
            entries.append({"path": str(photo), **result.to_json()})
            continue
        if draw is not None:
            _draw(photo, result, loaded, drawings[number])
        entries.append({"path": str(photo), "faces": [face.to_json() for face in result]})
        if not as_json:
            typer.echo(_text(photo, result, loaded))
    if as_json:
        lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
        typer.echo(f"[\n{lines}\n]")
    elif any(entry.get("faces") for entry in entries):
        typer.echo("* as probable as it takes for a yes, by the model's accuracy thresholds")
    if failed:
        raise typer.Exit(1)


def _text(photo: Path, faces: list[Face], model: Predictor) -> str:
    if not faces:
        return f"{photo}: no face found"
    limits = dict(zip(model.attributes.names, model.thresholds["accuracy"].tolist(), strict=True))
    lines = [f"{photo}: {'1 face' if len(faces) == 1 else f'{len(faces)} faces'}"]
    for number, face in enumerate(faces, 1):
        if face.score is not None:
            x0, y0, x1, y1 = face.box
            lines.append(f"  face {number}: box {x0:.0f},{y0:.0f} to {x1:.0f},{y1:.0f}, score {face.score:.2f}")
        for region in model.attributes.regions:
            items = []
            for name in model.attributes.in_region(region):
                star = "*" if face.attributes[name] >= limits[name] else " "
                items.append(f"{star} {name.replace('_', ' '):20}{face.attributes[name]:4.0%}")
            for start in range(0, len(items), 2):
                title = region if start == 0 else ""
                lines.append(f"    {title:18}" + "   ".join(items[start : start + 2]))
    return "\n".join(lines)


def _drawings(photos: list[Path], folder: Path) -> list[Path]:
    """Name the drawing of each photo: no two the same, none a photo that was given, none another photo's of before."""
    from facelocus.errors import StorageError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"--draw {folder}: no such folder can be made ({error.strerror}): name another") from error
    taken = {photo.resolve() for photo in photos}
    names: list[Path] = []
    for photo in photos:
        number, target = 1, folder / f"{photo.stem}.facelocus.png"
        while target.resolve() in taken or (target.exists() and _photo_of(target) != _identity(photo)):
            number += 1
            target = folder / f"{photo.stem}-{number}.facelocus.png"
        taken.add(target.resolve())
        names.append(target)
    return names


def _identity(photo: Path) -> str:
    """What a drawing says of its photo: of which file it is, without telling the path."""
    return sha256(str(photo.resolve()).encode()).hexdigest()


def _photo_of(drawing: Path) -> str | None:
    from PIL import Image

    try:
        with Image.open(drawing) as image:
            return image.info.get(_KEY)
    except OSError:
        return None


def _draw(photo: Path, faces: list[Face], model: Predictor, target: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    from facelocus.files import write_atomically
    from facelocus.images.draw import draw_faces
    from facelocus.images.read import read_image

    drawing = draw_faces(read_image(photo), faces, model.attributes, model.thresholds["accuracy"])
    about, picture = PngInfo(), BytesIO()
    about.add_text(_KEY, _identity(photo))
    drawing.save(picture, "PNG", pnginfo=about)
    write_atomically(target, picture.getvalue())
