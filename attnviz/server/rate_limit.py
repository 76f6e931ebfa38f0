"""How many requests an address may send."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_ADDRESSES = 10_000  # whose requests are counted


class RateLimit:
    """A bucket of a minute's requests for each address, which fills as the minute passes; 0 a minute are as
    many as anyone likes."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = (
            OrderedDict()
        )  # what is in each, and since when

    def allows(self, address: str, weight: float = 1.0) -> bool:
        """Whether one more request of an address is within its limit; counts it as ``weight`` requests."""
        if not self.per_minute:
            return True
        full, now = float(self.per_minute), self._clock()
        content, since = self._buckets.pop(address, (full, now))
        content = min(full, content + (now - since) * full / 60) - weight
        self._buckets[address] = max(content, -1.0), now
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return content >= 0
