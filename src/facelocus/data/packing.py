"""Making a Pack: resumable, by one process at a time, whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from facelocus.data.decode import NO_FACE, ON_DISK, FrameTask, write_frames
from facelocus.data.frames import FRAME_BYTES, close_gaps, create_frames, frames_begin
from facelocus.data.partial import alone, clear, partial
from facelocus.data.table import FaceTable
from facelocus.errors import DataError, StorageError
from facelocus.files import write_atomically
from facelocus.processes import in_processes
from facelocus.provenance import versions

FORMAT = 2

# Pictures a task; fewer photographs, each takes a hundred times as long.
_CHUNK = 64
_CHUNK_OF_PHOTOGRAPHS = 8

# Seconds between two records of what is on the disk: no more than this, and what it takes, is repeated after a kill.
_RECORD_EVERY = 2.0


def write_pack(table: FaceTable, folder: Path, workers: int) -> None:
    """Make the Pack `folder`, or wait for the process that is making it; go on where one was stopped.

    Raises:
        DataError: a picture is damaged, or there is a face in none.
        OSError, StorageError: it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        if not folder.exists():
            making = _Making.of(table, folder)
            making.decode(workers)
            making.finish()
            (making.part / "pack").replace(folder)
        clear(folder)


def pack_bytes(table: FaceTable) -> int:
    """Return the bytes on disk that a Pack of this table takes, rounded up for names and headers."""
    names = set(table.names)
    return len(names) * FRAME_BYTES + table.labels.nbytes + sum(map(len, names)) + 32 * len(table) + 65_536


