"""What is waited for, and not longer: an answer, the end of its time, or to be stopped."""

from __future__ import annotations

import asyncio

import pytest

from facelocus.serve.waiting import within


def test_what_comes_in_time_is_returned_and_what_does_not_is_cancelled() -> None:
    async def both() -> asyncio.Future[int]:
        early, late = (asyncio.get_running_loop().create_future() for _ in range(2))
        asyncio.get_running_loop().call_later(0.01, early.set_result, 1)
        assert await within(early, 60) == 1
        with pytest.raises(TimeoutError):
            await within(late, 0.01)
        return late

    assert asyncio.run(both()).cancelled()


def test_a_cancellation_that_comes_with_the_answer_is_not_lost() -> None:
    async def stopped() -> None:
        work = asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(within(work, 60))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        work.set_result(1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(stopped())
