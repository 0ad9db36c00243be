"""An actor: makes whole partitions, one after the other, in a process of its own beside it.

What a photograph kills is that process, not the actor: it becomes a row, as in photos/folder.py. Killed itself, an
actor leaves no part of a partition; Ray starts another, here or elsewhere, which begins that partition anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from facelocus import errors
from facelocus.cluster.partitions import names_of, part
from facelocus.cluster.place import Place, open_photograph
from facelocus.errors import FacelocusError, ImageError, UsageError
from facelocus.photos.folder import failed, get_ready, record, record_of_deadly, tools
from facelocus.photos.request import Request, Summary
from facelocus.photos.rows import Value, columns, photo_rows
from facelocus.photos.tables import write_table
from facelocus.processes import pool_of, ready_pool, submitted
from facelocus.provenance import versions

# Photographs that a process is given at once.
_CHUNK = 8

#: What rows depend on.
LIBRARIES = ("numpy", "pillow", "onnxruntime")


class Analyst:
    """What Ray calls with the numbers of partitions.

    Args:
        out: address of OUT.
        request: what is asked of every photograph.
        installed: versions of LIBRARIES where the run was begun.
    """

    def __init__(self, out: str, request: Request, installed: dict[str, str]) -> None:
        # A new process runs the program of this one first: Ray's, which takes seconds and 100 MB and is not needed.
        vars(sys.modules["__main__"]).pop("__file__", None)
        self._out, self._request, self._installed = out, request, installed
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Make the partitions "partition"; return what `told` reads, one line each, as "told".

        What ends the run is told too: Ray would wrap it into pages of its own.
        """
        lines = [json.dumps(self._tell(int(number))) for number in batch["partition"]]
        return {"told": np.array(lines, dtype=object)}

    def _tell(self, number: int) -> dict[str, Any]:
        try:
            return {"summary": asdict(self.make(number))}
        except FacelocusError as error:
            return error.to_json()

    def make(self, number: int) -> Summary:
        """Make a partition, unless it is whole: its maker may have been killed before it could tell.

        Raises:
            UsageError: this machine has other versions than where the run was begun.
            InputError: it does not see OUT.
            ModelFileError: it has another model file, or none.
            StorageError: the partition cannot be written.
            WorkerError: no process can be started beside it.
        """
        here = versions(*LIBRARIES)
        for name, wanted in self._installed.items():
            if here.get(name) != wanted:
                raise UsageError(
                    f"a machine has {name} {here.get(name)}, not {wanted}: install the same on all of them"
                )
        place = Place(self._out)
        content = place.read(part(number))
        if content is None:
            table, file = columns(self._request.attributes), BytesIO()
            write_table(Path(part(number)), file, table, self._rows(names_of(place, number), len(table)))
            content = file.getvalue()
            place.write(part(number), content)
        return summary_of(content)

    def _rows(self, names: list[str], width: int) -> Iterator[list[Value]]:
        for start in range(0, len(names), _CHUNK):
            some = names[start : start + _CHUNK]
            for name, found in zip(some, self._records(some), strict=True):
                yield from photo_rows(name, found["faces"], found["error"], self._request.model, width)

    def _records(self, names: list[str]) -> list[dict[str, Any]]:
        try:
            return self._in_process(names)
        except BrokenProcessPool:
            # One of them did it; the others must not go with it.
            return [self._alone(name) for name in names]

    def _alone(self, name: str) -> dict[str, Any]:
        # What kills a process without a photograph is not the photograph.
        self._pool = self._pool or ready_pool(partial(get_ready, self._request))
        try:
            (found,) = self._in_process([name])
        except BrokenProcessPool:
            return record_of_deadly(name)
        return found

    def _in_process(self, names: list[str]) -> list[dict[str, Any]]:
        pool = self._pool = self._pool or pool_of(1)
        try:
            return submitted(pool, _describe, names, self._request).result()
        except BrokenProcessPool:
            pool.shutdown()
            self._pool = None
            raise


def told(line: str) -> Summary:
    """Return the summary of a partition that an actor has told of.

    Raises:
        FacelocusError: as the actor met it.
    """
    found = json.loads(line)
    if "error" in found:
        kind: type[FacelocusError] = getattr(errors, found["error"]["type"])
        raise kind(found["error"]["message"])
    return Summary(**found["summary"])


def summary_of(content: bytes) -> Summary:
    """Return what became of the photographs of a partition, by its file."""
    from pyarrow.parquet import read_table

    summary = Summary()
    for row in read_table(BytesIO(content), columns=["face", "faces", "error_type", "error"]).to_pylist():
        if row["face"] <= 1:
            error = [row["error_type"], row["error"]] if row["error"] else None
            summary.add({"faces": range(row["faces"] or 0), "error": error, "undrawn": None, "sidecar_left": False})
    return summary


def _describe(names: list[str], request: Request) -> list[dict[str, Any]]:
    """In a process: what is kept of a few photographs."""
    return [_described(name, request) for name in names]


def _described(name: str, request: Request) -> dict[str, Any]:
    model, detector = tools(request)
    try:
        photo = open_photograph(name)
    except ImageError as error:
        return failed(error, str(error))
    return record(photo, request.options, model, detector)
