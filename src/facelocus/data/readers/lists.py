"""The lists of CelebA as columns: words in lines, 200,000 of them in a second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facelocus.attributes import CELEBA
from facelocus.errors import DataError


@dataclass(frozen=True)
class Text:
    """One list: how messages name it, its bytes, and how many lines stand before the rows."""

    where: str
    content: bytes
    heading: int = 0


@dataclass(frozen=True)
class Rows:
    """The words of a text as positions in its bytes, N rows x width; `lines` count from 1."""

    content: bytes
    lines: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, text: Text, width: int) -> Rows:
        """Split what follows the heading; empty lines are passed over, rows of another width refused."""
        data = np.frombuffer(text.content, dtype=np.uint8)
        breaks = np.flatnonzero(data == ord("\n"))
        skip = text.heading
        begin = data.size if skip > breaks.size else int(breaks[skip - 1]) + 1 if skip else 0
        blank = np.ones(data.size - begin + 2, dtype=bool)
        blank[1:-1] = data[begin:] <= ord(" ")
        edges = np.flatnonzero(blank[1:] != blank[:-1]) + begin
        starts, ends = edges[0::2], edges[1::2]
        words = np.bincount(np.searchsorted(breaks, starts))
        lines = np.flatnonzero(words) + 1
        wrong = np.flatnonzero(words[lines - 1] != width)
        if wrong.size:
            line = lines[wrong[0]]
            raise DataError(f"{text.where} line {line}: {words[line - 1] - 1} values, not {width - 1}; correct the row")
        if lines.size == 0:
            raise DataError(f"{text.where} has no rows; use the complete list")
        return cls(text.content, lines, starts.reshape(-1, width), ends.reshape(-1, width))

    def column(self, index: int) -> tuple[str, ...]:
        """Return one column as text."""
        starts, ends = self.starts[:, index].tolist(), self.ends[:, index].tolist()
        return tuple(
            self.content[start:end].decode("utf-8", "replace") for start, end in zip(starts, ends, strict=True)
        )


def refuse_other_attributes(text: Text, line: int, header: Sequence[str]) -> None:
    """Raise DataError where a header is not the 40 attributes of CelebA in their order."""
    for number, (name, wanted) in enumerate(zip(header, CELEBA.names, strict=False), 1):
        if name != wanted:
            raise DataError(
                f"{text.where} line {line}: attribute {number} is {name!r}, not {wanted}; use the original list"
            )
    if len(header) != len(CELEBA):
        raise DataError(f"{text.where} line {line}: {len(header)} attributes, not {len(CELEBA)}; use the original list")


def read_labels(text: Text) -> tuple[tuple[str, ...], npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """Read rows of a name and 40 times 1 or -1; return names, labels as 1 and 0, and the line of each row."""
    rows = Rows.of(text, 1 + len(CELEBA))
    data = np.frombuffer(text.content, dtype=np.uint8)
    starts, ends = rows.starts[:, 1:], rows.ends[:, 1:]
    minus = data[starts] == ord("-")
    wrong = (data[ends - 1] != ord("1")) | (ends - starts != 1 + minus)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        value = shown(text.content[starts[row, column] : ends[row, column]])
        raise DataError(
            f"{text.where} line {rows.lines[row]}: {CELEBA.names[column]} is {value}, not 1 or -1; correct the row"
        )
    names = rows.column(0)
    if len(set(names)) != len(names):
        repeated, times = Counter(names).most_common(1)[0]
        line = [number for number, name in zip(rows.lines, names, strict=True) if name == repeated][1]
        raise DataError(f"{text.where} line {line}: {repeated} is listed {times} times; keep one row")
    return names, np.where(minus, 0, 1).astype(np.int8), rows.lines


def read_numbers(text: Text, names: tuple[str, ...], what: str, allowed: range) -> npt.NDArray[np.int64]:
    """Read rows of a name and a number, which must follow the order of `names`; return the numbers."""
    rows = Rows.of(text, 2)
    listed = rows.column(0)
    if listed != names:
        for line, name, wanted in zip(rows.lines, listed, names, strict=False):
            if name != wanted:
                raise DataError(
                    f"{text.where} line {line}: names {name}, the attribute list has {wanted} there; "
                    "use lists in the same order"
                )
        raise DataError(f"{text.where} has {len(listed):,} rows, the attribute list {len(names):,}; use complete lists")
    values = rows.column(1)
    for line, value in zip(rows.lines, values, strict=True):
        if not (value.isdecimal() and int(value) in allowed):
            expected = f"{allowed.start} to {allowed.stop - 1}"
            raise DataError(f"{text.where} line {line}: {what} is {value!r}, not {expected}; correct the row")
    return np.array([int(value) for value in values], dtype=np.int64)


def shown(value: bytes) -> str:
    """Return the beginning of some bytes as a message shows it."""
    return repr(value[:40].decode("utf-8", "replace"))
