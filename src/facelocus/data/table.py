"""FaceTable: what every reader of labelled faces returns, and where its image files lie."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from facelocus.attributes import AttributeSet
from facelocus.errors import DataError, InputError

SPLITS = ("train", "validation", "test")


class ImageStore(Protocol):
    """Image files by name. Pickles small, so that a task for another process can carry its own images."""

    def read(self, name: str) -> bytes:
        """Return the bytes of one file; DataError where it cannot be read."""

    def only(self, names: Sequence[str]) -> ImageStore:
        """Return a store that needs to know no more than these names."""

    def stamps(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return one number per file that changes with its content, -1 where there is no such file.

        DataError where it cannot be looked whether there is one.
        """

    def where(self, name: str) -> str:
        """Return how a message names this file."""

    def close(self) -> None:
        """Release what reading has opened."""


@dataclass(frozen=True)
class ImageFolder:
    """Images as files below a folder, or anywhere by an absolute name; the stamp is the size in bytes."""

    folder: Path

    def read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise DataError(f"{self.where(name)} cannot be read ({error.strerror}); restore the file") from error

    def only(self, names: Sequence[str]) -> ImageFolder:
        return self

    def stamps(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        def size(name: str) -> int:
            try:
                return os.stat(os.path.join(self.folder, name)).st_size  # noqa: PTH116, PTH118 - a Path each costs twice
            except (FileNotFoundError, NotADirectoryError, ValueError):
                return -1
            except OSError as error:
                if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
                    return -1
                raise DataError(
                    f"{self.where(name)} cannot be looked at ({error.strerror}); change its permissions"
                ) from error

        sizes = {name: size(name) for name in dict.fromkeys(names)}
        return np.fromiter(map(sizes.__getitem__, names), dtype=np.int64, count=len(names))

    def where(self, name: str) -> str:
        return str(self.folder / name)

    def close(self) -> None:
        """A folder keeps nothing open."""


class ZipEntry(NamedTuple):
    """Where one member of a zip lies: position of its local header, bytes as stored, method, CRC-32."""

    offset: int
    size: int
    method: int
    crc: int


def file_path(name: str) -> str:
    """Return the path of a file in its one form: slashes, no `.` and no empty part, `..` only in front; "" stays."""
    return posixpath.normpath(name.replace("\\", "/")) if name else ""


def by_path(members: Iterable[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Return the files of a zip by their paths in it, however they are written there; none that leads out of it."""
    files = {}
    for info in members:
        path = file_path(info.filename).lstrip("/")
        is_folder = info.filename.endswith(("/", "\\"))
        if not is_folder and path.partition("/")[0] not in ("", ".", ".."):
            files[path] = info
    return files


class ImageZip:
    """Images as members of a zip archive, named from one folder of it; the stamp is the CRC-32.

    Reads members itself from their positions: opening a zipfile.ZipFile parses the whole directory,
    which for 200,000 members costs seconds and 200 MB in each process. One reader at a time.
    """

    def __init__(self, archive: Path, prefix: str, entries: Mapping[str, ZipEntry]) -> None:
        self.archive = archive
        self.prefix = prefix
        self.entries = entries
        self._file: BinaryIO | None = None

    @classmethod
    def below(cls, archive: Path, prefix: str, members: Mapping[str, zipfile.ZipInfo]) -> ImageZip:
        """Take the members, see by_path, to be named from the folder `prefix` ("" or ending in a slash)."""
        entries = {
            path: ZipEntry(info.header_offset, info.compress_size, info.compress_type, info.CRC)
            for path, info in members.items()
        }
        return cls(archive, prefix, entries)

    def _path(self, name: str) -> str:
        path = self.prefix + name
        return path if path in self.entries else file_path(posixpath.join(self.prefix, name))

    def read(self, name: str) -> bytes:
        entry = self.entries[self._path(name)]
        try:
            if self._file is None:
                self._file = self.archive.open("rb")
            self._file.seek(entry.offset)
            name_bytes, extra_bytes = struct.unpack("<26x2H", self._file.read(30))
            self._file.seek(name_bytes + extra_bytes, os.SEEK_CUR)
            stored = self._file.read(entry.size)
        except FileNotFoundError as error:
            raise InputError(f"{self.archive} does not exist any more; restore the file") from error
        except (OSError, struct.error) as error:
            raise DataError(f"{self.where(name)} cannot be read; restore the archive") from error
        if entry.method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(f"{self.where(name)} is compressed in an unusual way; zip it stored or deflated")
        try:
            content = zlib.decompress(stored, wbits=-15) if entry.method == zipfile.ZIP_DEFLATED else stored
        except zlib.error as error:
            raise DataError(f"{self.where(name)} is damaged; restore the archive") from error
        if zlib.crc32(content) != entry.crc:
            raise DataError(f"{self.where(name)} is damaged or encrypted; restore the archive")
        return content

    def only(self, names: Sequence[str]) -> ImageZip:
        return ImageZip(self.archive, self.prefix, {path: self.entries[path] for path in map(self._path, names)})

    def stamps(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        crcs = (self.entries[path].crc if path in self.entries else -1 for path in map(self._path, names))
        return np.fromiter(crcs, dtype=np.int64, count=len(names))

    def where(self, name: str) -> str:
        return f"{self.archive}/{self.prefix}{name}"

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def __reduce__(self) -> tuple[type[ImageZip], tuple[Path, str, Mapping[str, ZipEntry]]]:
        return ImageZip, (self.archive, self.prefix, self.entries)


@dataclass(frozen=True)
class FaceTable:
    """N labelled faces whose pictures are not decoded yet.

    Attributes:
        attributes: the A attributes of the columns of `labels`.
        images: where the files in `names` are read from.
        names: N file names; rows that name the same file share its picture.
        labels: int8, N x A: 1 yes, 0 no, -1 unknown.
        splits: int8, N: index into SPLITS.
        people: int32, N: who it is; None where nobody knows.
        aligned: whether the pictures are frames already, 218 x 178; elsewhere the face is looked for and aligned.
        description: one line saying what this is.
        listed_in: the file that lists the rows, as messages name it; None where they are listed nowhere.
        lines: int64, N: the line of each row in that file, counted from 1; None as above.
        unit: what `lines` counts: "line" of a text, "row" of a file without lines.

    Raises:
        ValueError: a shape, a dtype or a value is not as above.
    """

    attributes: AttributeSet
    images: ImageStore
    names: tuple[str, ...]
    labels: npt.NDArray[np.int8]
    splits: npt.NDArray[np.int8]
    people: npt.NDArray[np.int32] | None
    aligned: bool
    description: str
    listed_in: str | None = None
    lines: npt.NDArray[np.int64] | None = None
    unit: str = "line"

    def __post_init__(self) -> None:
        count = len(self.names)
        wanted: list[tuple[str, npt.NDArray[np.generic] | None, tuple[int, ...], type]] = [
            ("labels", self.labels, (count, len(self.attributes)), np.int8),
            ("splits", self.splits, (count,), np.int8),
            ("people", self.people, (count,), np.int32),
            ("lines", self.lines, (count,), np.int64),
        ]
        for field, array, shape, dtype in wanted:
            if array is not None and (array.shape != shape or array.dtype != dtype):
                raise ValueError(f"{field} must be {dtype.__name__} {shape}, not {array.dtype} {array.shape}")
        if count == 0:
            raise ValueError("there must be at least one name")
        if self.labels.min() < -1 or self.labels.max() > 1:
            raise ValueError("labels must be 1, 0 or -1")
        if self.splits.min() < 0 or self.splits.max() >= len(SPLITS):
            raise ValueError(f"splits must be 0 to {len(SPLITS) - 1}")

    def __len__(self) -> int:
        return len(self.names)

    def place(self, row: int) -> str:
        """Return how a message names a row: file and line, or the picture where rows are listed nowhere."""
        if self.listed_in is None or self.lines is None:
            return self.images.where(self.names[row])
        return f"{self.listed_in} {self.unit} {self.lines[row]}"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 in hex over everything but the descriptions; images count by their stamps."""
        digest = hashlib.sha256()
        for part in (
            json.dumps(self.attributes.to_json()).encode(),
            bytes([self.aligned]),
            "\n".join(self.names).encode("utf-8", "surrogatepass"),  # a name may hold bytes that are no text
            self.labels.tobytes(),
            self.splits.tobytes(),
            b"" if self.people is None else self.people.astype("<i4").tobytes(),
            self.images.stamps(self.names).astype("<i8").tobytes(),
        ):
            digest.update(len(part).to_bytes(8, "little") + part)
        return digest.hexdigest()
