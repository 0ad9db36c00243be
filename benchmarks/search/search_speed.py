"""How long a search takes among a million faces, on the shell and in a running process, beside DuckDB and SQLite.

    pip install duckdb
    python benchmarks/search/search_speed.py PACK --json results/search/speed.json

The rows are the scores of the Pack's test faces, repeated, with noise added to their logits so that no two are the
same. All sides answer the same question in the same run, in turn, ROUNDS times, SQLite SLOW_ROUNDS: the best 20 of a
few terms, by the sum of the logarithms of their probabilities. DuckDB and SQLite hold that logarithm of every term that
is asked for, so that they have only to add and to sort; that they find the same faces is checked. Memory is of a fresh
process that opens the library and searches: all of it, and without the pages of the scores' file, which the system may
take back at any time.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from facelocus.data.pack import Pack
from facelocus.files import write_record
from facelocus.library.reader import Library
from facelocus.library.scores import LIMIT, MIDDLE, SCALE, Scores, decode, encode, write_scores
from facelocus.library.store import About, make_folder, open_store, transaction, write_about
from facelocus.model import Model
from facelocus.processes import cores
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.search.evidence import Evidence
from facelocus.search.find import find
from facelocus.search.parse import parse
from facelocus.search.query import Term, terms
from search_quality import predict

SEED = 0
ROUNDS = 30
SLOW_ROUNDS = 5
NOISE = 0.3
BEST = 20

#: Each is asked on its own; the first is the one that is told of.
QUERIES = (
    "smiling woman with glasses",
    "old man with a hat",
    "young woman, blond hair, no glasses",
    "bald man, mustache",
)

OPENED = """
import re, sys
from pathlib import Path
from facelocus.library.reader import Library
from facelocus.search.find import find
from facelocus.search.parse import parse
library = Library(Path(sys.argv[1]))
for text in sys.argv[2:]:
    find(library, parse(text, library.about.attributes), 20)
