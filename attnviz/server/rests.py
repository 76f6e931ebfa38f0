"""Who waits for the next turn although there is room, so that others, who ask now and then, find it free.

To take turns does not suffice: whoever never stops has something running whenever somebody else comes, and
half of the processors with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

from .asker import Asker

EACH_SECOND = 3.0  # seconds until the next turn for each second of work: a third of the time for one visitor
AHEAD = 2.0  # seconds that may be owed: to look at a photo and its layers takes less
FAILED_SECOND = 3.0  # for each second of work that failed, at once and for the whole address
LONGEST = 30.0  # seconds until the next turn: with more a visitor would take the page to be broken


class Rests:
    """Counts the work of visitors, of one kind or of several, and the failed work of addresses."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[Hashable, float] = {}  # an asker's or an address's next turn, or a time that passed
        self._lock = threading.Lock()

    def add(self, asker: Asker, seconds: float, failed: bool) -> None:
        """Count work that has just ended."""
        now = self._clock()
        with self._lock:
            owed_before = max(now - AHEAD, self._until.get(asker, 0.0))
            self._until[asker] = min(owed_before + EACH_SECOND * seconds, now + LONGEST)
            if failed:
                begins = max(now, self._until.get(asker.address, 0.0))
                self._until[asker.address] = min(begins + FAILED_SECOND * seconds, now + LONGEST)

    def rests(self, asker: Asker) -> bool:
        """Whether an asker has to wait."""
        now = self._clock()
        return any(self._until.get(who, 0.0) > now for who in (asker, asker.address))

    def next_end(self) -> float | None:
        """Seconds until somebody need not wait any more; None where nobody waits."""
        now = self._clock()
        with self._lock:
            self._until = {who: until for who, until in self._until.items() if until > now - AHEAD}
        return min((until - now for until in self._until.values() if until > now), default=None)
