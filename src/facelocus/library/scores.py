"""The scores of a library: logits in 16 bits, a column an attribute, so that a query reads no more than its columns.

    scores/7/logits.npy    uint16 A x F: the logit of each attribute of each face, from -LIMIT to LIMIT
    scores/7/faces.npy     int64 F: the id of each face
    scores/7/pictures.npy  int64 P: the id of each picture that could be read, ascending
    scores/7/starts.npy    int64 P + 1: the faces of picture p are the rows starts[p] to starts[p + 1]

Probabilities in so few bits would tie at both ends; logits tie beyond LIMIT only, where probabilities are rounded
away anyway. A generation is never changed: a new one is written beside it, and becomes the one in force with the
transaction that names it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.errors import InputError, StorageError

#: Logits beyond this are stored as this: probabilities of 0.0000003 and its complement.
LIMIT = 15.0
#: Codes a unit of logit; code MIDDLE is logit 0.
SCALE = 2184.0
MIDDLE = 32768

_PARTIAL = ".partial"

# Faces copied at once.
_AT_ONCE = 1 << 20

Codes = npt.NDArray[np.uint16]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """One generation of scores, memory-mapped; see the head of this file.

    Attributes:
        logits: uint16 A x F.
        faces: int64 F.
        pictures: int64 P.
        starts: int64 P + 1.
    """

    logits: Codes
    faces: Ids
    pictures: Ids
    starts: Ids

    @classmethod
    def empty(cls, attributes: int) -> Scores:
        """Return the scores of no picture."""
        none = np.zeros(0, np.int64)
        return cls(np.zeros((attributes, 0), np.uint16), none, none, np.zeros(1, np.int64))

    @classmethod
    def open(cls, folder: Path, generation: int) -> Scores:
        """Open one generation.

        Raises:
            FileNotFoundError: it is not there (any more).
            InputError: it is damaged.
        """
        place = folder / "scores" / str(generation)
        try:
            logits, faces, pictures, starts = (
                np.asarray(np.load(place / f"{name}.npy", mmap_mode="r", allow_pickle=False))
                for name in ("logits", "faces", "pictures", "starts")
            )
            if logits.shape[1:] != faces.shape or starts.shape != (len(pictures) + 1,) or starts[-1] != len(faces):
                raise ValueError("its files are of different numbers of faces")
        except FileNotFoundError:
            raise
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{place}: is damaged ({error}): make the library anew, from the photographs") from error
        return cls(logits, faces, pictures, starts)

    def picture_of(self, rows: Ids) -> Ids:
        """Return the position in `pictures` of each of these rows."""
        places: Ids = np.searchsorted(self.starts, rows, side="right") - 1
        return places


def encode(probabilities: npt.NDArray[np.floating]) -> Codes:
    """Return probabilities in [0, 1] as codes of their logits."""
    p = np.asarray(probabilities, np.float64)
    with np.errstate(divide="ignore"):
        logits = np.log(p) - np.log1p(-p)
    codes: Codes = (np.rint(np.clip(logits, -LIMIT, LIMIT) * SCALE) + MIDDLE).astype(np.uint16)
    return codes


def decode(codes: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Return the logits that codes stand for."""
    logits: npt.NDArray[np.float64] = (np.asarray(codes, np.float64) - MIDDLE) / SCALE
    return logits


def write_scores(folder: Path, generation: int, before: Scores, gone: Ids, new: Scores) -> None:
    """Write a generation: `before` without the pictures of the ids in `gone`, then `new`, whose ids are higher.

    Raises:
        StorageError: it cannot be written; nothing of it is left.
    """
    kept = ~np.isin(before.pictures, gone)
    counts = np.concatenate([np.diff(before.starts)[kept], np.diff(new.starts)])
    rows = np.flatnonzero(np.repeat(kept, np.diff(before.starts)))
    place = folder / "scores" / str(generation)
    partial = place.with_name(place.name + _PARTIAL)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(place, ignore_errors=True)  # of a run that was killed before it named it
        partial.mkdir(parents=True)
        shape = len(before.logits), len(rows) + len(new.faces)
        _write(partial / "logits.npy", np.dtype(np.uint16), shape, _columns(before.logits, rows, new.logits))
        for name, values in {
            "faces": np.concatenate([before.faces[rows], new.faces]),
            "pictures": np.concatenate([before.pictures[kept], new.pictures]),
            "starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        }.items():
            _write(partial / f"{name}.npy", values.dtype, values.shape, [values])
        _flush(partial)
        partial.rename(place)
        _flush(place.parent)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StorageError(
            f"{place}: cannot be written ({error.strerror}): free space and give the same command; it goes on"
        ) from error


def clear_scores(folder: Path, generation: int) -> None:
    """Remove every generation but one; who has one open keeps it."""
    for place in (folder / "scores").iterdir():
        if place.name != str(generation):
            shutil.rmtree(place, ignore_errors=True)


def _columns(before: Codes, rows: Ids, new: Codes) -> Iterator[Codes]:
    for old, fresh in zip(before, new, strict=True):
        for start in range(0, len(rows), _AT_ONCE):
            yield old[rows[start : start + _AT_ONCE]]
        yield fresh


def _write(file: Path, dtype: np.dtype[Any], shape: tuple[int, ...], parts: Iterable[npt.NDArray[np.generic]]) -> None:
    with file.open("wb") as stream:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        for part in parts:
            stream.write(np.ascontiguousarray(part).data)
        stream.flush()
        os.fsync(stream.fileno())


def _flush(folder: Path) -> None:
    """Make sure that names survive a power cut; Windows has no such call."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