status = Path("/proc/self/status").read_text()
print(*(int(re.search(rf"{name}:\\s+(\\d+)", status)[1]) / 1024 for name in ("VmHWM", "RssAnon")))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--faces", type=int, help="of the Pack, no more than so many, for a trial")
    options = parser.parse_args()
    model, pack = Model.load(options.model), Pack.open(options.pack)
    probabilities = predict(model, pack, pack.rows("test")[: options.faces])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "library"
        seconds = made(folder, model, probabilities, options.rows)
        library = Library(folder)
        sides = Sides(library, Path(place))
        found = {text: measured(library, sides, text) for text in QUERIES}
        command = [sys.executable, "-m", "facelocus", "search", str(folder), QUERIES[0]]
        shell = [timed(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(ROUNDS // 3)]
        memory = subprocess.run(
            [sys.executable, "-c", OPENED, folder, *QUERIES], check=True, capture_output=True, text=True
        )
        peak, own = map(float, memory.stdout.split())
        size = {file.name: round(file.stat().st_size / 1e6, 1) for file in folder.rglob("*") if file.is_file()}
    record = {
        "what": "search among many faces",
        "unit": "milliseconds: median of rounds with the least and the most; MB",
        "faces": options.rows,
        "rounds": ROUNDS,
        "rounds of SQLite": SLOW_ROUNDS,
        "rounds of the whole command": len(shell),
        "queries": found,
        "on the shell, whole command": spread(shell),
        "memory, MB": {"at most": round(peak, 1), "without the pages of files": round(own, 1)},
        "files, MB": size,
        "seconds to write": round(seconds, 1),
        "noise on logits": NOISE,
        "cores": cores(),
        "seed": SEED,
        "model": model.sha256,
        "date": now(),
        "commit": commit(),
        "device": cpu_name(),
        "versions": versions("numpy", "lark", "duckdb") | {"sqlite": sqlite3.sqlite_version},
    }
    write_record(options.json, record)
    print(json.dumps(record, indent=1))


def made(folder: Path, model: Model, probabilities: np.ndarray, rows: int) -> float:
    """Write a library of so many pictures with a face each, and return the seconds it took."""
    chance = np.random.default_rng(SEED)
    source = decode(encode(probabilities.T)).astype(np.float32)
    codes = np.empty((len(source), rows), np.uint16)
    which = np.arange(rows) % source.shape[1]
    for column, logits in zip(codes, source, strict=True):
        noisy = np.clip(logits[which] + chance.normal(0, NOISE, rows).astype(np.float32), -LIMIT, LIMIT)
        column[:] = np.rint(noisy * SCALE + MIDDLE)
    ids = np.arange(1, rows + 1)
    began = time.perf_counter()
    make_folder(folder)
    store = open_store(folder, to_write=True)
    about = About(model.name, model.sha256 or "", model.attributes, model.thresholds["accuracy"], False, None)
    with transaction(store):
        pictures = ((i, b"/photographs/%07d.jpg" % i, 1, 1, i.to_bytes(16, "big")) for i in ids.tolist())
        store.executemany("INSERT INTO pictures VALUES (?, ?, ?, ?, ?, NULL)", pictures)
        store.executemany(
            "INSERT INTO faces VALUES (?, ?, 1, 0, 0, 100, 100, 0.99, 0.9)",
            zip(ids.tolist(), ids.tolist(), strict=True),
        )
        write_scores(folder, 1, Scores.empty(len(codes)), ids[:0], Scores(codes, ids, ids, np.arange(rows + 1)))
        write_about(store, "about", json.dumps(about.to_json()))
        write_about(store, "generation", "1")
    store.close()
    return time.perf_counter() - began


class Sides:
    """The terms of all queries in DuckDB and SQLite: a column of logarithms of probabilities each, and a row a face."""

    def __init__(self, library: Library, place: Path) -> None:
        self._library = library
        asked = {str(term): term for text in QUERIES for term in self.terms(text)}
        with library.state() as scores:
            evidence = Evidence(scores, library.about.attributes)
            columns = {name: evidence.logs(term, slice(None)) for name, term in asked.items()}
        arrays = {"id": np.arange(len(next(iter(columns.values())))), **columns}
        self.duck = duckdb.connect(str(place / "side.duckdb"))
        self.duck.execute("CREATE TABLE faces AS SELECT * FROM arrays")
        self.lite = sqlite3.connect(place / "side.sqlite")
        named = ", ".join(f'"{name}" REAL' for name in columns)
        self.lite.execute(f"CREATE TABLE faces (id INTEGER PRIMARY KEY, {named})")
        values = zip(
            *(column.astype(float).tolist() if name != "id" else column.tolist() for name, column in arrays.items()),
            strict=True,
        )
        self.lite.executemany(f"INSERT INTO faces VALUES ({', '.join('?' * len(arrays))})", values)
        self.lite.commit()

    def terms(self, text: str) -> list[Term]:
        """Return the terms of a query, all of which are to hold of one face."""
        (people,) = parse(text, self._library.about.attributes).people
        return list(terms(people.so))

    def question(self, text: str) -> str:
        """Return the query in SQL."""
        total = " + ".join(f'"{term}"' for term in self.terms(text))
        return f"SELECT id FROM faces ORDER BY {total} DESC LIMIT {BEST}"


def measured(library: Library, sides: Sides, text: str) -> dict[str, Any]:
    """Return the times of all sides on one query, in turn; they are held to find the same."""
    query, question = parse(text, library.about.attributes), sides.question(text)
    acts: dict[str, Callable[[], object]] = {
        "facelocus, with paths and reasons": lambda: find(library, query, BEST),
        "facelocus, parsing included": lambda: find(library, parse(text, library.about.attributes), BEST),
        "duckdb": lambda: sides.duck.execute(question).fetchall(),
        "sqlite": lambda: sides.lite.execute(question).fetchall(),
    }
    ours = [one.picture - 1 for one in find(library, query, BEST)]
    same = {side: len(set(ours) & {row[0] for row in acts[side]()}) for side in ("duckdb", "sqlite")}
    if min(same.values()) < BEST - 1:  # equal sums may stand in another order at the end
        raise SystemExit(f"{text}: the sides find different faces, of {BEST} the same are {same}")
    times: dict[str, list[float]] = {side: [] for side in acts}
    for number in range(ROUNDS):
        for side, act in acts.items():
            if side != "sqlite" or number < SLOW_ROUNDS:
                times[side].append(timed(act))
    return {"understood": str(query), **{side: spread(some) for side, some in times.items()}}


def timed(act: Callable[[], object]) -> float:
    """Return the milliseconds that something takes."""
    began = time.perf_counter()
    act()
    return 1e3 * (time.perf_counter() - began)


def spread(times: list[float]) -> list[float]:
    """Return the median, the least and the most."""
    return [round(value, 3) for value in (statistics.median(times), min(times), max(times))]


if __name__ == "__main__":
    main()
