"""Any picture -> uint8 RGB, upright, with a bound on its size.

What cannot be read is refused with one line (ImageError) that names the file and the mend.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from facelocus.errors import ImageError

RGB = npt.NDArray[np.uint8]
Source = Path | str | bytes | BinaryIO | Image.Image | npt.NDArray[np.uint8]

#: Largest picture read unless told otherwise: the biggest phone sensors, 600 MB decoded.
MAX_PIXELS = 200_000_000

_opening = threading.Lock()


def read_image(source: Source, *, max_pixels: int = MAX_PIXELS) -> RGB:
    """Return a picture as uint8, H x W x 3, RGB, turned upright by its EXIF orientation.

    Alpha is laid on white, 16 bit is scaled to 8, of an animation the first frame is taken. An array
    must be uint8: H x W (grey), H x W x 3 (RGB) or H x W x 4 (RGBA).

    Raises:
        ImageError: the source is missing, empty, damaged, not a picture, without pixels or over max_pixels.
    """
    return read_reduced(source, None, max_pixels=max_pixels)[0]


def read_reduced(source: Source, longest: int | None, *, max_pixels: int = MAX_PIXELS) -> tuple[RGB, int]:
    """Read like read_image, but decode a JPEG much larger than needed at 1/2, 1/4 or 1/8: 3x faster at 12 MP.

    The longer side keeps at least `longest` pixels. Returns the picture and the factor f of the reduction:
    its point (x, y) is (f x, f y) in the photograph.
    """
    name = source_name(source)
    with _opened(source, name) as image:
        width, height = image.size
        if width * height == 0:
            raise ImageError(f"{name} has no pixels ({width} x {height}): export the picture again")
        if width * height > max_pixels:
            size = f"{width} x {height} pixels, more than the limit of {max_pixels:,}"
            raise ImageError(f"{name} has {size}: make it smaller first")
        # Decoders raise whatever their parsing trips over (IndexError, struct.error, MemoryError, ...).
        try:
            if longest is not None and image is not source and max(width, height) > longest:
                shrink = longest / max(width, height)
                image.draft(None, (max(1, int(width * shrink)), max(1, int(height * shrink))))
            factor = round(max(width, height) / max(image.size))
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image)), factor
        except Exception as error:
            raise _damaged(name, error) from error


def source_name(source: object) -> str:
    """What to call a source in a message: its path or name, or what kind of thing it is."""
    if isinstance(source, (str, Path)):
        return str(source)
    if isinstance(source, bytes):
        return f"the picture of {len(source)} bytes"
    if isinstance(source, np.ndarray):
        return f"the array of shape {source.shape}"
    name = getattr(source, "name", None) or getattr(source, "filename", None)
    return str(name) if name else f"the {type(source).__name__}"


@contextmanager
def _opened(source: Source, name: str) -> Iterator[Image.Image]:
    """Yield the picture with only its header read; files opened here are closed."""
    if isinstance(source, Image.Image):
        yield source
    elif isinstance(source, np.ndarray):
        yield _from_array(source, name)
    elif isinstance(source, (str, Path)):
        path = Path(source)
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            raise ImageError(f"{name} does not exist: check the path") from None
        except IsADirectoryError:
            raise ImageError(f"{name} is a folder: name a picture inside it") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ImageError(f"{name} cannot be read ({reason}): check path and permissions") from error
        with stream, _open_header(stream, name) as image:
            yield image
    elif isinstance(source, bytes):
        with _open_header(BytesIO(source), name) as image:
            yield image
    else:
        with _open_header(source, name) as image:
            yield image


def _open_header(stream: BinaryIO, name: str) -> Image.Image:
    if not stream.seekable():
        stream = BytesIO(stream.read())
    start = stream.tell()
    if not stream.read(1):
        raise ImageError(f"{name} is empty: copy or export it again")
    stream.seek(start)
    # Pillow's own guard warns at 89 million pixels and raises at 179; ours answers for all sizes instead.
    with _opening:
        guard, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(stream)
        except UnidentifiedImageError:
            raise ImageError(f"{name} is not a picture that can be read: convert it to JPEG or PNG") from None
        except Exception as error:
            raise _damaged(name, error) from error
        finally:
            Image.MAX_IMAGE_PIXELS = guard


def _damaged(name: str, error: Exception) -> ImageError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ImageError(f"{name} is damaged or incomplete ({reason}): copy or export it again")


def _from_array(array: npt.NDArray[np.uint8], name: str) -> Image.Image:
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not shaped or array.dtype != np.uint8:
        wanted = "uint8 of H x W, H x W x 3 or H x W x 4"
        raise ImageError(f"{name} and type {array.dtype} is not a picture: give {wanted}")
    if array.size == 0:
        raise ImageError(f"{name} has no pixels: give at least one row and one column")
    return Image.fromarray(array)


def _to_rgb(image: Image.Image) -> RGB:
    if image.mode.startswith("I") or image.mode == "F":
        grey = _to_8_bit(np.asarray(image), 65535 if image.mode.startswith("I;16") else None)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return np.array(image.convert("RGB"))


def _to_8_bit(values: npt.NDArray[np.generic], full: int | None) -> RGB:
    """Scale numbers of more than 8 bits; where the format leaves open what is white, take 1, 255 or 65535."""
    numbers = np.nan_to_num(np.asarray(values, dtype=np.float64))
    if full is None:
        full = next((white for white in (1, 255) if numbers.max() <= white), 65535)
    return np.clip(np.rint(numbers * (255 / full)), 0, 255).astype(np.uint8)
