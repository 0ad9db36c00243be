"""Waiting for something, but not longer than said."""

from __future__ import annotations

import asyncio
from typing import TypeVar

Answer = TypeVar("Answer")


async def within(work: asyncio.Future[Answer], seconds: float) -> Answer:
    """Return what a future brings.

    Before Python 3.12 asyncio.wait_for forgets a cancellation that comes together with its answer.

    Raises:
        TimeoutError: it takes longer; it is cancelled, as it is with the caller.
    """
    try:
        if not (await asyncio.wait({work}, timeout=seconds))[0]:
            raise TimeoutError
        return work.result()
    finally:
        work.cancel()
