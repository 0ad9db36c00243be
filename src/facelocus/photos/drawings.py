"""The annotated picture of each photograph, in a folder of its own: what it is called, and that it is ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from os import fsencode
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from facelocus.errors import StorageError
from facelocus.files import write_atomically
from facelocus.images.draw import draw_faces
from facelocus.images.read import read_image
from facelocus.images.seen import seen_part, seen_share
from facelocus.model import Predictor
from facelocus.photos.analyze import Face
from facelocus.photos.listing import DRAWING

_KEY = "facelocus photo"

# Bytes of a photograph's name that its drawing takes over: names have 255, and a number comes behind.
_LONGEST = 255 - len(DRAWING) - len("-99999999")


class Drawings:
    """Names the drawings in a folder, which is made.

    Raises:
        StorageError: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"--draw {folder}: no such folder can be made ({error.strerror}): name another"
            ) from error
        self._folder = folder
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def name(self, photo: Path) -> Path:
        """Name a photograph's drawing: no two the same, none a file of the user's or another photograph's of before.

        The end of a photograph's name is left out where the drawing's would be longer than names can be.
        """
        stem = photo.stem
        while len(fsencode(stem)) > _LONGEST:
            stem = stem[:-1]
        number = self._last.get(stem.casefold(), 0) + 1
        while not self._is_free(target := self._folder / f"{stem}{_numbered(number)}{DRAWING}", photo):
            number += 1
        self._last[stem.casefold()] = number
        self._taken.add(target.name.casefold())
        return target

    def _is_free(self, target: Path, photo: Path) -> bool:
        if target.name.casefold() in self._taken:
            return False
        return not target.exists() or _photo_of(target) == _identity(photo)


def write_drawing(target: Path, photo: Path, faces: Sequence[Face], model: Predictor) -> None:
    """Draw the faces of a photograph into a PNG file.

    Raises:
        ImageError: the photograph cannot be read.
        StorageError: the drawing cannot be written.
    """
    share = seen_share(model.metadata["network"])
    seen = [replace(face, crop=seen_part(face.crop, share)) for face in faces]
    drawing = draw_faces(read_image(photo), seen, model.attributes, model.thresholds["accuracy"])
    about, picture = PngInfo(), BytesIO()
    about.add_text(_KEY, _identity(photo))
    drawing.save(picture, "PNG", pnginfo=about)
    write_atomically(target, picture.getvalue(), repeated=True)


def _numbered(number: int) -> str:
    return "" if number == 1 else f"-{number}"


def _identity(photo: Path) -> str:
    """What a drawing says of its photo: of which file it is, without telling the path."""
    return sha256(fsencode(photo.resolve())).hexdigest()


def _photo_of(drawing: Path) -> str | None:
    try:
        with Image.open(drawing) as image:
            return image.info.get(_KEY)
    except OSError:
        return None
