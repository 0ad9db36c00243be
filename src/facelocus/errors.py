"""Everything facelocus refuses, as one tree.

    FacelocusError            exit code 1
    |- InputError             a file or folder the user named cannot be used
    |  |- ImageError            ... as a picture
    |  |- DataError             ... as labelled faces (names file and row)
    |  `- ModelFileError        ... as a model
    |- StorageError           writing failed (disk full, no permission)
    |- WorkerError            a process that was given work was killed
    |- StoppedError           exit code 130: stopped by the user, can go on
    |- MissingExtraError      an optional part is not installed
    `- UsageError             exit code 2: the request itself is wrong
       |- RecipeError           ... a recipe key or value
       `- DeviceError           ... a device this machine lacks

A message is one line: the thing that is wrong, then the mend.
"""

from __future__ import annotations


class FacelocusError(Exception):
    """Base of all errors raised on purpose."""

    exit_code = 1

    def to_json(self) -> dict[str, dict[str, str]]:
        """Return the one shape in which errors are reported as JSON."""
        return {"error": {"type": type(self).__name__, "message": str(self)}}


class InputError(FacelocusError):
    """A file or folder that was named cannot be used."""


class ImageError(InputError):
    """A file cannot be read as a picture."""


class DataError(InputError):
    """Labelled faces are inconsistent; the message names file and row."""


class ModelFileError(InputError):
    """A file is not a usable model."""


class StorageError(FacelocusError):
    """Something could not be written; nothing half-written is left."""


class WorkerError(FacelocusError):
    """A process that was given work was killed."""


class StoppedError(FacelocusError):
    """Work was stopped by Ctrl-C after saving; the message says how to go on."""

    exit_code = 130


class MissingExtraError(FacelocusError):
    """A command needs an optional part; the message says how to install it."""


class UsageError(FacelocusError):
    """The request itself is wrong."""

    exit_code = 2


class RecipeError(UsageError):
    """A recipe key or value is not known."""


class DeviceError(UsageError):
    """A device was asked for that this machine does not have."""


def one_line(text: str) -> str:
    """Escape what would break a line, change a terminal or not print: line ends, control characters, stray bytes."""
    if text.isprintable():
        return text
    import unicodedata  # seldom needed, and no start should wait for it

    odd = ("C", "Zl", "Zp")
    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c).startswith(odd) else c for c in text
    )


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its type's name."""
    return (str(error) or type(error).__name__).splitlines()[0]
