"""A step in a process of its own, which shares nothing of this one's settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facelocus.bench.timing import Step
from facelocus.processes import pool_of

_step: Step  # of the worker process


@contextmanager
def apart(make: Callable[[], Step]) -> Iterator[Step]:
    """Yield a step that another process takes while this one waits; `make` makes it there, and is pickled."""
    pool = pool_of(1)
    try:
        pool.submit(_begin, make).result()
        yield lambda: pool.submit(_take).result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(make: Callable[[], Step]) -> None:
    global _step
    _step = make()


def _take() -> None:
    _step()
