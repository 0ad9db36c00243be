"""Pack: every face decoded once, as one memory-mapped array on disk.

    PACK/faces.npy    uint8 N x 218 x 178 x 3, RGB
    PACK/labels.npy   int8 N x A: 1 yes, 0 no, -1 unknown
    PACK/splits.npy   int8 N: index into SPLITS
    PACK/people.npy   int32 N, only where people are known
    PACK/names.json   N file names
    PACK/pack.json    format, attributes, fingerprint of the source, description

Plain NumPy files: anything that reads .npy reads a Pack.
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

from facelocus.attributes import FRAME, AttributeSet
from facelocus.data.celeba import read_celeba
from facelocus.data.decode import FRAME_BYTES, decode_into
from facelocus.data.table import SPLITS, FaceTable
from facelocus.errors import DataError, InputError, StorageError, UsageError
from facelocus.provenance import versions

FORMAT = 1


@dataclass(frozen=True)
class Pack:
    """N decoded faces, opened from a folder; the order of rows is that of the FaceTable it was built from.

    Attributes:
        folder: where it lies.
        faces: uint8, N x 218 x 178 x 3, RGB, memory-mapped read-only.
        labels: int8, N x A: 1 yes, 0 no, -1 unknown.
        splits: int8, N: index into SPLITS.
        people: int32, N, or None where people are not known.
        names: N file names.
        attributes: the A attributes of the columns of `labels`.
        fingerprint: the fingerprint of the FaceTable.
        description: the description of the FaceTable.
    """

    folder: Path
    faces: np.memmap[Any, np.dtype[np.uint8]]
    labels: npt.NDArray[np.int8]
    splits: npt.NDArray[np.int8]
    people: npt.NDArray[np.int32] | None
    names: tuple[str, ...]
    attributes: AttributeSet
    fingerprint: str
    description: str

    def __len__(self) -> int:
        return len(self.names)

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        # Another process opens it again; pickling the array would copy all faces.
        return Pack.open, (self.folder,)

    def rows(self, split: str, exclude: Collection[str] = ()) -> npt.NDArray[np.int64]:
        """Return the row numbers of one split, ascending, int64, without the file names in `exclude`.

        Names that are not in the Pack are ignored. Raises UsageError for a split not in SPLITS.
        """
        if split not in SPLITS:
            raise UsageError(f"split {split!r} is not known; choose one of {', '.join(SPLITS)}")
        rows = np.flatnonzero(self.splits == SPLITS.index(split))
        left_out = frozenset(exclude)
        if left_out:
            rows = rows[[self.names[row] not in left_out for row in rows]]
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
            names = tuple(json.loads((folder / "names.json").read_text(encoding="utf-8")))
            count = about["images"]
            if len(names) != count:
                raise ValueError(f"names.json holds {len(names)} names, not {count}")
            people = folder / "people.npy"
            return cls(
                folder=folder,
                faces=_load(folder / "faces.npy", (count, *FRAME), np.uint8, "r"),
                labels=_load(folder / "labels.npy", (count, len(attributes)), np.int8),
                splits=_load(folder / "splits.npy", (count,), np.int8),
                people=_load(people, (count,), np.int32) if about["people"] else None,
                names=names,
                attributes=attributes,
                fingerprint=about["fingerprint"],
                description=about["description"],
            )
        except (OSError, KeyError, TypeError, ValueError, EOFError) as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise DataError(f"{folder} is an incomplete Pack ({reason}); delete the folder and pack again") from error

    @classmethod
    def build(cls, table: FaceTable, folder: Path, workers: int | None = None) -> Pack:
        """Decode all faces of `table` into `folder` and open it; a complete Pack of this source is reused.

        `workers` is the number of decoding processes, by default one for each core. They are spawned, so a
        script that calls this needs the usual `if __name__ == "__main__":`. Memory does not grow with N.

        Raises:
            DataError: an image is damaged or not of the frame's size, or `folder` holds something else.
            StorageError: not enough space, or no permission. Nothing is left behind, as after Ctrl-C.
        """
        if folder.exists():
            if not is_pack(folder):
                raise DataError(f"{folder} exists and is not a Pack; name a folder that does not exist yet")
            pack = cls.open(folder)
            if pack.fingerprint != table.fingerprint:
                raise DataError(
                    f"{folder} is a Pack of another or a changed source ({pack.description}); "
                    "delete the folder or name another one"
                )
            return pack
        part = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
        need = pack_bytes(table)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(folder.parent).free < need:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            part.mkdir()
            _write(table, part, workers or _cores())
            part.replace(folder)
        except OSError as error:
            raise _storage_error(error, folder, need) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return cls.open(folder)


def open_pack(data: Path, packs: Path | None = None) -> Pack:
    """Open the faces in `data`: a Pack, or labelled faces that are packed first where that is not done yet.

    Args:
        data: a Pack's folder, or CelebA as a folder or a zip.
        packs: the folder of Packs made on the way, each named by its source's fingerprint; by default
            `packs` below $FACELOCUS_CACHE, or below facelocus in the user's cache folder.

    Raises:
        InputError, DataError: `data` cannot be used.
        StorageError: the Pack cannot be written.
    """
    if is_pack(data):
        return Pack.open(data)
    table = read_celeba(data)
    target = (packs or _cache_folder() / "packs") / table.fingerprint[:16]
    if not target.exists():
        gigabytes = pack_bytes(table) / 1e9
        print(f"packing {table.description} into {target} ({gigabytes:.1f} GB, once)", file=sys.stderr)
    return Pack.build(table, target)


def is_pack(folder: Path) -> bool:
    """Whether a folder says that it is a Pack."""
    return (folder / "pack.json").is_file()


def pack_bytes(table: FaceTable) -> int:
    """Return the bytes on disk that a Pack of this table takes, rounded up for names and headers."""
    besides = sum(map(len, table.names)) + 32 * len(table) + 65_536
    return len(table) * FRAME_BYTES + table.labels.nbytes + besides


def _load(file: Path, shape: tuple[int, ...], dtype: type, mode: Any = None) -> Any:
    array = np.load(file, mmap_mode=mode, allow_pickle=False)
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{file.name} is {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}")
    return array


def _write(table: FaceTable, folder: Path, workers: int) -> None:
    faces = folder / "faces.npy"
    with faces.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(table), *FRAME)}
        np.lib.format.write_array_header_1_0(file, header)
        offset = file.tell()
        _reserve(file.fileno(), offset + len(table) * FRAME_BYTES)
        file.flush()
    decode_into(faces, offset, table, workers)
    np.save(folder / "labels.npy", table.labels)
    np.save(folder / "splits.npy", table.splits)
    if table.people is not None:
        np.save(folder / "people.npy", table.people)
    (folder / "names.json").write_text(json.dumps(table.names), encoding="utf-8")
    about = {
        "format": FORMAT,
        "images": len(table),
        "people": table.people is not None,
        "description": table.description,
        "fingerprint": table.fingerprint,
        "attributes": table.attributes.to_json(),
        "made_by": versions("numpy", "pillow"),
    }
    (folder / "pack.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    with faces.open("r+b") as file:
        os.fsync(file.fileno())


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


def _storage_error(error: OSError, folder: Path, need: int) -> StorageError:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        reason = error.strerror or error
        return StorageError(f"{folder} cannot be written ({reason}); name a folder you may write to")
    free = shutil.disk_usage(next(parent for parent in folder.parents if parent.exists())).free
    return StorageError(
        f"{folder} needs {need:,} bytes and {free:,} are free; "
        "make room, or set FACELOCUS_CACHE to a folder on a larger disk"
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cache_folder() -> Path:
    own = os.environ.get("FACELOCUS_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "facelocus"
