"""What the picture files of a FaceTable hold, learnt by decoding every one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from facelocus.data.table import FaceTable, ImageStore
from facelocus.errors import DataError, ImageError
from facelocus.images.read import read_image, source_name
from facelocus.processes import in_processes

_CHUNK = 64  # pictures a task
_DIGEST = 32  # bytes of a SHA-256


@dataclass(frozen=True)
class Pictures:
    """The P distinct picture files of a table of N rows.

    Attributes:
        names: P file names, in the order of their first rows.
        of_row: int64, N: the index into `names` of each row's picture.
        sizes: int32, P x 2: width and height in pixels, upright; 0 x 0 where there is no usable picture.
        digests: uint8, P x 32: SHA-256 of size and RGB pixels, the same whatever the file format.
        broken: why a picture that exists cannot be decoded, by its index into `names`.
    """

    names: tuple[str, ...]
    of_row: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int32]
    digests: npt.NDArray[np.uint8]
    broken: dict[int, str]

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Which pictures were decoded: bool, P."""
        return self.sizes[:, 0] > 0

    @property
    def content(self) -> npt.NDArray[np.int64]:
        """A number for each picture that is the same where the pixels are, int64, P; -1 where not usable."""
        whole = self.digests.view(f"V{_DIGEST}")[:, 0]
        numbers = np.unique(whole, return_inverse=True)[1].astype(np.int64, copy=False)
        return np.where(self.usable, numbers, -1)


def read_pictures(table: FaceTable, workers: int) -> Pictures:
    """Decode every picture of `table` once, with a progress bar; memory does not grow with their pixels.

    Raises:
        InputError: the archive has gone.
        WorkerError: a worker process was killed.
    """
    index: dict[str, int] = {}
    of_row = np.fromiter((index.setdefault(name, len(index)) for name in table.names), np.int64, len(table))
    names = tuple(index)
    there = np.flatnonzero(table.images.stamps(names) >= 0)
    sizes = np.zeros((len(names), 2), dtype=np.int32)
    digests = np.zeros((len(names), _DIGEST), dtype=np.uint8)
    broken: dict[int, str] = {}
    workers = max(1, min(workers, -(-there.size // _CHUNK)))
    with (
        tqdm(total=there.size, desc="checking", unit="picture", disable=None) as progress,
        closing(in_processes(_read_chunk, _tasks(table.images, names, there), workers)) as chunks,
    ):
        for chunk in chunks:
            for picture, size, digest, reason in chunk:
                if reason is None:
                    sizes[picture] = size
                    digests[picture] = np.frombuffer(digest, dtype=np.uint8)
                else:
                    broken[picture] = reason
            progress.update(len(chunk))
    return Pictures(names, of_row, sizes, digests, dict(sorted(broken.items())))


_Task = tuple[ImageStore, list[tuple[int, str]]]
_Read = tuple[int, tuple[int, int], bytes, str | None]


def _tasks(images: ImageStore, names: tuple[str, ...], there: npt.NDArray[np.int64]) -> Iterator[_Task]:
    for start in range(0, there.size, _CHUNK):
        pictures = [(picture, names[picture]) for picture in there[start : start + _CHUNK].tolist()]
        yield images.only([name for _, name in pictures]), pictures


def _read_chunk(task: _Task) -> list[_Read]:
    images, pictures = task
    with closing(images):
        return [_read(images, picture, name) for picture, name in pictures]


def _read(images: ImageStore, picture: int, name: str) -> _Read:
    try:
        content = images.read(name)
    except DataError as error:
        return picture, (0, 0), b"", str(error).removeprefix(f"{images.where(name)} ")
    try:
        pixels = read_image(content)
    except ImageError as error:
        return picture, (0, 0), b"", str(error).removeprefix(f"{source_name(content)} ")
    height, width, _ = pixels.shape
    digest = hashlib.sha256(f"{width} x {height} ".encode())
    digest.update(pixels.data)
    return picture, (width, height), digest.digest(), None
