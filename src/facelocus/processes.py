"""Work on all cores: a function over many tasks, in processes that end with this one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import ParamSpec, TypeVar

import numpy as np

from facelocus.errors import WorkerError

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")
_Arguments = ParamSpec("_Arguments")

#: Tasks given to each worker before it has ended the first: few, so that memory does not grow with their number.
AHEAD = 3

# Tasks for each worker that are given out or have ended before their turn: some take many times as long as others.
_EARLY = 16

# The most processes that Windows can be asked to wait for at once; Python refuses a pool of more there.
_MOST_ON_WINDOWS = 61


def in_processes(
    function: Callable[[_Given], _Made], tasks: Iterator[_Given], workers: int
) -> Generator[_Made, None, None]:
    """Yield function(task) of every task, in the order of the tasks; one worker means this process.

    What ends early waits for its turn: behind a task that takes for ever so much is held, and no more is begun.

    Raises:
        WorkerError: a worker process was killed, or cannot be started.
    """
    if workers == 1:
        yield from map(function, tasks)
        return
    pool = pool_of(workers)
    try:
        held: deque[Future[_Made]] = deque()
        waiting: set[Future[_Made]] = set()
        while True:
            free = min(AHEAD * workers - len(waiting), _EARLY * workers - len(held))
            begun = [submitted(pool, function, task) for task in islice(tasks, free)]
            held.extend(begun)
            waiting.update(begun)
            if not held:
                return
            _, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            while held and held[0].done():
                yield held.popleft().result()
    except BrokenProcessPool as error:
        raise WorkerError(
            "a worker process was killed, often for lack of memory; try again with fewer workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def one_at_a_time(
    function: Callable[[_Given], _Made], tasks: Iterable[_Given], get_ready: Callable[[], object]
) -> Generator[tuple[_Given, _Made | None], None, None]:
    """Yield every task with function(task), each alone in a worker process; with None where that was killed by it.

    `get_ready` is what each worker does first, so that a task is not blamed for what is wrong without it.

    Raises:
        WorkerError: a worker process cannot be started, or was killed before it had a task.
    """
    pool = None
    try:
        for task in tasks:
            pool = pool or ready_pool(get_ready)
            try:
                yield task, submitted(pool, function, task).result()
            except BrokenProcessPool:
                pool.shutdown()
                pool = None
                yield task, None
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)


def ready_pool(get_ready: Callable[[], object]) -> ProcessPoolExecutor:
    """Return a pool of one process that has done `get_ready`.

    Raises:
        WorkerError: it cannot be started, or was killed.
    """
    pool = pool_of(1)
    try:
        submitted(pool, get_ready).result()
    except BaseException as error:
        pool.shutdown(cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise WorkerError(
                "a worker process was killed before it had work, often for lack of memory: close other programs, then "
                "give the same command"
            ) from error
        raise
    return pool


def submitted(
    pool: ProcessPoolExecutor,
    function: Callable[_Arguments, _Made],
    *arguments: _Arguments.args,
    **named: _Arguments.kwargs,
) -> Future[_Made]:
    """Give work to a pool, which starts a process for it where none is free.

    Raises:
        WorkerError: that cannot be started.
        BrokenProcessPool: one was killed.
    """
    try:
        return pool.submit(function, *arguments, **named)
    except OSError as error:
        raise WorkerError(
            f"a worker process cannot be started ({error.strerror}): close other programs, then give the same command"
        ) from error


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pool_of(workers: int) -> ProcessPoolExecutor:
    """Return a pool of processes that end with this one and leave Ctrl-C to it."""
    if sys.platform == "win32":
        workers = min(workers, _MOST_ON_WINDOWS)
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
