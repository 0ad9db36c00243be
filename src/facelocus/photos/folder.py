"""A hundred thousand photographs -> one table: on all cores, in constant memory, going on where it was stopped."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from tqdm import tqdm

from facelocus import __version__
from facelocus.detection.detect import Detector
from facelocus.errors import FacelocusError, ModelFileError, StoppedError, StorageError, WorkerError, one_line
from facelocus.images.read import source_name
from facelocus.model import Model
from facelocus.photos.analyze import analyze
from facelocus.photos.drawings import Drawings, write_drawing
from facelocus.photos.journal import Journal, is_there, partial, progress
from facelocus.photos.listing import Arguments
from facelocus.photos.request import Options, Request, Summary
from facelocus.photos.rows import Value, columns, face_values, photo_rows
from facelocus.photos.sidecar import keywords, write_sidecar
from facelocus.photos.tables import json_line, write_table
from facelocus.processes import AHEAD, in_processes, one_at_a_time

# Photographs a task, and aligned crops, of which each takes a tenth of the time: half a second or less.
_CHUNK = 8
_CHUNK_OF_CROPS = 64


def analyze_folder(arguments: Arguments, out: Path, request: Request, workers: int) -> Summary:
    """Write the table `out` of the faces in all photographs, or go on with what was stopped.

    The table is there when it is complete, with the rows in the order of the photographs, and the same bytes however
    often it was stopped and whatever the number of workers.

    Args:
        arguments: name the photographs; they are looked for once, at the beginning.
        out: the table, of a name that tables.check_format accepts; beside it lies OUT.partial until it is there.
        request: what is asked of every photograph.
        workers: processes at work; each holds a model and a detector.

    Raises:
        InputError: there is nothing to analyze.
        UsageError: the table is there, the journal is of another run, or another process works on it.
        ModelFileError: the model file has changed meanwhile, or an attribute has the name of another column.
        StorageError: something cannot be written; the same call goes on.
        WorkerError: no worker can be started; the same call goes on.
        StoppedError: Ctrl-C; the same call goes on.
    """
    table = columns(request.attributes)
    summary = Summary()

    def rows() -> Iterator[list[Value]]:
        for path, record in journal.records():
            summary.add(record)
            yield from photo_rows(path, record["faces"], record["error"], request.model, len(table))

    with Journal.opened(out, request.about(arguments), arguments.photographs) as journal:
        try:
            if journal.is_published:  # it was killed while it cleared up
                deque(rows(), maxlen=0)
            else:
                _work(journal, request, workers)
                journal.publish(lambda file: write_table(out, file, table, rows()))
        except KeyboardInterrupt:
            raise StoppedError(
                f"stopped after {journal.done:,} of {journal.total:,} photographs: the same command goes on"
            ) from None
        journal.clear()
    return summary


def progress_of(arguments: Arguments, out: Path, request: Request) -> tuple[int, int] | None:
    """Return how many photographs a run that was stopped has done, and of how many; None where there is none.

    Raises:
        UsageError: the table is there already, or what lies beside it is of another run.
    """
    if out.exists() and not partial(out).exists():
        raise is_there(out)
    try:
        total, done, _ = progress(out, request.about(arguments))
    except FileNotFoundError:
        return None
    return done, total


def _work(journal: Journal, request: Request, workers: int) -> None:
    """Bring the journal to its end."""
    chunk = _CHUNK_OF_CROPS if request.options.aligned else _CHUNK
    with tqdm(total=journal.total, desc="analyzing", unit="photo", disable=None) as bar:
        while journal.done < journal.total:
            bar.n = bar.initial = journal.done
            processes = min(workers, -(-(journal.total - journal.done) // chunk))
            if processes == 1 and journal.was_killed:
                # Perhaps by the next photograph, and one process means this one: not again.
                _alone(journal, request, journal.total, bar)
                continue
            try:
                _together(journal, request, chunk, processes, bar)
            except WorkerError:
                # One of those that were given out did it; the others must not go with it.
                _alone(journal, request, AHEAD * workers * chunk, bar)


def _together(journal: Journal, request: Request, chunk: int, processes: int, bar: tqdm[Any]) -> None:
    """Describe what is left, in so many processes; one means this one.

    Raises:
        WorkerError: a worker was killed; what came before it is in the journal.
    """
    tasks = _tasks(journal, request, chunk)
    with closing(in_processes(_describe, tasks, processes)) as described:
        for lines in described:
            journal.append(lines)
            bar.update(len(lines))


def _alone(journal: Journal, request: Request, count: int, bar: tqdm[Any]) -> None:
    """Describe the next photographs one by one; one that kills its process is a row with that reason.

    Raises:
        WorkerError: a worker was killed before it had a photograph, or cannot be started.
    """
    tasks = islice(_tasks(journal, request, 1), count)
    with closing(one_at_a_time(_describe, tasks, functools.partial(get_ready, request))) as described:
        for task, lines in described:
            if lines is None:
                ((path, _),) = task.photos
                lines = [json_line(record_of_deadly(path))]
            journal.append(lines)
            bar.update(1)


@dataclass(frozen=True)
class _Task:
    """Photographs that one process describes, with the drawing of each."""

    photos: list[tuple[str, Path | None]]
    request: Request


def _tasks(journal: Journal, request: Request, chunk: int) -> Iterator[_Task]:
    drawings = request.options.drawings
    names = None if drawings is None else Drawings(drawings)
    # A drawing's name depends on those before it: they are named again.
    photos = ((path, names.name(Path(path)) if names else None) for path in journal.paths())
    rest = islice(photos, journal.done, None)
    while part := list(islice(rest, chunk)):
        yield _Task(part, request)


def _describe(task: _Task) -> list[bytes]:
    """In a worker: the journal's lines of a few photographs."""
    model, detector = tools(task.request)
    return [
        json_line(record(Path(path), task.request.options, model, detector, drawing)) for path, drawing in task.photos
    ]


