"""A listing -> its partitions, on Ray: each whole or not there, going on where it was stopped."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from facelocus.cluster.partitions import Partitions
from facelocus.cluster.place import Place, is_address
from facelocus.cluster.worker import LIBRARIES, Analyst, told
from facelocus.errors import StoppedError, WorkerError, first_line
from facelocus.photos.listing import Arguments
from facelocus.photos.request import Request, Summary
from facelocus.processes import cores
from facelocus.provenance import versions

# Partitions travel as numbers and counts: Ray's smallest store of objects is plenty, and fits a small /dev/shm.
_STORE = 80_000_000


@dataclass(frozen=True)
class Made:
    """What a run did.

    Attributes:
        partitions: made by it.
        before: partitions that were whole before.
        summary: of the photographs of those it made.
    """

    partitions: int
    before: int
    summary: Summary


def analyze_partitions(arguments: Arguments, out: str, request: Request, size: int, workers: int | None = None) -> Made:
    """Write the faces of all photographs to OUT, a Parquet file a partition, or go on with what was stopped.

    The rows are those of photos/folder.py, which partition a photograph is in is written down first, and a partition
    that is whole is not made again. What is broken, photograph, worker or machine, ends nothing but itself.

    Args:
        arguments: name the photographs: paths that every machine has, or addresses.
        out: a folder that every machine has, or an address.
        request: what is asked of every photograph.
        size: photographs a partition.
        workers: actors at work, each on one core; None for as many as Ray has cores.

    Raises:
        InputError, UsageError: as for Partitions.listed; or machines differ in what is installed.
        ModelFileError: a machine has another model file, or none.
        StorageError: something cannot be written; the same call goes on.
        WorkerError: Ray gave up; the same call goes on.
        StoppedError: Ctrl-C; the same call goes on.
    """
    place = Place(out if is_address(out) else str(Path(out).absolute()))
    named = [one if is_address(one) else of for one, of in arguments.to_json()]
    partitions = Partitions.listed(place, arguments, request.about(arguments) | {"arguments": named}, size)
    left = partitions.left()
    made = Made(len(left), len(partitions) - len(left), Summary())
    if left:
        try:
            with _started(workers):
                for summary in _summaries(partitions, left, request, workers):
                    made.summary.include(summary)
        except KeyboardInterrupt:
            done = len(partitions) - len(partitions.left())
            raise StoppedError(
                f"stopped after {done:,} of {len(partitions):,} partitions: the same command goes on"
            ) from None
    partitions.clear()
    return made


def _summaries(partitions: Partitions, left: list[int], request: Request, workers: int | None) -> Iterator[Summary]:
    """Make the partitions that are left; yield the summary of each as it ends."""
    import ray

    actors = max(1, min(len(left), workers or int(ray.cluster_resources().get("CPU", 1))))
    made = ray.data.from_items([{"partition": number} for number in left], override_num_blocks=len(left)).map_batches(
        Analyst,
        batch_size=1,
        # A partition takes minutes: none waits behind another.
        compute=ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=1),
        num_cpus=1,
        fn_constructor_args=(partitions.place.address, request, versions(*LIBRARIES)),
    )
    total = sum(map(partitions.count, left))
    with tqdm(
        total=partitions.photographs,
        initial=partitions.photographs - total,
        desc="analyzing",
        unit="photo",
        disable=None,
    ) as bar:
        try:
            for row in made.iter_rows():
                summary = told(row["told"])
                bar.update(summary.photographs)
                yield summary
        except ray.exceptions.RayError as error:
            raise WorkerError(
                f"Ray gave up ({first_line(error)[:200]}): mend that and give the same command; it goes on"
            ) from error


@contextmanager
def _started(workers: int | None) -> Iterator[None]:
    """Join the cluster at $RAY_ADDRESS, or start Ray on this machine; one that this process has already is taken.

    Raises:
        WorkerError: it cannot be joined or started.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent anywhere
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it warns of what Ray Data does itself
    import ray
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    if ray.is_initialized():
        yield
        return
    address = os.environ.get("RAY_ADDRESS")
    own: dict[str, Any] = {
        "num_cpus": workers or cores(),
        "include_dashboard": False,
        "object_store_memory": _STORE,
    }
    try:
        with _silenced():
            ray.init(
                address=address or "local", log_to_driver=False, logging_level=logging.ERROR, **({} if address else own)
            )
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        where = f"cannot be joined at {address}" if address else "cannot be started"
        raise WorkerError(f"Ray {where} ({first_line(error)[:200]}): see `ray status`") from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep from stderr what is written there past Python: Ray tells that it was told to be silent."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