@dataclass(frozen=True)
class _Making:
    """A Pack on its way.

    Attributes:
        table: what is packed, N rows.
        folder: the Pack.
        pictures: the M names in the table, each once.
        of_row: int64 N, the picture of each row.
        state: uint8 M, changed while decoding: 0 not decoded yet, ON_DISK or NO_FACE.
    """

    table: FaceTable
    folder: Path
    pictures: tuple[str, ...]
    of_row: npt.NDArray[np.int64]
    state: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, table: FaceTable, folder: Path) -> _Making:
        """Take up the partial folder where it is of this table; elsewhere throw it away and begin anew."""
        number = {name: i for i, name in enumerate(dict.fromkeys(table.names))}
        of_row = np.fromiter((number[name] for name in table.names), np.int64, len(table))
        pictures = table.names if len(number) == len(table) else tuple(number)
        making = cls(table, folder, pictures, of_row, np.zeros(len(pictures), dtype=np.uint8))
        source = json.dumps([FORMAT, table.fingerprint, versions("numpy", "pillow", "onnxruntime")])
        if not making._is_of(source):
            clear(folder)
            making._begin(source)
        with suppress(FileNotFoundError):
            making.state[:] = np.frombuffer((making.part / "progress").read_bytes(), dtype=np.uint8)
        return making

    @property
    def part(self) -> Path:
        return partial(self.folder)

    @property
    def faces(self) -> Path:
        return self.part / "pack" / "faces.npy"

    def _is_of(self, source: str) -> bool:
        try:
            return (self.part / "source").read_text(encoding="utf-8") == source
        except FileNotFoundError:
            return False

    def _begin(self, source: str) -> None:
        if shutil.disk_usage(self.folder.parent).free < pack_bytes(self.table):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.faces.parent.mkdir(parents=True)
        try:
            create_frames(self.faces, len(self.pictures))
            (self.part / "source").write_text(source, encoding="utf-8")
        except OSError:
            clear(self.folder)  # nothing is decoded, and it takes the space that is lacking
            raise

    def decode(self, workers: int) -> None:
        """Decode what is not on the disk yet; what is gets recorded every few seconds, and when stopped."""
        size = _CHUNK if self.table.aligned else _CHUNK_OF_PHOTOGRAPHS
        starts = [at for at in range(0, len(self.state), size) if not self.state[at : at + size].all()]
        offset = frames_begin(self.faces)
        tasks = (
            FrameTask(
                self.faces, offset + at * FRAME_BYTES, at, names, self.table.images.only(names), self.table.aligned
            )
            for at in starts
            for names in [self.pictures[at : at + size]]
        )
        done = len(self.state) - sum(len(self.state[at : at + size]) for at in starts)
        recording, recorded = None, time.monotonic()
        with (
            tqdm(total=len(self.state), initial=done, desc="packing", unit="image", disable=None) as progress,
            ThreadPoolExecutor(1) as recorder,  # the workers must not wait for the disk
        ):
            try:
                with closing(in_processes(write_frames, tasks, min(workers, max(1, len(starts))))) as written:
                    for at, states in written:
                        self.state[at : at + len(states)] = states
                        progress.update(len(states))
                        if time.monotonic() - recorded > _RECORD_EVERY and _is_over(recording):
                            recording, recorded = recorder.submit(self._record, self.state.copy()), time.monotonic()
            except BaseException:
                if recording is not None:
                    with suppress(OSError, StorageError):
                        recording.result()  # an older record must not come after the last
                with suppress(OSError, StorageError):
                    self._record(self.state)
                raise
        _is_over(recording)
        self._record(self.state)

    def _record(self, state: npt.NDArray[np.uint8]) -> None:
        with self.faces.open("r+b") as file:
            getattr(os, "fdatasync", os.fsync)(file.fileno())
            if hasattr(os, "posix_fadvise"):
                # Nobody reads these soon: without this the frames drive everything else out of memory, the pictures
                # that are still to be read among it, and taking new pages costs more than writing.
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        write_atomically(self.part / "progress", state.tobytes())

    def finish(self) -> None:
        """Leave out what has no face, write everything but the frames, wait until all of it is on the disk."""
        there = self.state == ON_DISK
        if not there.any():
            clear(self.folder)
            raise DataError(f"{self.table.description}: no face is found in any of them; check what they show")
        number = close_gaps(self.faces, there)
        frame_of = number[self.of_row]
        left_out = [self.pictures[i] for i in np.flatnonzero(self.state == NO_FACE)]
        kept: Any = frame_of >= 0 if left_out else slice(None)  # a slice is a view, not a copy
        description = self.table.description
        if left_out:
            description += f", {len(left_out):,} without a face left out"
            print(
                f"no face is found in {len(left_out):,} of {len(there):,} photographs; their rows are left out, "
                f"{self.folder / 'left_out.json'} names them",
                file=sys.stderr,
            )
        pack = self.part / "pack"
        np.save(pack / "frame_of.npy", frame_of[kept])
        np.save(pack / "labels.npy", self.table.labels[kept])
        np.save(pack / "splits.npy", self.table.splits[kept])
        if self.table.people is not None:
            np.save(pack / "people.npy", self.table.people[kept])
        _write_names(pack / "names.json", [self.pictures[i] for i in np.argsort(number)[len(left_out) :]])
        _write_names(pack / "left_out.json", left_out)
        about = {
            "format": FORMAT,
            "rows": len(frame_of[kept]),
            "frames": int(there.sum()),
            "people": self.table.people is not None,
            "description": description,
            "fingerprint": self.table.fingerprint,
            "attributes": self.table.attributes.to_json(),
            "made_by": versions("numpy", "pillow"),
        }
        (pack / "pack.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        for path in pack.iterdir():
            with path.open("r+b") as file:
                os.fsync(file.fileno())


def _is_over(recording: Future[None] | None) -> bool:
    """Whether no record is being written; one that failed raises what it failed with."""
    if recording is None:
        return True
    if recording.done():
        recording.result()
    return recording.done()


def _write_names(file: Path, names: Sequence[str]) -> None:
    # A piece at a time: the text of a million names is as large as they are.
    with file.open("w", encoding="utf-8") as out:
        out.write("[")
        for start in range(0, len(names), 10_000):
            out.write(", " * (start > 0) + json.dumps(names[start : start + 10_000])[1:-1])
        out.write("]\n")
