"""Pictures to frames: decoded, in photographs found and aligned, with all cores."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import struct
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelocus.attributes import FRAME
from facelocus.data.table import ImageStore
from facelocus.errors import DataError, FacelocusError, ImageError
from facelocus.images.align import align
from facelocus.images.read import read_reduced

if TYPE_CHECKING:
    from facelocus.detection.detect import Detector

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

#: The states of a picture after decoding.
ON_DISK, NO_FACE = 1, 2

#: How a refusal of one picture says what can be done about all of them.
ALL_OF_THEM = "`facelocus data check DATA` lists all"


def decode_frame(content: bytes, where: str) -> npt.NDArray[np.uint8]:
    """Decode one aligned face, whatever its format.

    Returns:
        uint8, 218 x 178 x 3, RGB.

    Raises:
        DataError: not an image, cut short, or of another size; the message begins with `where`.
    """
    rows, columns, _ = FRAME
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.size != (columns, rows):
                width, height = image.size
                raise DataError(
                    f"{where} is {width} x {height} pixels, an aligned face is {columns} x {rows}; {ALL_OF_THEM}"
                )
            return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise DataError(f"{where} is not an image or is damaged; {ALL_OF_THEM}") from error


def decode_photograph(content: bytes, where: str) -> npt.NDArray[np.uint8] | None:
    """Decode a photograph and align the face that its labels are about; None where no face is found.

    A picture of exactly the frame's size is taken as it is.

    Returns:
        uint8, 218 x 178 x 3, RGB.

    Raises:
        DataError: not an image, cut short or too large; the message begins with `where`.
    """
    from facelocus.detection.detect import READ_LONGEST
    from facelocus.detection.labelled import labelled_face

    try:
        photo, _ = read_reduced(_Named(content, where), READ_LONGEST)
    except ImageError as error:
        raise DataError(f"{error}; {ALL_OF_THEM}") from error
    if photo.shape == FRAME:
        return photo
    height, width = photo.shape[:2]
    face = labelled_face(_detector().detect(photo), width, height)
    return None if face is None else align(photo, face.landmarks)


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


def in_processes(
    function: Callable[[_Given], _Made], tasks: Iterator[_Given], workers: int
) -> Generator[_Made, None, None]:
    """Yield function(task) of every task in the order in which they end; one worker means this process.

    Raises:
        FacelocusError: a worker process was killed.
    """
    if workers == 1:
        yield from map(function, tasks)
        return
    # Spawned, because a fork of a process that has threads (torch, onnxruntime) can deadlock.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        # Few tasks ahead, so that memory does not grow with the number of images.
        waiting: set[Future[_Made]] = {pool.submit(function, task) for task in islice(tasks, 3 * workers)}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
            waiting |= {pool.submit(function, task) for task in islice(tasks, len(done))}
    except BrokenProcessPool as error:
        raise FacelocusError(
            "a decoding process was killed, often for lack of memory; try again with fewer workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start_worker() -> None:
    # Ctrl-C is the parent's to handle; a worker whose parent was killed must not wait for tasks for ever.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    # Having seen a large block freed, glibc keeps what smaller ones leave. It would return the memory of every picture
    # and ask for it again: a tenth of the time.
    np.empty(8_000_000, dtype=np.uint8)


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
