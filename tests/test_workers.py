"""Work in processes: results in order, and no more ahead of the oldest than memory holds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from concurrent.futures import Future, wait
from typing import Any

import pytest

from facelocus import processes
from facelocus.processes import in_processes, pool_of


class Pool:
    """Ends what it is given at once, but the first."""

    def __init__(self) -> None:
        self.given: list[Future[int]] = []

    def submit(self, function: Callable[[int], int], task: int) -> Future[int]:
        future: Future[int] = Future()
        if self.given:
            future.set_result(function(task))
        self.given.append(future)
        return future

    def shutdown(self, **_: Any) -> None:
        pass


def test_behind_a_task_that_takes_for_ever_the_others_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, begun = Pool(), []

    def waiting_for(futures: Collection[Future[int]], return_when: str) -> Any:
        if not any(future.done() for future in futures):
            begun.append(len(pool.given))
            pool.given[0].set_result(0)
        return wait(futures, return_when=return_when)

    monkeypatch.setattr(processes, "pool_of", lambda workers: pool)
    monkeypatch.setattr(processes, "wait", waiting_for)
    assert list(in_processes(abs, iter(range(1000)), 2)) == list(range(1000))
    assert begun == [2 * processes._EARLY]


def test_windows_gets_no_more_processes_than_it_can_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as windows:
        windows.setattr(sys, "platform", "win32")
        pool = pool_of(64)  # Python refuses more than 61 there
    pool.shutdown()
