"""Work that is killed at many moments and goes on, for the programs killed_*.py and for test_killed.py."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

WATCHED = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "fcntl.flock"}


def kill_often(
    work: Callable[[], object],
    target: Path,
    contents: Callable[[], dict[str, bytes]],
    begin_anew: Callable[[], None],
    kills: int,
    workers: int,
    lose: Callable[[random.Random], None] = lambda chance: None,
) -> None:
    """Kill work again and again: now and then it may end, with the contents of work that was never killed.

    Half of the kills come before a random file operation (of one worker alone: others' are not seen), half at a random
    time. Each run is a fork, so that none pays for imports.

    Args:
        work: makes `target`, or goes on.
        target: a file or folder; nothing else is beside it in the end.
        contents: name -> bytes of all that work makes.
        begin_anew: removes all of it.
        kills: how many.
        workers: processes of the work.
        lose: called after a kill; may take away what a power cut would.
    """
    chance = random.Random(0)
    started = time.monotonic()
    pid, counted = forked(work, None)
    assert end(pid) == 0
    seconds, operations = time.monotonic() - started, int(os.read(counted, 20))
    reference = contents()
    begin_anew()

    killed = rounds = finished = 0
    while killed < kills:
        rounds += 1
        at = chance.randrange(operations) if rounds % 2 and workers == 1 else None
        pid, _ = forked(work, at)
        if at is None:
            time.sleep(chance.random() * seconds)
            os.kill(pid, signal.SIGKILL)
        status = end(pid)
        killed += status == -signal.SIGKILL
        assert status in (0, -signal.SIGKILL), status
        if status:
            lose(chance)
        if chance.random() < 0.2 or status == 0 or killed == kills:
            finished += 1
            assert end(forked(work, None)[0]) == 0
            now = contents()
            assert set(now) == set(reference), set(now) ^ set(reference)
            assert now == reference
            assert [path.name for path in target.parent.iterdir()] == [target.name]
            begin_anew()
    print(f"{killed} kills, {finished} finished")


def forked(work: Callable[[], object], killed_at: int | None) -> tuple[int, int]:
    """Work in a new process that kills itself before that file operation; return its id and where it tells how many."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        operations = count_operations(killed_at)
        work()
        os.write(writing, str(operations()).encode())
        os._exit(0)
    finally:
        os._exit(1)


def count_operations(killed_at: int | None) -> Callable[[], int]:
    """Count file operations of this process, which kills itself before that one; return what tells how many."""
    operations = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal operations
        if event in WATCHED:
            if operations == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
            operations += 1

    sys.addaudithook(watch)
    return lambda: operations


def end(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
