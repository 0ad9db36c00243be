"""A folder and a zip archive seen alike: which files there are, one file's bytes, the images below a folder."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from facelocus.data.table import FaceTable, ImageFolder, ImageStore, ImageZip, by_path
from facelocus.errors import DataError, InputError

#: Endings of files that are taken for pictures.
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")

_DEPTH = 4  # folders below the one named that are searched
# Of a disk, for its repair, into which only root may look; and what Windows leaves in folders of pictures.
_NOBODYS = ("lost+found", "thumbs.db", "desktop.ini")
_TRIED = 100  # names looked for until the folder they are relative to is found


class Tree(Protocol):
    """Files below one place; a file is named by its path from there, with slashes.

    Attributes:
        path: the place, as it was named.
        folders: folder ("" is the place itself) -> names of the files in it, sorted; hidden files left out.
    """

    @property
    def path(self) -> Path: ...

    @property
    def folders(self) -> Mapping[str, Sequence[str]]: ...

    def read(self, file: str) -> bytes:
        """Return the bytes of a file; InputError where it cannot be read."""

    def open(self, file: str) -> BinaryIO:
        """Open a file for reading; InputError where it cannot be read."""

    def where(self, file: str) -> str:
        """Return how a message names a file."""

    def images(self, folder: str) -> ImageStore:
        """Return the images named relative to a folder."""


class Reader(NamedTuple):
    """One layout: what it is known by, whether a tree has it, and the reading."""

    known_by: str
    recognises: Callable[[Tree], bool]
    read: Callable[[Tree], FaceTable]


@dataclass(frozen=True)
class FolderTree:
    """A folder on disk."""

    path: Path
    folders: Mapping[str, Sequence[str]]

    @classmethod
    def walk(cls, path: Path) -> FolderTree:
        """Look into a folder and the folders below it, four deep; links are followed, but for those that go round.

        Raises:
            InputError: a folder cannot be read.
        """
        folders: dict[str, Sequence[str]] = {}
        _look_into(path, "", (), folders)
        return cls(path, folders)

    @classmethod
    def of_file(cls, file: Path, *beside: str) -> FolderTree:
        """Look at one file and, where they exist, files of these names beside it."""
        there = [name for name in beside if (file.parent / name).is_file()]
        return cls(file.parent, {"": [file.name, *there]})

    def read(self, file: str) -> bytes:
        with self.open(file) as stream:
            return stream.read()

    def open(self, file: str) -> BinaryIO:
        try:
            return (self.path / file).open("rb")
        except OSError as error:
            raise InputError(f"{self.where(file)} cannot be read ({error.strerror}); restore the file") from error

    def where(self, file: str) -> str:
        return str(self.path / file)

    def images(self, folder: str) -> ImageFolder:
        return ImageFolder(self.path / folder)


@dataclass(frozen=True)
class ZipTree:
    """A zip archive, read where it lies."""

    path: Path
    folders: Mapping[str, Sequence[str]]
    members: Mapping[str, zipfile.ZipInfo]

    @classmethod
    def of(cls, path: Path) -> ZipTree:
        """Read the directory of an archive; DataError where it is no complete zip."""
        try:
            with zipfile.ZipFile(path) as archive:
                members = by_path(archive.infolist())
        except PermissionError as error:
            raise InputError(f"{path} cannot be read (no permission)") from error
        except (zipfile.BadZipFile, EOFError) as error:
            raise DataError(
                f"{path} is neither a folder nor a complete zip; restore it, or name another one"
            ) from error
        files: dict[str, list[str]] = {"": []}
        for member in members:
            folder, _, name = member.rpartition("/")
            if not any(map(_is_passed_over, member.split("/"))):
                files.setdefault(folder, []).append(name)
        return cls(path, {folder: sorted(files[folder]) for folder in sorted(files)}, members)

    def read(self, file: str) -> bytes:
        try:
            with zipfile.ZipFile(self.path) as archive:
                return archive.read(self.members[file])
        except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
            raise DataError(f"{self.where(file)} is damaged or encrypted; restore the archive") from error

    def open(self, file: str) -> BinaryIO:
        return BytesIO(self.read(file))

    def where(self, file: str) -> str:
        return f"{self.path}/{file}"

    def images(self, folder: str) -> ImageZip:
        return ImageZip.below(self.path, f"{folder}/" if folder else "", self.members)


def _look_into(top: Path, below: str, above: tuple[Path, ...], folders: dict[str, Sequence[str]]) -> None:
    """Add the folder `below` and those in it to `folders`; `above` are the real paths of those that it lies in."""
    folder = top / below
    real = folder.resolve()
    if any(one.is_relative_to(real) for one in above):  # a link that goes round
        return
    inner: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _is_passed_over(entry.name):
                    continue
                is_folder = Path(entry).is_dir() if entry.is_symlink() else entry.is_dir()
                (inner if is_folder else files).append(entry.name)
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); change its permissions") from error
    folders[below] = sorted(files)
    if below.count("/") + bool(below) < _DEPTH:
        for name in sorted(inner):
            _look_into(top, join(below, name), (*above, real), folders)


def _is_passed_over(name: str) -> bool:
    """Whether a file or folder of this name is hidden or the system's own."""
    return name.startswith((".", "__MACOSX")) or name.lower() in _NOBODYS


def named(tree: Tree, name: str) -> list[str]:
    """Return every file of this name, whatever its folder."""
    return [join(folder, name) for folder, files in tree.folders.items() if name in files]


def only_file(tree: Tree, name: str, what: str) -> str:
    """Return the one file of this name; DataError where there is none or a second one, so that nothing is guessed."""
    files = named(tree, name)
    if not files:
        raise DataError(f"{tree.path} is not {what}: it has no {name}; name the folder or zip that holds it")
    if len(files) > 1:
        raise DataError(f"{tree.path} has two lists {tree.where(files[0])} and {tree.where(files[1])}; name one folder")
    return files[0]


def folder_of(tree: Tree, names: Iterable[str]) -> str | None:
    """Return the first folder that one of the first names is a path from; None where there is none."""
    for _, name in zip(range(_TRIED), names, strict=False):
        for file in named(tree, name.rpartition("/")[2]):
            if file == name or file.endswith(f"/{name}"):
                return file[: -len(name)].rstrip("/")
    return None


def join(folder: str, name: str) -> str:
    """Return the path of a file or folder in a folder of a tree."""
    return f"{folder}/{name}" if folder else name
