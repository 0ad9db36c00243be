"""Many clients at once: each sends a request, waits for its answer, looks at it, and sends the next."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

#: Seconds after which a client takes its answer for lost; and that it waits where there is no server.
PATIENCE, PAUSE = 120.0, 0.2

#: Probabilities are right to within this.
AGREE = 1e-4


@dataclass(frozen=True)
class Asked:
    """A request and what must be answered.

    Attributes:
        kind: what it is counted as.
        request: it, for any server.
        status: that the answer must have.
        fits: whether the answer's JSON is right.
    """

    kind: str
    request: httpx.Request
    status: int
    fits: Callable[[Any], bool]


def upload(name: str, content: bytes, **options: str) -> httpx.Request:
    """Return the request that sends a picture."""
    request = httpx.Request("POST", "http://server/analyze", params=options, files={"files": (name, content)})
    request.read()
    return request


def photographs(folder: Path, table: Path) -> list[Asked]:
    """Return a request for each photograph, whose answer must be what the table says."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in table.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        rows[Path(row["path"]).name] += [row] if row["face"] else []

    def asked(file: Path) -> Asked:
        def fits(answer: Any) -> bool:
            (picture,) = answer["pictures"]
            wanted = rows[file.name]
            return (
                picture["name"] == file.name
                and len(picture["faces"]) == len(wanted)
                and all(
                    abs(probability - row[name]) <= AGREE
                    for face, row in zip(picture["faces"], wanted, strict=True)
                    for name, probability in face["attributes"].items()
                )
            )

        return Asked("picture", upload(file.name, file.read_bytes()), 200, fits)

    return [asked(file) for file in sorted(folder.iterdir())]


def bad(folder: Path) -> list[Asked]:
    """Return requests that must be refused."""
    whole = min(folder.iterdir()).read_bytes()
    made = {
        "no picture": (b"a line of text\n" * 500, 422),
        "empty": (b"", 422),
        "cut short": (whole[: len(whole) // 3], 422),
        "too many pixels": (b"P6 60000 60000 255\n", 422),
        "too many bytes": (bytes(1_200_000), 413),
    }
    return [
        Asked(
            "bad", upload(name, content), status, lambda answer: {"type", "message", "request"} == set(answer["error"])
        )
        for name, (content, status) in made.items()
    ]


@dataclass
class Record:
    """What became of all requests.

    Attributes:
        counts: kind -> how it ended -> how often: "right", "wrong", "lost" (no answer), or "sent away" (503 or 429 with
            Retry-After; the client goes on after that time).
        seconds: kind -> of each right answer.
    """

    counts: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def note(self, kind: str, end: str, seconds: float) -> None:
        self.counts[kind][end] += 1
        if end == "right":
            self.seconds[kind].append(seconds)

    def total(self, end: str) -> int:
        """Return how many requests of all kinds ended so."""
        return sum(ends[end] for ends in self.counts.values())


def crowd(
    where: Callable[[], str],
    asked: Sequence[Asked],
    bad: Sequence[Asked],
    *,
    clients: int,
    broken: float,
    stop: threading.Event,
    seed: int = 0,
) -> Record:
    """Let clients send until they are stopped, each at least once; what is under way then is still waited for.

    Args:
        where: returns the server's address, of which only this machine's is asked.
        asked: what is sent, in an order drawn for each client.
        bad: what is sent instead, now and then.
        clients: how many at once.
        broken: how often, in [0, 1].
        stop: set when no more is to be sent.
        seed: of the orders.
    """
    record = Record()

    async def all_clients() -> None:
        limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
        async with httpx.AsyncClient(timeout=PATIENCE, limits=limits, trust_env=False) as client:
            await asyncio.gather(*(one(client, random.Random(f"{seed} {number}")) for number in range(clients)))

    async def one(client: httpx.AsyncClient, draw: random.Random) -> None:
        while True:
            each = draw.choice(bad) if bad and draw.random() < broken else draw.choice(asked)
            start = time.perf_counter()
            end, again = await _ended(client, where(), each)
            record.note(each.kind, end, time.perf_counter() - start)
            await asyncio.sleep(again)
            if stop.is_set():
                return

    asyncio.run(all_clients())
    return record


async def _ended(client: httpx.AsyncClient, address: str, each: Asked) -> tuple[str, float]:
    """Send a request; return how it ended and the seconds until the client may go on."""
    request, url = each.request, httpx.URL(address)
    if url.host != "127.0.0.1":
        raise ValueError(f"{address} is not of this machine: nobody else's server is put under load")
    url = url.copy_with(raw_path=request.url.raw_path)
    headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
    try:
        answer = await client.request(request.method, url, content=request.content, headers=headers)
    except httpx.HTTPError:
        return "lost", PAUSE
    if "Retry-After" in answer.headers and answer.status_code in (429, 503):
        return "sent away", float(answer.headers["Retry-After"])
    try:
        right = answer.status_code == each.status and each.fits(answer.json())
    except (json.JSONDecodeError, KeyError, TypeError):
        right = False
    return "right" if right else "wrong", 0.0
