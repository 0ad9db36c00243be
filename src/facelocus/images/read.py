"""Any picture -> uint8 RGB, upright, in bounded memory and time.

What cannot be read is refused with one line (ImageError) that names the file and the mend.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError, features

from facelocus.errors import FacelocusError, ImageError, one_line
from facelocus.images.bounds import MAX_FILE, MAX_PIXELS, check_cost, check_size
from facelocus.images.pixels import orientation, upright_rgb

RGB = npt.NDArray[np.uint8]
Source = Path | str | bytes | BinaryIO | Image.Image | npt.NDArray[np.uint8]

# What Pillow reads of the formats that hold photographs. It knows more: one runs another program (EPS, Ghostscript),
# and some take any file for theirs.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "PPM", "WEBP", "TIFF", "JPEG2000")

# Brands, the first thing in such a file. MIF1 alone says only that it is one of the two.
_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}

_opening = threading.Lock()

# Pillow remarks on oddities in files; what matters of them is in the result or the refusal. Whatever filters a program
# has of its own come first: Pillow's guard against pictures that are bombs is one.
warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif\.", append=True)
logging.getLogger("PIL").addHandler(logging.NullHandler())


def read_image(source: Source, *, max_pixels: int = MAX_PIXELS) -> RGB:
    """Return a picture as uint8, H x W x 3, RGB, turned upright by its EXIF orientation.

    Alpha is laid on white, 16 bit is scaled to 8, of an animation the first frame is taken. An array
    must be uint8: H x W (grey), H x W x 3 (RGB) or H x W x 4 (RGBA).

    Raises:
        ImageError: the source is missing, empty, damaged, not a picture, without pixels, over max_pixels, or would
            take more memory or time than images/bounds.py allows; or it is HEIC and the extra is not installed.
    """
    return read_reduced(source, None, max_pixels=max_pixels)[0]


def read_reduced(source: Source, longest: int | None, *, max_pixels: int = MAX_PIXELS) -> tuple[RGB, int]:
    """Read like read_image, but decode a JPEG much larger than needed at 1/2, 1/4 or 1/8: 3x faster at 12 MP.

    The longer side keeps at least `longest` pixels. Returns the picture and the factor f of the reduction:
    its point (x, y) is (f x, f y) in the photograph.
    """
    name = source_name(source)
    with _opened(source, name) as image, _refusing(name):
        check_size(image, name, max_pixels)
        width, height = image.size
        # Of others a draft is something else: HEIC's is the embedded thumbnail, of any size.
        drafts = image is not source and image.format in ("JPEG", "MPO")
        if drafts and longest is not None and max(width, height) > longest:
            shrink = longest / max(width, height)
            image.draft(None, (max(1, int(width * shrink)), max(1, int(height * shrink))))
        check_cost(image, name, (width, height))
        factor = round(max(width, height) / max(image.size))
        image.load()
        return upright_rgb(image, orientation(image)), factor


def source_name(source: object) -> str:
    """What to call a source in a message, in one line: its path or name, or what kind of thing it is."""
    if isinstance(source, (str, Path)):
        return one_line(str(source))
    if isinstance(source, bytes):
        return f"the picture of {len(source)} bytes"
    if isinstance(source, np.ndarray):
        return f"the array of shape {source.shape}"
    name = getattr(source, "name", None) or getattr(source, "filename", None)
    return one_line(str(name)) if name else f"the {type(source).__name__}"


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
            reason = getattr(error, "strerror", None) or one_line(str(error))
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
    with _refusing(name):
        if not stream.seekable():
            stream = BytesIO(stream.read(MAX_FILE + 1))
        size = stream.seek(0, SEEK_END)
        stream.seek(0)
        if size == 0:
            raise ImageError(f"{name} is empty: copy or export it again")
        if size > MAX_FILE:
            raise ImageError(f"{name} is larger than {MAX_FILE / 1e9:.0f} GB: make it smaller first")
        head = stream.read(64)
        stream.seek(0)
        if head[4:8] == b"ftyp":
            brands = {head[i : i + 4] for i in (8, *range(16, min(len(head), int.from_bytes(head[:4], "big")), 4))}
            if brands & _AVIF:
                return _open_avif(stream, name)
            if brands & _HEIC:
                return _open_heic(stream, name)
        return _open_known(stream, name, _FORMATS)


def _open_known(stream: BinaryIO, name: str, formats: tuple[str, ...]) -> Image.Image:
    # Pillow's own guard warns at 89 million pixels and raises at 179; ours answers for all sizes instead. Twice as
    # much it must refuse: WebP takes memory for its canvas when it is opened.
    with _opening:
        Image.preinit()  # the first five: the others are imported when one is met
        guard, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MAX_PIXELS
        try:
            return Image.open(stream, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = guard


def _open_avif(stream: BinaryIO, name: str) -> Image.Image:
    if "avif" not in features.modules or not features.check("avif"):
        raise ImageError(f"{name} is AVIF, which this Pillow cannot read: pip install --upgrade pillow")
    return _open_known(stream, name, ("AVIF",))


def _open_heic(stream: BinaryIO, name: str) -> Image.Image:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise ImageError(f"{name} is HEIC: pip install 'facelocus[heic]', or convert it to JPEG") from error
    opened: Image.Image = HeifImageFile(stream)  # type: ignore[no-untyped-call]
    return opened


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Turn what is raised inside into an ImageError: decoders raise whatever their parsing trips over."""
    try:
        yield
    except FacelocusError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{name} is not a picture that can be read: convert it to JPEG or PNG") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(f"{name} has more than the limit of {MAX_PIXELS:,} pixels: make it smaller first") from None
    except MemoryError:
        raise ImageError(f"{name} needs more memory than there is: make it smaller first") from None
    except Exception as error:
        reason = one_line(" ".join(str(error).split()))[:200] or type(error).__name__
        raise ImageError(f"{name} is damaged or incomplete ({reason}): copy or export it again") from error


def _from_array(array: npt.NDArray[np.uint8], name: str) -> Image.Image:
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not shaped or array.dtype != np.uint8:
        wanted = "uint8 of H x W, H x W x 3 or H x W x 4"
        raise ImageError(f"{name} and type {array.dtype} is not a picture: give {wanted}")
    if array.size == 0:
        raise ImageError(f"{name} has no pixels: give at least one row and one column")
    return Image.fromarray(array)
