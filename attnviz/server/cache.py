"""A cache for what is slow to make: open networks, traces, features. Nobody holds more of it than a share."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .asker import Asker, who_asks

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MOST_HOLDERS = 32  # of a value, among whom its size is divided; whoever else uses it holds nothing of it


@dataclass(eq=False)
class _Entry(Generic[Value]):
    value: Value
    size: int
    last_used: float
    holders: set[Asker] = field(default_factory=set)


class Cache(Generic[Key, Value]):
    """Values by key, at most ``max_bytes`` of them, each until ``kept_seconds`` after its last use. The last
    one stays, however large it is.

    Who asks for a value holds it; several hold equal parts. Nobody holds more than ``max_each`` bytes but for
    the last value: the least recently used of the visitor's own goes first, but not for others who hold it
    too. Where all is full, what goes first is what nobody holds; then of the address that holds most, since
    sessions' names are chosen, of the visitor there who holds most, what the fewest hold with that one, and
    of that the least recently used. Values whose keys ``stay`` never go to make room, and nobody holds them.

    Each value is computed once: callers that ask for a key while it is computed wait, which takes no thread,
    and get the same value or the same error. The computation goes on if who asked first leaves. An error is
    not kept.

    cachetools has no such cache: its time counts from when a value was put in, and it refuses a value that is
    larger than the whole."""

    def __init__(
        self,
        size_of: Callable[[Value], int],
        max_bytes: int,
        kept_seconds: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
        max_each: float = math.inf,
        stays: Callable[[Key], bool] = lambda key: False,
    ) -> None:
        self.max_bytes, self.max_each = max_bytes, max_each
        self._size_of, self._kept_seconds, self._clock, self._stays = size_of, kept_seconds, clock, stays
        self._entries: OrderedDict[Key, _Entry[Value]] = OrderedDict()  # the least recently used first
        self._under_way: dict[Key, Future[Value]] = {}
        self._tasks: set[asyncio.Task] = set()  # an event loop alone would lose them
        self._lock = threading.Lock()

    async def get(self, key: Key, compute: Callable[[], Awaitable[Value]]) -> Value:
        """The value of this key, kept or computed now. Raises what the computation raises."""
        with self._lock:
            self._drop_expired()
            entry = self._entries.get(key)
            if entry is not None:
                entry.last_used = self._clock()
                self._entries.move_to_end(key)
                self._hold(key, who_asks())
                return entry.value
            waits_for = self._under_way.get(key)
            if waits_for is None:
                waits_for = self._under_way[key] = Future()
                waits_for.set_running_or_notify_cancel()  # from now on nobody who waits can cancel it
                task = asyncio.get_running_loop().create_task(self._compute(key, compute, waits_for))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        value = await asyncio.wrap_future(waits_for)
        with self._lock:
            self._hold(key, who_asks())
        return value

    def drop(self, unwanted: Callable[[Key], bool]) -> None:
        """Let go of the values of these keys; what is being computed for them is not kept either."""
        with self._lock:
            for key in [key for key in self._entries if unwanted(key)]:
                del self._entries[key]
            for key in [key for key in self._under_way if unwanted(key)]:
                del self._under_way[key]

    def release(self, session: str) -> None:
        """Let a visitor hold nothing any more. What others hold, or might ask for, stays for a while."""
        with self._lock:
            for entry in self._entries.values():
                entry.holders = {holder for holder in entry.holders if holder.session != session}

    def make_room(self, size: int) -> None:
        """Let go of values until ``size`` bytes more can be kept."""
        with self._lock:
            self._make_room(self.max_bytes - size)

    def halve(self) -> None:
        """Let go of half of what is kept, by size, as where all is full."""
        with self._lock:
            self._make_room(sum(entry.size for entry in self._entries.values()) // 2)

    def held(self) -> dict[Asker, float]:
        """How many bytes each holds."""
        with self._lock:
            return self._held()

    def expire(self) -> None:
        """Let go of what was last used longer ago than it is kept."""
        with self._lock:
            self._drop_expired()

    def keys(self) -> list[Key]:
        """The keys of what is kept, the least recently used first."""
        with self._lock:
            return list(self._entries)

    async def _compute(
        self, key: Key, compute: Callable[[], Awaitable[Value]], result: Future[Value]
    ) -> None:
        try:
            value = await compute()
            size = self._size_of(value)
        except BaseException as error:
            with self._lock:
                if self._under_way.get(key) is result:
                    del self._under_way[key]
            result.set_exception(error)
            return
        with self._lock:
            if self._under_way.get(key) is result:  # else the key was dropped meanwhile
                del self._under_way[key]
                self._entries[key] = _Entry(value, size, self._clock())
                self._hold(key, who_asks())  # who asked first
                self._make_room(self.max_bytes, newest=key)
        result.set_result(value)

    def _hold(self, key: Key, asker: Asker) -> None:
        """Let who asks hold a value, and less of others where that is more than a share."""
        entry = self._entries.get(key)
        if entry is None or asker in entry.holders or len(entry.holders) >= MOST_HOLDERS:
            return
        if self._stays(key):
            return
        entry.holders.add(asker)
        others = [other for other in self._entries if other != key and asker in self._entries[other].holders]
        excess = self._held()[asker] - self.max_each
        for other in others:
            if excess <= 0:
                return
            excess -= self._let_go(other, asker)

    def _let_go(self, key: Key, asker: Asker) -> float:
        """Take a value from one of those who hold it; how many bytes that were of that one."""
        entry = self._entries[key]
        part = entry.size / len(entry.holders)
        entry.holders.discard(asker)
        if not entry.holders:
            del self._entries[key]
        return part

    def _held(self) -> dict[Asker, float]:
        parts: dict[Asker, float] = defaultdict(float)
        for entry in self._entries.values():
            for holder in entry.holders:
                parts[holder] += entry.size / len(entry.holders)
        return parts

    def _make_room(self, max_bytes: int, newest: Key | None = None) -> None:
        excess = sum(entry.size for entry in self._entries.values()) - max_bytes
        while excess > 0:
            key = self._first_to_go(newest)
            if key is None:
                return
            excess -= self._entries.pop(key).size

    def _first_to_go(self, newest: Key | None) -> Key | None:
        """What goes first where all is full; None if there is nothing but the newest."""
        held: dict[Asker, float] = self._held()
        of_address: dict[str, float] = defaultdict(float)
        for holder, size in held.items():
            of_address[holder.address] += size

        def claim(key: Key) -> tuple[float, float, int]:
            holders = self._entries[key].holders
            claims = [(of_address[one.address], held[one], -len(holders)) for one in holders]
            return max(claims, default=(math.inf, math.inf, 0))

        candidates = (key for key in self._entries if key != newest and not self._stays(key))
        return max(candidates, key=claim, default=None)

    def _drop_expired(self) -> None:
        limit = self._clock() - self._kept_seconds
        for key in [key for key, entry in self._entries.items() if entry.last_used < limit]:
            del self._entries[key]
