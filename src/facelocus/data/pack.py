"""Pack: every face decoded once, in plain files on disk.

    PACK/faces.npy      uint8 M x 218 x 178 x 3, RGB: the frames
    PACK/names.json     M file names: of the frames; NAME#3 is a distorted copy of NAME
    PACK/frame_of.npy   int64 N: the frame of each row; rows may share one
    PACK/labels.npy     int8 N x A: 1 yes, 0 no, -1 unknown
    PACK/splits.npy     int8 N: index into SPLITS
    PACK/people.npy     int32 N, only where people are known
    PACK/left_out.json  file names of photographs in which no face is found: they have no rows
    PACK/pack.json      format, attributes, fingerprint of the source, description

Anything that reads .npy reads a Pack.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.attributes import AttributeSet
from facelocus.data.frames import FrameFile
from facelocus.data.packing import FORMAT, pack_bytes, write_pack
from facelocus.data.partial import clear_abandoned, is_begun
from facelocus.data.readers import read_table
from facelocus.data.table import SPLITS, FaceTable
from facelocus.errors import DataError, InputError, StorageError, UsageError
from facelocus.processes import cores


@dataclass(frozen=True)
class Pack:
    """N rows of decoded faces, opened from a folder.

    The order of rows is that of the FaceTable it was built from, without the rows in whose photograph no face is found.
    Pickled, it is its folder: of what was replaced in it another process knows nothing.

    Attributes:
        folder: where it lies.
        labels: int8, N x A: 1 yes, 0 no, -1 unknown.
        splits: int8, N: index into SPLITS.
        people: int32, N, or None where people are not known.
        names: N file names.
        attributes: the A attributes of the columns of `labels`.
        fingerprint: the fingerprint of the FaceTable.
        description: the description of the FaceTable, and how many photographs were left out.
    """

    folder: Path
    labels: npt.NDArray[np.int8]
    splits: npt.NDArray[np.int8]
    people: npt.NDArray[np.int32] | None
    names: tuple[str, ...]
    attributes: AttributeSet
    fingerprint: str
    description: str
    _frame_of: npt.NDArray[np.int64]
    _frames: FrameFile

    def __len__(self) -> int:
        return len(self.names)

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        # Another process opens it again, with files of its own.
        return Pack.open, (self.folder,)

    def frames(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return the faces of rows, in their order: a new array, uint8, len(rows) x 218 x 178 x 3, RGB.

        Raises:
            DataError: the file cannot be read any more.
        """
        try:
            return self._frames.read(self._frame_of[rows])
        except OSError as error:
            reason = error.strerror or error
            raise DataError(f"{self.folder} cannot be read ({reason}); delete the folder and pack again") from error

    def rows(self, split: str, exclude: Collection[str] = ()) -> npt.NDArray[np.int64]:
        """Return the row numbers of one split, ascending, int64, without the file names in `exclude` and their copies.

        Names that are not in the Pack are ignored. Raises UsageError for a split not in SPLITS.
        """
        if split not in SPLITS:
            raise UsageError(f"split {split!r} is not known; choose one of {', '.join(SPLITS)}")
        rows = np.flatnonzero(self.splits == SPLITS.index(split))
        left_out = frozenset(exclude)
        if left_out:
            rows = rows[[left_out.isdisjoint((self.names[row], copied(self.names[row]))) for row in rows]]
        return rows.astype(np.int64, copy=False)

    @classmethod
    def open(cls, folder: Path) -> Pack:
        """Open a Pack without reading its faces.

        Raises:
            InputError: there is no such folder.
            DataError: it is no Pack, a Pack of another format, or one that is incomplete.
        """
        if not folder.exists():
            raise InputError(f"{folder} does not exist; name a Pack's folder")
        if not is_pack(folder):
            raise DataError(f"{folder} is not a Pack (it has no pack.json); name a Pack's folder")
        try:
            about = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
            if about["format"] != FORMAT:
                raise DataError(
                    f"{folder} is a Pack of format {about['format']}, this version reads format {FORMAT}; "
                    "delete the folder and pack again"
                )
            attributes = AttributeSet.from_json(about["attributes"])
            rows, count = about["rows"], about["frames"]
            names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
            if len(names) != count:
                raise ValueError(f"names.json holds {len(names)} names, not {count}")
            frame_of = _load(folder / "frame_of.npy", (rows,), np.int64)
            if not 0 <= frame_of.min() <= frame_of.max() < count:
                raise ValueError(f"frame_of.npy is of other than {count} frames")
            people = folder / "people.npy"
            return cls(
                folder=folder,
                labels=_load(folder / "labels.npy", (rows, len(attributes)), np.int8),
                splits=_load(folder / "splits.npy", (rows,), np.int8),
                people=_load(people, (rows,), np.int32) if about["people"] else None,
                names=tuple(names[frame] for frame in frame_of),
                attributes=attributes,
                fingerprint=about["fingerprint"],
                description=about["description"],
                _frame_of=frame_of,
                _frames=FrameFile(folder / "faces.npy", count),
            )
        except (OSError, KeyError, TypeError, ValueError, EOFError) as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise DataError(f"{folder} is an incomplete Pack ({reason}); delete the folder and pack again") from error

    @classmethod
    def build(cls, table: FaceTable, folder: Path, workers: int | None = None) -> Pack:
        """Decode all pictures of `table` into `folder` and open it; a complete Pack of this source is reused.

        Where the table is not aligned, the face of each photograph is found and aligned; photographs without one are
        left out. A packing that was stopped goes on where it was; a second process waits for the first. Memory does
        not grow with the number of pictures.

        `workers` is the number of decoding processes, by default one for each core. They are spawned, so a
        script that calls this needs the usual `if __name__ == "__main__":`.

        Raises:
            DataError: a picture is damaged or, in an aligned table, not of the frame's size; no photograph shows a
                face; or `folder` holds something else.
            StorageError: not enough space, or no permission.
        """
        folder = folder.absolute()  # what lies beside it while it is made is named after it, and `.` has no name
        try:
            if not folder.exists() or is_begun(folder):
                write_pack(table, folder, workers or cores())
        except OSError as error:
            raise _storage_error(error, folder, pack_bytes(table)) from error
        if not is_pack(folder):
            raise DataError(f"{folder} exists and is not a Pack; name a folder that does not exist yet")
        pack = cls.open(folder)
        if pack.fingerprint != table.fingerprint:
            raise DataError(
                f"{folder} is a Pack of another or a changed source ({pack.description}); "
                "delete the folder or name another one"
            )
        return pack


