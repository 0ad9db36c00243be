"""Feed broken pictures to the whole of `facelocus.analyze`, and see that each is answered by faces or by one line.

    python benchmarks/photographs/fuzz.py --json results/photographs/fuzz.json
    python benchmarks/photographs/fuzz.py --seed 7 --first 1234 --count 1

Pictures in every format that is read are drawn (or made of matplotlib's sample portrait), then broken: benchmarks/
broken_pictures.py and bombs.py. Picture N follows from the seed and N alone. Each worker process has the real detector
and model; it is watched, and ended where a picture takes more than twice the limit of 10 seconds. Memory of a process
may not exceed 2 GB: it is measured (Linux only), and the system gives a process no more than twice that. Every eighth
picture is read from a file under an odd name, the others from bytes.

A picture fails that ends the process, takes too long or too much memory, raises anything but a FacelocusError of one
line, or makes Python write to stderr; libtiff does so of itself, which is counted. What failed is saved in --keep, and
the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from tqdm import tqdm

import broken_pictures
from facelocus.detection.detect import Detector
from facelocus.errors import FacelocusError
from facelocus.files import write_record
from facelocus.model import Model
from facelocus.photos.analyze import analyze
from facelocus.processes import cores
from facelocus.provenance import commit, cpu_name, now, versions

SECONDS = 10
MEMORY = 2_000_000_000
FINE = ("faces", "no face", "refused", "refused for lack of memory")


class Answer(NamedTuple):
    """What became of one picture; `peak` is the most memory in bytes that its process had while it was analyzed.

    `noisy`: a library of the decoders wrote a line to stderr.
    """

    number: int
    kind: str
    mutation: str
    outcome: str
    seconds: float
    peak: int
    noisy: bool = False


class Worker:
    """A process that analyzes one picture at a time."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.number: int | None = None
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.link, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(self._seed, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, number: int | None) -> None:
        """Give it a picture, or None to end."""
        self.number, self._since = number, time.monotonic()
        self.link.send(number)

    def answer(self) -> Answer | None:
        """Return the answer that has come; None while it works. A process that crashed or hangs is replaced."""
        assert self.number is not None
        if self.link.poll():
            try:
                answer: Answer = self.link.recv()
                return answer
            except EOFError:
                self._process.join()
                return self._replaced(f"crash ({self._process.exitcode})")
        if time.monotonic() - self._since > 2 * SECONDS:
            self._process.kill()
            self._process.join()
            return self._replaced("hang")
        return None

    def _replaced(self, outcome: str) -> Answer:
        assert self.number is not None
        self.link.close()
        self._start()
        return Answer(self.number, "?", "?", outcome, time.monotonic() - self._since, 0)


def work(seed: int, link: Connection) -> None:
    """Answer the numbers that come with what became of each picture."""
    whole = broken_pictures.originals(portrait())
    detector, model = Detector(threads=1), Model.load("default", threads=1)
    analyze(broken_pictures.drawn(), model=model, detector=detector)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2 * MEMORY, resource.RLIM_INFINITY))
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), sys.stderr.fileno())
        file = Path(folder) / "odd\n\x1b[31m name\udcff"
        while (number := link.recv()) is not None:
            kind, mutation, content = broken_pictures.broken(number, seed, whole)
            source: Path | bytes = content
            if number % 8 == 0:
                file.write_bytes(content)
                source = file
            most_memory(anew=True)
            start, written = time.perf_counter(), os.fstat(noise.fileno()).st_size
            try:
                outcome = "faces" if analyze(source, model=model, detector=detector) else "no face"
            except FacelocusError as error:
                line = str(error)
                outcome = "refused for lack of memory" if "needs more memory" in line else "refused"
                if not line.isprintable() or len(line) > 1000:
                    outcome = f"not one line: {line!r}"
            except BaseException as error:
                outcome = f"{type(error).__name__}: {error}"[:300]
            seconds = time.perf_counter() - start
            peak = most_memory()
            noise.seek(written)
            said = noise.read(300)
            if b".py:" in said:
                outcome = f"stderr: {said!r}"
            elif seconds > SECONDS and outcome in FINE:
                outcome = "too slow"
            elif peak > MEMORY and outcome in FINE:
                outcome = "too much memory"
            link.send(Answer(number, kind, mutation, outcome, seconds, peak, len(said) > 0))


