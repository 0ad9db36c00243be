"""The file of decoded faces: M frames of 218 x 178 x 3, one .npy array on disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from facelocus.attributes import FRAME

FRAME_BYTES = FRAME[0] * FRAME[1] * FRAME[2]

# The most frames in one read: the system takes 1,024 buffers.
_RUN = 1024
_POSITIONED = hasattr(os, "preadv") and hasattr(os, "posix_fadvise")


class FrameFile:
    """Frames read by their number.

    Positioned reads, not a memory map: the disk is told all frames of a batch before the first is waited for. A map's
    page faults come one by one, and each has more read than the frame: ten times slower where the pages are not in
    memory. Without these calls (macOS, Windows) it is a memory map after all. Threads may share one.

    Raises:
        OSError, ValueError: `path` is not such a file of `count` frames, or is incomplete.
    """

    def __init__(self, path: Path, count: int) -> None:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"{path.name} is of version {version}, not (1, 0)")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
            if fortran or dtype != np.uint8 or shape != (count, *FRAME):
                raise ValueError(f"{path.name} is {dtype} {shape}, not uint8 {(count, *FRAME)}")
            self._offset = file.tell()
        missing = self._offset + count * FRAME_BYTES - path.stat().st_size
        if missing > 0:
            raise ValueError(f"{path.name} lacks {missing:,} bytes")
        self._path, self._count = path, count
        self._file: IO[bytes] | None = path.open("rb", buffering=0) if _POSITIONED else None

    def read(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return a new array, uint8, len(numbers) x 218 x 178 x 3; numbers may repeat and come in any order.

        Raises:
            IndexError: a number is not in 0 to M - 1.
            OSError: the file cannot be read.
        """
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < self._count:
            raise IndexError(f"frames {numbers.min()} to {numbers.max()}, there are {self._count}")
        if self._file is None:
            return np.asarray(np.memmap(self._path, np.uint8, "r", self._offset, (self._count, *FRAME))[numbers])
        distinct, first, which = np.unique(numbers, return_index=True, return_inverse=True)
        frames = np.empty((len(numbers), *FRAME), dtype=np.uint8)
        runs = list(_runs(distinct))
        descriptor = self._file.fileno()
        for start, stop in runs:
            at = self._offset + int(distinct[start]) * FRAME_BYTES
            os.posix_fadvise(descriptor, at, (stop - start) * FRAME_BYTES, os.POSIX_FADV_WILLNEED)
        for start, stop in runs:
            into = [memoryview(frames[row]).cast("B") for row in first[start:stop]]
            _fill(descriptor, into, self._offset + int(distinct[start]) * FRAME_BYTES)
        repeated = np.flatnonzero(first[which] != np.arange(len(numbers)))
        frames[repeated] = frames[first[which[repeated]]]
        return frames


def _runs(numbers: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of stretches of an ascending array in which each number follows the one before."""
    breaks = (np.flatnonzero(np.diff(numbers) != 1) + 1).tolist()
    for start, stop in zip([0, *breaks], [*breaks, len(numbers)], strict=True):
        for part in range(start, stop, _RUN):
            yield part, min(part + _RUN, stop)


def _fill(descriptor: int, buffers: list[memoryview], position: int) -> None:
    while buffers:
        count = os.preadv(descriptor, buffers, position)
        if count == 0:
            raise OSError(errno.EIO, "the file of faces has become shorter")
        position += count
        while buffers and count >= len(buffers[0]):  # a read may end early, within a buffer
            count -= len(buffers.pop(0))
        if buffers:
            buffers[0] = buffers[0][count:]


def create_frames(path: Path, count: int) -> None:
    """Make a file for `count` frames and take its space on the disk.

    Raises:
        OSError: not enough space (errno ENOSPC), or no permission.
    """
    with path.open("wb") as file:
        offset = _write_header(file, count)
        file.flush()
        _reserve(file.fileno(), offset + count * FRAME_BYTES)


def frames_begin(path: Path) -> int:
    """Return the position of frame 0 in a file of create_frames."""
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        return file.tell()


def close_gaps(path: Path, there: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Shorten a file of len(there) frames to the M that are there: the last ones move into the gaps.

    Done again after being stopped anywhere within, it leaves the same file.

    Returns:
        int64, len(there): the number each frame has now, -1 for one that was not there.
    """
    kept = int(there.sum())
    numbers = np.where(there, np.arange(len(there)), -1)
    gaps, last = np.flatnonzero(~there[:kept]), kept + np.flatnonzero(there[kept:])
    numbers[last] = gaps
    with path.open("r+b") as file:
        offset = _write_header(file, len(there))
        if os.fstat(file.fileno()).st_size == offset + len(there) * FRAME_BYTES:
            for gap, moved in zip(gaps.tolist(), last.tolist(), strict=True):
                file.seek(offset + moved * FRAME_BYTES)
                frame = file.read(FRAME_BYTES)
                file.seek(offset + gap * FRAME_BYTES)
                file.write(frame)
            file.flush()
            os.fsync(file.fileno())
            file.truncate(offset + kept * FRAME_BYTES)
        file.seek(0)
        _write_header(file, kept)
    return numbers


def _write_header(file: IO[bytes], count: int) -> int:
    """NumPy pads headers, so that every count leaves the frames at the same place."""
    np.lib.format.write_array_header_1_0(
        file,
        {"descr": "|u1", "fortran_order": False, "shape": (count, *FRAME)},
    )
    return file.tell()


def _reserve(descriptor: int, size: int) -> None:
    # Taking the space now finds a full disk before an hour of decoding; some file systems cannot.
    try:
        os.posix_fallocate(descriptor, 0, size)
    except AttributeError:
        os.ftruncate(descriptor, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise
        os.ftruncate(descriptor, size)
