"""A program that packs and is killed at many moments: python killed_packing.py SOURCE FOLDER KILLS WORKERS

Half of the kills come before a random file operation, half at a random time. Ends well when what is packed in the
end is, byte for byte, what one uninterrupted packing gives. Each packing is a fork, so that none pays for imports.
"""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import facelocus.detection.detect
from facelocus.data import FaceTable, Pack, packing, read_table

assert facelocus.detection.detect  # imported before forking

WATCHED = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "fcntl.flock"}


def main() -> None:
    source, folder, kills, workers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    packing._RECORD_EVERY, packing._CHUNK_OF_PHOTOGRAPHS = 0, 4
    table = dataclasses.replace(read_table(source), aligned=False)
    chance = random.Random(0)
    started = time.monotonic()
    pid, counted = fork(table, folder / "whole" / "pack", workers, None)
    assert end(pid) == 0
    seconds, operations = time.monotonic() - started, int(os.read(counted, 20))
    reference = contents(folder / "whole" / "pack")

    killed = rounds = finished = 0
    target = folder / "killed" / "pack"
    while killed < kills:
        rounds += 1
        at = chance.randrange(operations) if rounds % 2 and workers == 1 else None
        pid, _ = fork(table, target, workers, at)
        if at is None:
            time.sleep(chance.random() * seconds)
            os.kill(pid, signal.SIGKILL)
        status = end(pid)
        killed += status == -signal.SIGKILL
        assert status in (0, -signal.SIGKILL), status
        if chance.random() < 0.2 or status == 0 or killed == kills:
            finished += 1
            assert end(fork(table, target, workers, None)[0]) == 0
            assert contents(target) == reference
            assert [path.name for path in target.parent.iterdir()] == ["pack"]
            shutil.rmtree(target)
    print(f"{killed} kills, {finished} finished")


def fork(table: FaceTable, target: Path, workers: int, killed_at: int | None) -> tuple[int, int]:
    """Pack in a new process that kills itself before that file operation; return its id and where it tells how many."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    operations = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal operations
        if event in WATCHED:
            if operations == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
            operations += 1

    try:
        sys.addaudithook(watch)
        Pack.build(table, target, workers)
        os.write(writing, str(operations).encode())
        os._exit(0)
    finally:
        os._exit(1)


def end(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


if __name__ == "__main__":
    main()