def most_memory(anew: bool = False) -> int:
    """Return the most memory in bytes this process has had since it was asked for anew."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def portrait() -> Image.Image:
    """Return matplotlib's sample portrait, reduced, or where it is not installed something drawn."""
    try:
        import matplotlib
    except ImportError:
        return broken_pictures.drawn()
    with Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg") as image:
        return image.convert("RGB").crop((140, 60, 400, 360)).resize((104, 120))


def answers(seed: int, numbers: Iterator[int], processes: int) -> Iterator[Answer]:
    """Yield the answer to each number's picture."""
    workers = [Worker(seed) for _ in range(processes)]
    for worker in workers:
        worker.send(next(numbers, None))
    while busy := [worker for worker in workers if worker.number is not None]:
        wait([worker.link for worker in busy], timeout=1)
        for worker in busy:
            answer = worker.answer()
            if answer is not None:
                yield answer
                worker.send(next(numbers, None))


def main() -> None:
    parser = argparse.ArgumentParser(description="Analyze broken pictures; each must be answered.")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first picture")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=cores())
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "facelocus-fuzz")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    whole = broken_pictures.originals(portrait())
    numbers = range(options.first, options.first + options.count)
    start, found = time.perf_counter(), []
    for answer in tqdm(answers(options.seed, iter(numbers), options.processes), total=options.count, unit="picture"):
        if answer.outcome not in FINE:
            kind, mutation, content = broken_pictures.broken(answer.number, options.seed, whole)
            answer = answer._replace(kind=kind, mutation=mutation)
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{options.seed}-{answer.number}").write_bytes(content)
            tqdm.write(f"{answer.number} ({kind}, {mutation}): {answer.outcome}")
        found.append(answer)
    record = {
        "what": "broken pictures through the whole of facelocus.analyze",
        "pictures": len(found),
        "seed": options.seed,
        **summary(found),
        "seconds": round(time.perf_counter() - start, 1),
        "processes": options.processes,
        "date": now(),
        "commit": commit(),
        "device": cpu_name(),
        "versions": versions("numpy", "pillow", "pillow-heif", "onnxruntime"),
    }
    if options.json:
        write_record(options.json, record)
    print(json.dumps({key: value for key, value in record.items() if key != "each"}, indent=1))
    if record["failed"]:
        raise SystemExit(f"{len(record['failed'])} failed: see {options.keep}")


def summary(found: list[Answer]) -> dict[str, Any]:
    """Return counts by format, mutation and outcome, and the slowest and largest."""
    each: dict[str, dict[str, Counter[str]]] = {}
    for answer in found:
        kind = each.setdefault(answer.kind.partition(":")[0], {})
        kind.setdefault(answer.mutation, Counter())[answer.outcome] += 1
    slowest = sorted(found, key=lambda answer: -answer.seconds)
    return {
        "outcomes": dict(Counter(answer.outcome for answer in found)),
        "limits": {"seconds": SECONDS, "bytes": MEMORY},
        "failed": [answer._asdict() for answer in found if answer.outcome not in FINE],
        "slowest": [{**answer._asdict(), "seconds": round(answer.seconds, 2)} for answer in slowest[:10]],
        "largest": [answer._asdict() for answer in sorted(found, key=lambda answer: -answer.peak)[:10]],
        "median seconds": round(slowest[len(slowest) // 2].seconds, 4),
        "lines of decoders on stderr": sum(answer.noisy for answer in found),
        "peak bytes of a process": max(answer.peak for answer in found),
        "each": {kind: {mutation: dict(counts) for mutation, counts in each[kind].items()} for kind in sorted(each)},
    }


if __name__ == "__main__":
    main()
