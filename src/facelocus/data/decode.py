"""Pictures to frames: decoded, in photographs found and aligned."""

from __future__ import annotations

import io
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelocus.attributes import FRAME
from facelocus.data.table import ImageStore
from facelocus.errors import DataError, ImageError
from facelocus.images.pixels import orientation
from facelocus.images.read import read_image

if TYPE_CHECKING:
    from facelocus.detection.detect import Detector

#: The states of a picture after decoding.
ON_DISK, NO_FACE = 1, 2

#: How a refusal of one picture says what can be done about all of them.
ALL_OF_THEM = "`facelocus data check DATA` lists all"


def decode_frame(content: bytes, where: str) -> npt.NDArray[np.uint8]:
    """Decode one aligned face, whatever its format, to the pixels that analysis sees.

    Returns:
        uint8, 218 x 178 x 3, RGB.

    Raises:
        DataError: not an image, cut short, or upright of another size; the message begins with `where`.
    """
    frame = _plain_jpeg(content)
    if frame is None:
        try:
            frame = read_image(_Named(content, where))
        except ImageError as error:
            raise DataError(f"{error}; {ALL_OF_THEM}") from error
    if frame.shape != FRAME:
        height, width, _ = frame.shape
        rows, columns, _ = FRAME
        raise DataError(f"{where} is {width} x {height} pixels, an aligned face is {columns} x {rows}; {ALL_OF_THEM}")
    return frame


def _plain_jpeg(content: bytes) -> npt.NDArray[np.uint8] | None:
    """Decode a frame that is a JPEG with nothing odd about it; None for all that is left to read_image.

    Most frames are, 200,000 of CelebA's, and what read_image does about others would take them a sixth longer.
    """
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    rows, columns, _ = FRAME
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            plain = image.size == (columns, rows) and image.mode == "RGB" and "progressive" not in image.info
            return np.asarray(image) if plain and orientation(image) == 1 else None
    except Exception:  # read_image says what is wrong with it
        return None


def decode_photograph(content: bytes, where: str) -> npt.NDArray[np.uint8] | None:
    """Decode a photograph and align the face that its labels are about; None where no face is found.

    A picture of exactly the frame's size is taken as it is.

    Returns:
        uint8, 218 x 178 x 3, RGB.

    Raises:
        DataError: not an image, cut short or too large; the message begins with `where`.
    """
    from facelocus.detection.labelled import labelled_face
    from facelocus.detection.photograph import Photograph

    try:
        photo = Photograph(_Named(content, where))
        if photo.image.shape == FRAME:
            return photo.image
        face = labelled_face(photo.find(_detector()), *photo.size)
        return None if face is None else photo.crop(face)
    except ImageError as error:
        raise DataError(f"{error}; {ALL_OF_THEM}") from error


class _Named(io.BytesIO):
    """Bytes that messages call by a name."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


@lru_cache(maxsize=1)
def _detector() -> Detector:
    from facelocus.detection.detect import Detector

    return Detector(threads=1)


class FrameTask(NamedTuple):
    """Pictures whose frames lie one after the other at `offset` of a file; `start` is the number of the first."""

    file: Path
    offset: int
    start: int
    names: tuple[str, ...]
    images: ImageStore
    aligned: bool


def write_frames(task: FrameTask) -> tuple[int, npt.NDArray[np.uint8]]:
    """Decode and write the frames of a task, black where no face is found.

    Returns:
        The task's start, and uint8, a state for each picture: ON_DISK or NO_FACE.

    Raises:
        DataError: a picture cannot be used.
        OSError: the file cannot be written.
    """
    decode = decode_frame if task.aligned else decode_photograph
    black = np.zeros(FRAME, dtype=np.uint8)
    states = np.full(len(task.names), ON_DISK, dtype=np.uint8)
    # Written, not mapped: a full disk is then an OSError, not a SIGBUS. One at a time: the system takes a large block
    # in at a sixth of the speed.
    with closing(task.images), task.file.open("r+b") as out:
        out.seek(task.offset)
        for i, name in enumerate(task.names):
            frame = decode(task.images.read(name), task.images.where(name))
            if frame is None:
                states[i] = NO_FACE
            out.write((black if frame is None else frame).data)
    return task.start, states
