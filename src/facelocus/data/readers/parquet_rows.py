"""Rows of a Parquet file, by pyarrow (extra `parquet`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from facelocus.data.readers.tree import Tree
from facelocus.errors import DataError, MissingExtraError


class _Column(Protocol):
    def add_repeated(self, texts: Sequence[str], which: npt.NDArray[np.int64]) -> None: ...


def header(tree: Tree, file: str) -> list[str]:
    """Return the names of the columns, without spaces around them."""
    return [name.strip() for name in _open(tree, file).schema_arrow.names]


def add_rows(tree: Tree, file: str, columns: Sequence[_Column]) -> npt.NDArray[np.int64]:
    """Add the rows of a file to its columns as text; return the number of each, int64, counted from 1.

    What has no text (pictures, lists) is added as one value that no label has.

    Raises:
        DataError: it is not such a file, or a damaged one.
        MissingExtraError: pyarrow is not installed.
    """
    count = 0
    try:
        for batch in _open(tree, file).iter_batches():
            count += batch.num_rows
            for column, values in zip(columns, batch.columns, strict=True):
                column.add_repeated(*_distinct(values))
    except OSError as error:
        raise DataError(f"{tree.where(file)} is damaged; restore the file") from error
    return np.arange(1, count + 1, dtype=np.int64)


def _open(tree: Tree, file: str) -> Any:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise MissingExtraError(f"{tree.where(file)} needs pyarrow: pip install 'facelocus[parquet]'") from error
    try:
        return ParquetFile(tree.open(file))
    except ArrowInvalid as error:
        raise DataError(f"{tree.where(file)} is not a complete Parquet file; restore the file") from error


def _distinct(values: Any) -> tuple[list[str], npt.NDArray[np.int64]]:
    import pyarrow as pa

    try:
        coded = values.cast(pa.string()).fill_null("").dictionary_encode()
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return ["(no text)"], np.zeros(len(values), np.int64)
    return coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)