def open_pack(data: Path, packs: Path | None = None) -> Pack:
    """Open the faces in `data`: a Pack, or labelled faces that are packed first where that is not done yet.

    Args:
        data: a Pack's folder, or what read_table takes.
        packs: the folder of Packs made on the way, each named by its source's fingerprint; by default
            `packs` below $FACELOCUS_CACHE, or below facelocus in the user's cache folder. What stopped packings of
            other sources left there is removed.

    Raises:
        InputError, DataError: `data` cannot be used.
        StorageError: the Pack cannot be written.
    """
    if is_pack(data):
        return Pack.open(data)
    table = read_table(data)
    target = (packs or _cache_folder() / "packs") / table.fingerprint[:16]
    if not target.exists():
        gigabytes = pack_bytes(table) / 1e9
        clear_abandoned(target)
        print(f"packing {table.description} into {target} ({gigabytes:.1f} GB, once)", file=sys.stderr)
    return Pack.build(table, target)


def copy_name(name: str, number: int) -> str:
    """Return what a distorted copy of a face is called, the first being 1; 0 is the face itself."""
    return f"{name}#{number}" if number else name


def copied(name: str) -> str:
    """Return the name of the face that a distorted copy is of; a face itself keeps its own."""
    face, _, number = name.rpartition("#")
    return face if face and number.isdecimal() else name


def is_pack(folder: Path) -> bool:
    """Whether a folder says that it is a Pack."""
    return (folder / "pack.json").is_file()


def _load(file: Path, shape: tuple[int, ...], dtype: type) -> Any:
    array = np.load(file, allow_pickle=False)
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{file.name} is {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}")
    return array


def _storage_error(error: OSError, folder: Path, need: int) -> StorageError:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        reason = error.strerror or error
        return StorageError(f"{folder} cannot be written ({reason}); name a folder you may write to")
    free = shutil.disk_usage(next(parent for parent in folder.parents if parent.exists())).free
    return StorageError(
        f"{folder} needs {need:,} bytes and {free:,} are free; "
        "make room, or set FACELOCUS_CACHE to a folder on a larger disk"
    )


def _cache_folder() -> Path:
    own = os.environ.get("FACELOCUS_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "facelocus"
