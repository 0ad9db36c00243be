"""Pictures copied or linked into a folder: nothing there is written over, each file is whole or absent."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from facelocus.errors import StorageError


@dataclass
class Delivered:
    """What became of pictures: how many were put there, how many were there already, and why others failed."""

    put: int = 0
    there: int = 0
    failed: list[str] = field(default_factory=list)


def copy_pictures(photos: Iterable[Path], folder: Path) -> Delivered:
    """Copy pictures, with their times, into a folder, which is made.

    One whose name is taken by another file gets "-2" and so on behind its name; one that is there already is left.

    Raises:
        StorageError: the folder cannot be written; what is in it is whole.
    """
    return _deliver(photos, folder, _copy, _is_equal)


def link_pictures(photos: Iterable[Path], folder: Path) -> Delivered:
    """Make symbolic links to pictures in a folder; as copy_pictures."""
    return _deliver(photos, folder, lambda photo, target: target.symlink_to(photo), _is_link)


def _deliver(
    photos: Iterable[Path], folder: Path, put: Callable[[Path, Path], None], is_there: Callable[[Path, Path], bool]
) -> Delivered:
    done = Delivered()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for photo in photos:
            if (reason := _unreadable(photo)) is not None:
                done.failed.append(reason)
                continue
            number = 1
            while True:
                target = folder / (photo.name if number == 1 else f"{photo.stem}-{number}{photo.suffix}")
                if not os.path.lexists(target):
                    with suppress(FileExistsError):  # it came between the look and the writing
                        put(photo, target)
                        done.put += 1
                        break
                elif is_there(photo, target):
                    done.there += 1
                    break
                number += 1
    except OSError as error:
        raise StorageError(
            f"{folder}: cannot be written ({error.strerror}): free space or name another folder"
        ) from error
    return done


def _unreadable(photo: Path) -> str | None:
    """Return why a picture cannot be delivered, or None."""
    try:
        if not photo.is_file():
            return f"{photo} is not there any more: run `facelocus index` again"
        photo.open("rb").close()
    except OSError as error:
        return f"{photo} cannot be read ({error.strerror}): change its permissions"
    return None


def _copy(photo: Path, target: Path) -> None:
    """Copy to a temporary name, then give it its own, which fails where that is taken."""
    handle, temporary = tempfile.mkstemp(prefix=".facelocus-", dir=target.parent)
    os.close(handle)
    try:
        shutil.copy2(photo, temporary)
        try:
            os.link(temporary, target)
        except (OSError, NotImplementedError) as error:
            if isinstance(error, FileExistsError):
                raise
            # A file system without hard links: the name is taken first.
            os.close(os.open(target, os.O_CREAT | os.O_EXCL))
            Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _is_equal(photo: Path, target: Path) -> bool:
    """Whether the target is this picture, copied before."""
    if not target.is_file() or target.stat().st_size != photo.stat().st_size:
        return False
    with photo.open("rb") as one, target.open("rb") as other:
        while block := one.read(1 << 20):
            if block != other.read(1 << 20):
                return False
    return True


def _is_link(photo: Path, target: Path) -> bool:
    return target.is_symlink() and target.readlink() == photo
