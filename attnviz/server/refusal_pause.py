"""A pause before those are refused who are refused all the time: to refuse costs nearly as much as to answer,
and who is told at once asks again at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from .rate_limit import RateLimit

SECONDS = 1.0
AT_ONCE_A_MINUTE = 20  # refusals of one address that are told at once
MOST_WAITING = 200  # connections that are held open for this; more are refused at once


class RefusalPause:
    """Counts what each address was refused, and lets it wait a second for more than twenty a minute."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._at_once, self._sleep = RateLimit(AT_ONCE_A_MINUTE, clock), sleep
        self._waiting = 0

    async def before_refusing(self, address: str) -> None:
        """Count one more refusal, and return when it may be told."""
        if self._at_once.allows(address) or self._waiting >= MOST_WAITING:
            return
        self._waiting += 1
        try:
            await self._sleep(SECONDS)
        finally:
            self._waiting -= 1
