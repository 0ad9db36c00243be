"""A folder, or an address that fsspec knows: where partitions lie, and where photographs may."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from facelocus.errors import ImageError, InputError, MissingExtraError, StorageError, UsageError, first_line
from facelocus.files import write_atomically
from facelocus.images.bounds import MAX_FILE
from facelocus.photos.listing import is_picture

_MARK = "://"


def is_address(argument: str) -> bool:
    """Whether it is PROTOCOL://..., no path of this machine."""
    return _MARK in argument


class Place:
    """A folder at an address.

    Args:
        address: PROTOCOL://PATH, or a path of this machine.

    Raises:
        UsageError: there is no such protocol.
        MissingExtraError: its driver is not installed.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._files, root = _opened(address)
        self._root = root.rstrip("/")
        self._local = isinstance(self._files, LocalFileSystem)

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where there is no such file.

        Raises:
            InputError: it cannot be read.
        """
        try:
            content: bytes = self._files.cat_file(self._path(name))
        except FileNotFoundError:
            return None
        except Exception as error:  # each driver has errors of its own
            raise InputError(f"{self.address}/{name}: cannot be read ({first_line(error)}): mend that") from error
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all; what is killed within leaves a name that begins with a dot.

        Raises:
            StorageError: it cannot be written.
        """
        path = self._path(name)
        try:
            if self._local:
                self._make_folders(path)
                write_atomically(Path(path), content)
                return
            # A store of objects puts one whole; others do not, and all of them can rename.
            folder, last = posixpath.split(path)
            temporary = f"{folder}/.{last}.{uuid4().hex}"
            try:
                self._files.pipe_file(temporary, content)
            except FileNotFoundError:  # a store of objects has no folders
                self._make_folders(path)
                self._files.pipe_file(temporary, content)
            self._files.mv(temporary, path)
        except StorageError:
            raise
        except Exception as error:
            raise StorageError(
                f"{self.address}/{name}: cannot be written ({first_line(error)}): mend that and give the same command"
            ) from error

    def names(self) -> list[str]:
        """Return the names of the files in it, none below; none where it is not there.

        Raises:
            InputError: it cannot be listed.
        """
        self._files.invalidate_cache()
        try:
            found = self._files.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:
            raise InputError(f"{self.address}: cannot be listed ({first_line(error)}): mend that") from error
        # Some stores count the folder among what is in it.
        return sorted(posixpath.basename(path) for path in found if path.rstrip("/") != self._root)

    def remove(self, name: str) -> None:
        """Remove a file of it."""
        self._files.rm_file(self._path(name))

    def pictures(self) -> Iterator[str]:
        """Yield the addresses of all pictures in it and below it, folder by folder, in the order of their names.

        Raises:
            InputError: it does not exist, or a folder cannot be read; when it is reached.
        """

        def refuse(error: Exception) -> None:
            raise InputError(f"{self.address}: cannot be listed ({first_line(error)}): check the address") from error

        if not self._files.exists(self._root):
            raise InputError(f"{self.address} does not exist: check the address")
        # Sorted in place, the folders are gone through in that order.
        for folder, folders, files in self._files.walk(self._root, detail=True, on_error=refuse):
            for name in [name for name in folders if name.startswith(".")]:
                del folders[name]
            for name in sorted(folders):
                folders[name] = folders.pop(name)
            yield from (self._files.unstrip_protocol(f"{folder}/{name}") for name in sorted(files) if is_picture(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _make_folders(self, path: str) -> None:
        """Make the place and the folder in it that a file is of; what the place lies in must be there."""
        for folder in (self._root, posixpath.dirname(path)):
            with suppress(FileExistsError):
                self._files.mkdir(folder, create_parents=False)


def open_photograph(name: str) -> Path | BinaryIO:
    """Return what `analyze` takes of a listed photograph: a path, or the content of an address under its name.

    Raises:
        ImageError: the address cannot be read.
    """
    if not is_address(name):
        return Path(name)
    try:
        files, path = _opened(name)
        with files.open(path, "rb") as stream:
            content = _Content(stream.read(MAX_FILE + 1))
    except FileNotFoundError:
        raise ImageError(f"{name} does not exist: check the address") from None
    except Exception as error:
        raise ImageError(f"{name} cannot be read ({first_line(error)}): check address and permissions") from error
    content.name = name
    return content


class _Content(BytesIO):
    """What was at an address.

    Attributes:
        name: the address.
    """

    name: str


def _opened(address: str) -> tuple[Any, str]:
    try:
        files, path = url_to_fs(address)
    except ImportError as error:
        raise MissingExtraError(
            f"{address}: its driver is not installed ({first_line(error)}): pip install it"
        ) from error
    except ValueError as error:
        raise UsageError(f"{address}: is no address ({first_line(error)}): check what stands before {_MARK}") from error
    return files, path
