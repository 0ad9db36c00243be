"""Arguments -> the photographs they name: files, folders, patterns, a list on standard input."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from pathlib import Path

from facelocus.errors import InputError

#: What is a picture in a folder, all of them kinds that images/read.py reads; a file that is named may end in anything.
EXTENSIONS = frozenset({
    ".apng", ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".j2k", ".jfif",
    ".jp2", ".jpe", ".jpeg", ".jpg", ".jpx", ".mpo", ".pbm", ".pgm", ".png", ".pnm",
    ".ppm", ".tif", ".tiff", ".webp",
})  # fmt: skip

#: What our own drawings end in; a folder's are not analyzed.
DRAWING = ".facelocus.png"

#: The argument that stands for a list on standard input.
LIST = "-"


@dataclass(frozen=True)
class Arguments:
    """What names photographs.

    A folder stands for the pictures in it and in the folders below it; hidden files and folders, links to folders and
    our own drawings are left out. A name with `*`, `?` or `[` that does not exist is a pattern, `**` for any folders.

    Attributes:
        given: paths, patterns, LIST.
        listed: what LIST stands for: a path a line, or paths with a NUL after each. What it names need not exist, or be
            within reach: that is told when it is read.
    """

    given: Sequence[str]
    listed: bytes = b""

    def photographs(self) -> Iterator[Path]:
        """Return the photographs, each once, lazily: in the order of the arguments, a folder's by name.

        Raises:
            InputError: an argument does not exist, a pattern matches nothing, or there is no picture; on the call. A
                folder cannot be read; when it is reached.
        """
        found = _once([place for argument in self.given for place in _places(argument, self.listed)])
        first = next(found, None)
        if first is None:
            shown = ", ".join(self.given[:3]) + (" ..." if len(self.given) > 3 else "")
            raise InputError(f"{shown}: no picture in this folder or list: name pictures, or a folder that holds some")
        return chain([first], found)

    def to_json(self) -> list[list[str]]:
        """Return each argument with what it stands for, whatever the working folder is."""
        of_list = sha256(self.listed).hexdigest()
        return [[argument, of_list if argument == LIST else os.path.realpath(argument)] for argument in self.given]


def is_picture(name: str) -> bool:
    """Whether a file of a folder is taken, by its name."""
    return Path(name).suffix.lower() in EXTENSIONS and name[0] != "." and not name.lower().endswith(DRAWING)


def _places(argument: str, listed: bytes) -> list[Path]:
    if argument == LIST:
        if b"\0" in listed:  # as `find -print0` writes it
            paths = listed.split(b"\0")
        else:
            paths = [line.removesuffix(b"\r") for line in listed.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
        return [Path(os.fsdecode(path)) for path in paths if path]
    if os.path.lexists(argument):
        return [Path(argument)]
    if not glob.has_magic(argument):
        raise InputError(f"{argument} does not exist: check the path")
    # A shell that knows patterns would have done this; those of Windows do not.
    found = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207, Path.glob takes no absolute pattern
    matches = [Path(match) for match in found if not match.lower().endswith(DRAWING)]
    if not matches:
        raise InputError(f"{argument} matches no file: check the pattern")
    return matches


def _once(places: list[Path]) -> Iterator[Path]:
    """Go through files and folders; what was reached before, by whatever way, is passed over."""
    named: set[str] = set()
    walked: set[str] = set()  # folders, so that memory does not grow with the number of pictures in them
    real_of = lru_cache(maxsize=256)(_real)
    for place in places:
        if os.path.isdir(place):  # noqa: PTH112 - Path's raises where it may not look
            for folder, names in _walk(place):
                real = real_of(folder)
                if real not in walked:
                    walked.add(real)
                    yield from (folder / name for name in names if _key(real, name) not in named)
            continue
        real = real_of(place.parent)
        key = _key(real, place.name)
        if key not in named and not (real in walked and is_picture(place.name)):
            named.add(key)
            yield place


def _walk(top: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield every folder with its pictures' names, in the order of names on every system."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        folders, names = [], []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    elif is_picture(entry.name) and _holds_bytes(entry):
                        names.append(entry.name)
        except OSError as error:
            raise InputError(
                f"{folder} cannot be read ({error.strerror}): change its permissions, or name the folders beside it"
            ) from error
        yield folder, sorted(names)
        waiting += [folder / name for name in sorted(folders, reverse=True)]


def _holds_bytes(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file; a link that leads nowhere is one too, to be told of. Reading a pipe would never end."""
    try:
        return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())
    except OSError:  # a link in a circle, through a file, or to where one may not look
        return entry.is_symlink()


def _real(folder: Path) -> str:
    return os.path.normcase(os.path.realpath(folder))


def _key(folder: str, name: str) -> str:
    return f"{folder}{os.sep}{os.path.normcase(name)}"
