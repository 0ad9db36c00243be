"""Pictures of all clients, described by worker processes, a few at a time.

Each worker has a lane: it takes what waits, up to BATCH pictures that are asked the same, so that many clients with one
picture each get the throughput of one client with many. A picture that takes too long, or that kills its process, costs
that process; what it was described with is described again, each picture alone. So is a picture that was alone when its
process was killed, which may have been another's doing. After an error that nobody foresaw, too, each is alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

from facelocus.errors import FacelocusError, WorkerError, first_line
from facelocus.processes import pool_of
from facelocus.serve.refusals import BusyError, TooManyError, TooSlowError
from facelocus.serve.settings import Limits, Options
from facelocus.serve.waiting import within
from facelocus.serve.work import Picture, Workshop, describe, warm_up

#: Pictures that a worker is given at once: what fills a network's batch where each shows one face.
BATCH = 4

#: Seconds that a worker may take to start.
_START = 120.0


@dataclass
class _Waiting:
    """A picture of which somebody waits for the answer."""

    picture: Picture
    options: Options
    client: str
    answer: asyncio.Future[dict[str, Any]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Queue:
    """What is to be described.

    Attributes:
        on_batch: called with the number of pictures of each batch, as it is begun.
    """

    def __init__(self, workshop: Workshop, limits: Limits, workers: int) -> None:
        self._workshop, self._limits = workshop, limits
        self._pools: list[ProcessPoolExecutor] = [pool_of(1) for _ in range(workers)]
        self._waiting: deque[_Waiting] = deque()
        self._clients: Counter[str] = Counter()
        self._changed = asyncio.Condition()
        self._lanes: list[asyncio.Task[None]] = []
        self.on_batch: Callable[[int], None] = lambda count: None

    def __len__(self) -> int:
        """Return how many pictures wait."""
        return len(self._waiting)

    async def start(self) -> None:
        """Start the workers.

        Raises:
            ModelFileError: the model cannot be opened by a worker.
            WorkerError: a process does not start.
        """
        lanes = range(len(self._pools))
        try:
            await asyncio.gather(*(self._in_time(lane, _START, warm_up, self._workshop) for lane in lanes))
        except _LostError as error:
            raise WorkerError("a worker process does not start: is there memory for one more?") from error
        self._lanes = [asyncio.create_task(self._work(lane)) for lane in range(len(self._pools))]

    async def stop(self) -> None:
        """End the workers; what waits is not answered any more."""
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        for pool in self._pools:
            _end(pool)

    async def describe(self, pictures: Sequence[Picture], options: Options, client: str) -> list[dict[str, Any]]:
        """Return an entry for each picture, in their order, when all are described or have failed.

        Args:
            pictures: what one request asks about.
            options: what it asks.
            client: whose request it is.

        Raises:
            BusyError: as many pictures wait as may.
            TooManyError: as many of this client wait as may.
        """
        count = len(pictures)
        if len(self._waiting) + count > self._limits.queue:
            raise BusyError(f"{len(self._waiting)} pictures wait already: try again in a moment")
        # A request that is alone always fits.
        if self._clients[client] and self._clients[client] + count > self._limits.share * self._limits.queue:
            raise TooManyError(f"{self._clients[client]} pictures of yours wait already: send fewer at a time")
        mine = [_Waiting(picture, options, client) for picture in pictures]
        self._clients[client] += count
        try:
            async with self._changed:
                self._waiting.extend(mine)
                self._changed.notify_all()
            return list(await asyncio.gather(*(each.answer for each in mine)))
        except asyncio.CancelledError:  # the client has gone; with the waiting its answers are cancelled
            self._waiting = deque(each for each in self._waiting if not each.answer.done())
            raise
        finally:
            self._clients[client] -= count
            if not self._clients[client]:
                del self._clients[client]

    async def _work(self, lane: int) -> None:
        while True:
            batch = await self._next()
            self.on_batch(len(batch))
            try:
                await self._answer(lane, batch)
            except _LostError as lost:
                if len(batch) == 1 and not lost.killed:
                    _give_up(batch[0])
                    continue
                for each in batch:
                    await self._try_alone(lane, each)

    async def _next(self) -> list[_Waiting]:
        """Wait for a picture; return it with others that are asked the same, in the order in which they came."""
        async with self._changed:
            while True:
                while self._waiting and self._waiting[0].answer.done():
                    self._waiting.popleft()
                if self._waiting:
                    break
                await self._changed.wait()
            batch = [self._waiting.popleft()]
            while self._waiting and len(batch) < BATCH and self._waiting[0].options == batch[0].options:
                if (following := self._waiting.popleft()) and not following.answer.done():
                    batch.append(following)
            return batch

    async def _try_alone(self, lane: int, each: _Waiting) -> None:
        try:
            await self._answer(lane, [each])
        except _LostError:
            _give_up(each)

    async def _answer(self, lane: int, batch: list[_Waiting]) -> None:
        """Describe a batch and give the answers out; where that fails unforeseen, each picture alone.

        Raises:
            _LostError: its process was lost over it.
        """
        pictures = [each.picture for each in batch]
        seconds = self._limits.seconds * len(batch)
        try:
            entries = await self._in_time(lane, seconds, describe, pictures, batch[0].options, self._workshop)
        except _LostError:
            raise
        except FacelocusError as error:
            entries = [_failed(each.picture, error) for each in batch]
        except Exception as error:
            if len(batch) > 1:
                for each in batch:
                    await self._try_alone(lane, each)
                return
            reason = WorkerError(f"internal error, {type(error).__name__} {first_line(error)}: report it")
            entries = [_failed(batch[0].picture, reason)]
        for each, entry in zip(batch, entries, strict=True):
            if not each.answer.done():
                each.answer.set_result(entry)

    async def _in_time(self, lane: int, seconds: float, function: Callable[..., Any], *given: Any) -> Any:
        """Return function(*given) of a lane's process.

        Raises:
            _LostError: it took longer or was killed.
        """
        try:
            work = self._begin(lane, function, *given)
        except BrokenProcessPool:  # it was killed while it had nothing to do
            await self._replace(lane)
            work = self._begin(lane, function, *given)
        try:
            return await within(work, seconds)
        except (TimeoutError, BrokenProcessPool) as error:
            await self._replace(lane)
            raise _LostError(killed=isinstance(error, BrokenProcessPool)) from error

    async def _replace(self, lane: int) -> None:
        """Give a lane a new process, and wait until it has opened everything: that is on no picture's time."""
        _end(self._pools[lane])
        self._pools[lane] = pool_of(1)
        with contextlib.suppress(BrokenProcessPool, FacelocusError, TimeoutError):
            await within(self._begin(lane, warm_up, self._workshop), _START)

    def _begin(self, lane: int, function: Callable[..., Any], *given: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._pools[lane], function, *given)


class _LostError(Exception):
    """A worker process is gone, with what it was at.

    Attributes:
        killed: it was killed, by whomever; otherwise it took too long.
    """

    def __init__(self, killed: bool) -> None:
        super().__init__()
        self.killed = killed


def _give_up(each: _Waiting) -> None:
    reason = TooSlowError(f"{each.picture.name} took too long, or more memory than there is: make it smaller")
    if not each.answer.done():
        each.answer.set_result(_failed(each.picture, reason))


def _failed(picture: Picture, error: FacelocusError) -> dict[str, Any]:
    return {"name": picture.name, "faces": [], "error": error.to_json()["error"]}


def _end(pool: ProcessPoolExecutor) -> None:
    """End a pool's process, whatever it is at."""
    for process in list((pool._processes or {}).values()):
        process.kill()
    pool.shutdown(wait=False, cancel_futures=True)
