"""Work on all cores: a function over many tasks, in processes that end with this one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

import numpy as np

from facelocus.errors import WorkerError

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

#: Tasks given to each worker before it has ended the first: few, so that memory does not grow with their number.
AHEAD = 3


def in_processes(
    function: Callable[[_Given], _Made], tasks: Iterator[_Given], workers: int
) -> Generator[_Made, None, None]:
    """Yield function(task) of every task in the order in which they end; one worker means this process.

    Raises:
        WorkerError: a worker process was killed.
    """
    if workers == 1:
        yield from map(function, tasks)
        return
    pool = pool_of(workers)
    try:
        waiting: set[Future[_Made]] = {pool.submit(function, task) for task in islice(tasks, AHEAD * workers)}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
            waiting |= {pool.submit(function, task) for task in islice(tasks, len(done))}
    except BrokenProcessPool as error:
        raise WorkerError(
            "a worker process was killed, often for lack of memory; try again with fewer workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def one_at_a_time(
    function: Callable[[_Given], _Made], tasks: Iterable[_Given]
) -> Generator[tuple[_Given, _Made | None], None, None]:
    """Yield every task with function(task), each alone in a worker process; with None where that was killed by it."""
    pool = pool_of(1)
    try:
        for task in tasks:
            try:
                yield task, pool.submit(function, task).result()
            except BrokenProcessPool:
                yield task, None
                pool.shutdown()
                pool = pool_of(1)
    finally:
        pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pool_of(workers: int) -> ProcessPoolExecutor:
    """Return a pool of processes that end with this one and leave Ctrl-C to it."""
    # Spawned, because a fork of a process that has threads (torch, onnxruntime) can deadlock.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start_worker)


def _start_worker() -> None:
    # Ctrl-C is the parent's to handle; a worker whose parent was killed must not wait for tasks for ever.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    # Having seen a large block freed, glibc keeps what smaller ones leave. It would return the memory of every picture
    # and ask for it again: a tenth of the time.
    np.empty(8_000_000, dtype=np.uint8)


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
