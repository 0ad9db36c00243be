"""A table of labels column by column: each distinct value once, and which row has which."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.data.readers import csv_rows, parquet_rows
from facelocus.data.readers.tree import Tree
from facelocus.errors import DataError

#: Endings of files that can be a table.
TABLES = (".csv", ".tsv", ".parquet")


class Column:
    """One column: codes of N rows, and the distinct values that the codes stand for.

    Of a column with more than `limit` distinct values the first ones are kept; other rows have the code -1.
    """

    def __init__(self, limit: int | None) -> None:
        self.values: list[str] = []
        self._limit = limit
        self._known: dict[str, int] = {}
        self._parts: list[npt.NDArray[Any]] = []

    def add(self, texts: Sequence[str]) -> None:
        """Take the next rows, as text."""
        self._parts.append(self._coded(texts))

    def add_repeated(self, texts: Sequence[str], which: npt.NDArray[np.int64]) -> None:
        """Take the next rows, as positions in a few texts."""
        self._parts.append(self._coded(texts)[which])

    @property
    def codes(self) -> npt.NDArray[Any]:
        """N positions in `values`: int32 without a limit, else int16."""
        self._parts = [np.concatenate(self._parts)]
        return self._parts[0]

    def _coded(self, texts: Sequence[str]) -> npt.NDArray[Any]:
        known, values = self._known, self.values
        for text in dict.fromkeys(texts):
            if text not in known and len(values) != self._limit:
                known[text] = len(values)
                values.append(text)
        dtype = np.int32 if self._limit is None else np.int16
        return np.fromiter(map(known.get, texts, repeat(-1)), dtype, len(texts))


class Listing:
    """The rows of one file, or of several with the same columns after each other.

    Attributes:
        header: the names of the columns, without spaces around them.
        columns: as many columns.
        files: how messages name each file, and its number of rows.
        lines: int64, N: where each row stands in its file, counted from 1.
        unit: "line" for text, "row" for Parquet.
    """

    def __init__(self, tree: Tree, files: Sequence[str], unlimited: Collection[str], limit: int) -> None:
        """Read files; columns named in `unlimited` keep all their values, others at most `limit`."""
        self.header = read_header(tree, files[0])
        where = tree.where(files[0])
        repeated = [name for name in self.header if name and self.header.count(name) > 1]
        if repeated:
            raise DataError(f"{where} has two columns {repeated[0]!r}; rename one")
        self.columns = [Column(None if name in unlimited else limit) for name in self.header]
        self.files: list[tuple[str, int]] = []
        lines = []
        for file in files:
            if read_header(tree, file) != self.header:
                raise DataError(f"{tree.where(file)} has other columns than {where}; give both the same")
            add_rows = parquet_rows.add_rows if is_parquet(file) else csv_rows.add_rows
            lines.append(add_rows(tree, file, self.columns))
            if not lines[-1].size:
                raise DataError(f"{tree.where(file)} has no rows; use the complete table")
            self.files.append((tree.where(file), lines[-1].size))
        self.lines = np.concatenate(lines)
        self.unit = "row" if is_parquet(files[0]) else "line"

    def __len__(self) -> int:
        return self.lines.size

    def place(self, row: int) -> str:
        """Return how a message names a row: its file and where it stands there."""
        ends = np.cumsum([count for _, count in self.files])
        where, _ = self.files[int(np.searchsorted(ends, row, side="right"))]
        return f"{where} {self.unit} {self.lines[row]}"


def read_header(tree: Tree, file: str) -> list[str]:
    """Return the names of a table's columns; DataError where it is no table."""
    return parquet_rows.header(tree, file) if is_parquet(file) else csv_rows.header(tree, file)


def is_parquet(file: str) -> bool:
    """Whether a file is Parquet by its ending."""
    return file.lower().endswith(".parquet")
