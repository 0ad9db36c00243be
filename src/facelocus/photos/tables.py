"""Rows -> a CSV, JSON lines or Parquet file, a few rows in memory at a time."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from facelocus.errors import MissingExtraError, UsageError
from facelocus.photos.rows import TEXT, Value

#: Rows of a Parquet row group, and of the pieces it is put together from: Python's numbers take more room than Arrow's.
ROW_GROUP = 50_000
_PIECE = 1_000

Columns = Mapping[str, str]
Rows = Iterator[list[Value]]


def check_format(out: Path) -> None:
    """Refuse a name that no table can have.

    Raises:
        UsageError: its ending is none of FORMATS.
        MissingExtraError: Parquet, where pyarrow is not installed.
    """
    if out.suffix.lower() not in FORMATS:
        raise UsageError(f"--out {out}: is no kind of table: end it in {', '.join(FORMATS)}")
    if FORMATS[out.suffix.lower()] is _parquet and importlib.util.find_spec("pyarrow") is None:
        raise MissingExtraError(f"{out} needs pyarrow: pip install 'facelocus[parquet]', or end it in .csv or .jsonl")


def write_table(out: Path, file: BinaryIO, columns: Columns, rows: Rows) -> None:
    """Write all rows to `file` in the format that the name `out` asks for.

    A path that is not Unicode (names on Linux are bytes) has its stray bytes written as `\\udcXX`: as an escape JSON
    gives the name back, in the other two formats it is text.
    """
    FORMATS[out.suffix.lower()](file, columns, rows)


def json_line(value: Any) -> bytes:
    """Return a value as one line of JSON; a stray byte of a file name, half of a surrogate pair, becomes its escape."""
    return (json.dumps(value, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _csv(file: BinaryIO, columns: Columns, rows: Rows) -> None:
    text = io.TextIOWrapper(file, "utf-8", "backslashreplace", newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    text.detach()


def _jsonl(file: BinaryIO, columns: Columns, rows: Rows) -> None:
    for row in rows:
        file.write(json_line(dict(zip(columns, row, strict=True))))


def _parquet(file: BinaryIO, columns: Columns, rows: Rows) -> None:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in columns.items()])
    with ParquetWriter(file, schema) as writer:
        pieces: list[Any] = []
        while piece := list(islice(rows, _PIECE)):
            by_column = [
                [_valid(value) for value in values] if kind == TEXT else values
                for kind, values in zip(columns.values(), zip(*piece, strict=True), strict=True)
            ]
            arrays = [pyarrow.array(values, field.type) for values, field in zip(by_column, schema, strict=True)]
            pieces.append(pyarrow.record_batch(arrays, schema=schema))
            if len(pieces) * _PIECE >= ROW_GROUP:
                writer.write_table(pyarrow.Table.from_batches(pieces))
                pieces.clear()
        if pieces:
            writer.write_table(pyarrow.Table.from_batches(pieces))


def _valid(text: Any) -> Any:
    return text if text is None or text.isascii() else text.encode("utf-8", "backslashreplace").decode()


#: Ending -> what writes it.
FORMATS: Mapping[str, Callable[[BinaryIO, Columns, Rows], None]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _jsonl,
}
