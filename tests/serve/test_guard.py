"""The guard by itself: what it holds of all requests, and how long it waits for one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from facelocus.serve.guard import Guard
from facelocus.serve.metrics import Metrics
from facelocus.serve.settings import Limits

Message = dict[str, Any]


async def reads_all(scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
    """An application that reads a body, and answers when it may."""
    while (await receive()).get("more_body"):
        pass
    await scope["answer"].wait()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class Asking:
    """A request to a guard, piece by piece."""

    def __init__(self, guard: Guard) -> None:
        self.pieces: asyncio.Queue[Message] = asyncio.Queue()
        self.answer = asyncio.Event()
        self.sent: list[Message] = []
        scope = {"type": "http", "method": "POST", "path": "/analyze", "headers": [(b"host", b"localhost")],
                 "answer": self.answer}  # fmt: skip

        async def send(message: Message) -> None:
            self.sent.append(message)

        self.task = asyncio.ensure_future(guard(scope, self.pieces.get, send))  # type: ignore[arg-type]

    async def give(self, body: bytes, more: bool) -> None:
        await self.pieces.put({"type": "http.request", "body": body, "more_body": more})

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def error(self) -> str:
        return str(json.loads(self.sent[1]["body"])["error"]["type"])


def guard_of(**limits: Any) -> Guard:
    return Guard(reads_all, limits=Limits(**limits), token=None, metrics=Metrics(lambda: 0))  # type: ignore[arg-type]


def test_all_requests_together_hold_so_much_and_what_is_answered_is_free_again() -> None:
    async def run() -> None:
        guard = guard_of(held_bytes=100)
        first, second = Asking(guard), Asking(guard)
        await first.give(bytes(60), more=False)
        await asyncio.sleep(0)
        await second.give(bytes(30), more=True)
        await second.give(bytes(30), more=True)
        await second.task
        assert (second.status, second.error) == (503, "BusyError")
        first.answer.set()
        await first.task
        assert first.status == 200
        third = Asking(guard)
        third.answer.set()
        await third.give(bytes(100), more=False)
        await third.task
        assert third.status == 200

    asyncio.run(asyncio.wait_for(run(), 60))


def test_a_request_that_is_not_gone_on_with_is_refused_and_one_that_waits_for_its_answer_is_not() -> None:
    async def run() -> None:
        guard = guard_of(idle_seconds=0.2)
        begun, whole = Asking(guard), Asking(guard)
        await begun.give(b"--x", more=True)
        await whole.give(b"--x", more=False)
        await begun.task
        assert (begun.status, begun.error) == (408, "SlowError")
        await asyncio.sleep(0.3)
        assert not whole.task.done()
        whole.answer.set()
        await whole.task
        assert whole.status == 200

    asyncio.run(asyncio.wait_for(run(), 60))
