"""A program that analyzes a folder and is killed at many moments: python killed_folder.py SOURCE OUT KILLS WORKERS

SOURCE holds photos/ and model.onnx. Half of the kills come before a random file operation, half at a random time; some
lose the last bytes that were written, as in a power cut. Ends well when the table and the sidecars are, byte for byte,
what one uninterrupted run gives. Each run is a fork, so that none pays for imports.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import pyarrow.parquet

from facelocus.errors import UsageError
from facelocus.model import Model
from facelocus.photos import folder as folder_module
from facelocus.photos.folder import Request, analyze_folder
from facelocus.photos.journal import partial
from facelocus.photos.listing import Arguments

assert pyarrow.parquet  # imported before forking

WATCHED = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "fcntl.flock"}


def main() -> None:
    source, out, kills, workers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    folder_module._CHUNK_OF_CROPS = 3
    arguments = Arguments([str(source / "photos")])
    request = Request.of(Model.load(source / "model.onnx", threads=1), aligned=True, sidecars=True)
    chance = random.Random(0)
    started = time.monotonic()
    pid, counted = fork(arguments, out, request, workers, None)
    assert end(pid) == 0
    seconds, operations = time.monotonic() - started, int(os.read(counted, 20))
    reference = contents(source, out)
    begin_anew(source, out)

    killed = rounds = finished = 0
    while killed < kills:
        rounds += 1
        at = chance.randrange(operations) if rounds % 2 and workers == 1 else None
        pid, _ = fork(arguments, out, request, workers, at)
        if at is None:
            time.sleep(chance.random() * seconds)
            os.kill(pid, signal.SIGKILL)
        status = end(pid)
        killed += status == -signal.SIGKILL
        assert status in (0, -signal.SIGKILL), status
        rows = partial(out) / "rows.jsonl"
        if status and rows.exists() and not out.exists() and chance.random() < 0.5:
            os.truncate(rows, chance.randint(0, rows.stat().st_size))
        if chance.random() < 0.2 or status == 0 or killed == kills:
            finished += 1
            assert end(fork(arguments, out, request, workers, None)[0]) == 0
            now = contents(source, out)
            assert set(now) == set(reference), set(now) ^ set(reference)
            assert now == reference
            assert [path.name for path in out.parent.iterdir()] == [out.name]
            begin_anew(source, out)
    print(f"{killed} kills, {finished} finished")


def fork(arguments: Arguments, out: Path, request: Request, workers: int, killed_at: int | None) -> tuple[int, int]:
    """Analyze in a new process that kills itself before that operation; return its id and where it tells how many."""
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
        try:
            analyze_folder(arguments, out, request, workers)
        except UsageError as error:
            assert "is there already" in str(error), error
        os.write(writing, str(operations).encode())
        os._exit(0)
    finally:
        os._exit(1)


def end(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def contents(source: Path, out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in [out, *(source / "photos").iterdir()]}


def begin_anew(source: Path, out: Path) -> None:
    shutil.rmtree(partial(out), ignore_errors=True)
    for path in [out, *(source / "photos").glob("*.xmp")]:
        path.unlink()


if __name__ == "__main__":
    main()
