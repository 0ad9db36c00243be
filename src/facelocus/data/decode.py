"""Decode the images of a FaceTable into one file of raw frames, with all cores."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import struct
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from facelocus.attributes import FRAME
from facelocus.data.table import FaceTable, ImageStore
from facelocus.errors import DataError, FacelocusError

FRAME_BYTES = FRAME[0] * FRAME[1] * FRAME[2]
_CHUNK = 64  # images a task: 7.4 MB of frames in a worker


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
                    f"{where} is {width} x {height} pixels, an aligned face is {columns} x {rows}; "
                    "use the aligned and cropped images"
                )
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise DataError(f"{where} is not an image or is damaged; restore the file") from error


def decode_into(file: Path, offset: int, table: FaceTable, workers: int) -> None:
    """Write the frame of face i at `offset` + i x FRAME_BYTES of an existing file, with a progress bar.

    Raises:
        DataError: an image cannot be used.
        OSError: the file cannot be written.
        FacelocusError: a worker process was killed.
    """
    tasks = (
        (file, offset + start * FRAME_BYTES, table.images.only(names), names)
        for start in range(0, len(table), _CHUNK)
        for names in [table.names[start : start + _CHUNK]]
    )
    workers = min(workers, -(-len(table) // _CHUNK))
    with tqdm(total=len(table), desc="packing", unit="image", disable=None) as progress:
        counts = _in_processes(tasks, workers) if workers > 1 else (_decode_chunk(task) for task in tasks)
        with closing(counts):
            for count in counts:
                progress.update(count)


_Task = tuple[Path, int, ImageStore, tuple[str, ...]]


def _decode_chunk(task: _Task) -> int:
    # Written, not mapped: a full disk is then an OSError, not a SIGBUS, and no page stays with the process.
    file, offset, images, names = task
    frames = np.empty((len(names), *FRAME), dtype=np.uint8)
    with closing(images):
        for frame, name in zip(frames, names, strict=True):
            frame[:] = decode_frame(images.read(name), images.where(name))
    with file.open("r+b") as out:
        out.seek(offset)
        out.write(frames.data)
    return len(names)


def _in_processes(tasks: Iterator[_Task], workers: int) -> Generator[int, None, None]:
    # Spawned, because a fork of a process that has threads (torch, onnxruntime) can deadlock.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        # Few tasks ahead, so that memory does not grow with the number of images.
        waiting: set[Future[int]] = {pool.submit(_decode_chunk, task) for task in islice(tasks, 3 * workers)}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
            waiting |= {pool.submit(_decode_chunk, task) for task in islice(tasks, len(done))}
    except BrokenProcessPool as error:
        raise FacelocusError(
            "a decoding process was killed, often for lack of memory; try again with fewer workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    # Ctrl-C is the parent's to handle; a worker whose parent was killed must not wait for tasks for ever.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
