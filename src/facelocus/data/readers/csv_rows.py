"""Rows of a CSV file: UTF-8, separated by commas, semicolons or tabs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

import numpy as np
import numpy.typing as npt

from facelocus.data.readers.tree import Tree
from facelocus.errors import DataError

_ROWS = 16_384  # read at a time, so that memory never holds the text of a million rows


class _Column(Protocol):
    def add(self, texts: Sequence[str]) -> None: ...


def header(tree: Tree, file: str) -> list[str]:
    """Return the names of the columns, without spaces around them; none where the file is empty."""
    _, names = next(_records(tree, file), (1, []))
    return [name.strip() for name in names]


def add_rows(tree: Tree, file: str, columns: Sequence[_Column]) -> npt.NDArray[np.int64]:
    """Add the rows of a file to its columns; return the line of each, int64, counted from 1.

    Raises:
        DataError: it is not such a file, or a row has too few or too many values; names the line.
    """
    lines = []
    records = _records(tree, file)
    next(records, None)
    while batch := list(islice(records, _ROWS)):
        numbers, rows = zip(*batch, strict=True)
        for line, row in batch:
            if len(row) != len(columns):
                raise DataError(
                    f"{tree.where(file)} line {line}: {len(row)} values, not {len(columns)}; correct the row"
                )
        lines.append(np.array(numbers, np.int64))
        for column, texts in zip(columns, zip(*rows, strict=True), strict=True):
            column.add(texts)
    return np.concatenate(lines) if lines else np.empty(0, np.int64)


def _records(tree: Tree, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line and values of every row that is not empty, the header first."""
    where = tree.where(file)
    line = 1
    try:
        with io.TextIOWrapper(tree.open(file), encoding="utf-8-sig", newline="") as stream:
            delimiter = max(",;\t", key=stream.readline().count)
            stream.seek(0)
            reader = csv.reader(stream, delimiter=delimiter)
            for values in reader:
                if values:
                    yield line, values
                line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not text in UTF-8; save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{where} line {line}: {error}; correct the row") from error