@functools.lru_cache(maxsize=1)
def tools(request: Request) -> tuple[Model, Detector | None]:
    """Open what a process needs, once.

    Raises:
        ModelFileError: the model file is another than when the run began, or cannot be used.
    """
    model = Model.load(request.file, threads=1)
    if model.sha256 != request.model.sha256:
        raise ModelFileError(f"{request.file}: is another file than when the run began: put that back, or begin anew")
    return model, None if request.options.aligned else Detector(threads=1)


def get_ready(request: Request) -> None:
    """Do all that a process does before its first photograph; raises what `tools` raises."""
    tools(request)


def record(
    photo: Path | BinaryIO, options: Options, model: Model, detector: Detector | None, drawing: Path | None = None
) -> dict[str, Any]:
    """Return what is kept of a photograph, JSON-ready; whatever is wrong with it is no reason to stop.

    Args:
        photo: its path; or an open file with a name, which can have neither drawing nor sidecar.
        options: see Options.
        model: scores its faces.
        detector: finds them; None where pictures are face crops.
        drawing: where its annotated picture goes.

    Raises:
        StorageError: its drawing or sidecar cannot be written.
    """
    try:
        faces = analyze(
            photo,
            model=model,
            detector=detector,
            aligned=options.aligned,
            flip=options.flip,
            min_quality=options.min_quality,
        )
    except StorageError:
        raise
    except Exception as error:
        return failed(error, _reason(error, photo))
    undrawn, left = None, False
    if drawing is not None and isinstance(photo, Path):
        try:
            write_drawing(drawing, photo, faces, model)
        except StorageError:
            raise
        except Exception as error:
            undrawn = _reason(error, photo)
    if options.sidecars and isinstance(photo, Path):
        left = not write_sidecar(photo, keywords(faces, model), __version__)
    return {"faces": [face_values(face) for face in faces], "error": None, "undrawn": undrawn, "sidecar_left": left}


def _reason(error: Exception, photo: Path | BinaryIO) -> str:
    if isinstance(error, FacelocusError):
        return str(error)
    what = one_line(" ".join(f"{type(error).__name__} {error}".split()))
    return f"{source_name(photo)} cannot be analyzed ({what}): please report it"


def record_of_deadly(path: str) -> dict[str, Any]:
    """Return what is kept of a photograph that kills what reads it."""
    return failed(
        WorkerError(), f"{one_line(path)} needs more memory than there is, or crashes what reads it: make it smaller"
    )


def failed(error: Exception, reason: str) -> dict[str, Any]:
    """Return what is kept of a photograph of which nothing is known."""
    return {"faces": [], "error": [type(error).__name__, reason], "undrawn": None, "sidecar_left": False}
