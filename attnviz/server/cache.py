"""A cache for what is slow to make: open networks, traces, features."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(eq=False)
class _Entry(Generic[Value]):
    value: Value
    size: int
    last_used: float


class Cache(Generic[Key, Value]):
    """Values by key, at most ``max_bytes`` of them, each until ``kept_seconds`` after its last use; the least
    recently used goes first. The last one stays, however large it is.

    Each value is computed once: callers that ask for a key while it is computed wait, which takes no thread,
    and get the same value or the same error. The computation goes on if who asked first leaves. An error is
    not kept. cachetools has no such cache: its time counts from when a value
    was put in, and it refuses a value that is larger than the whole."""

    def __init__(
        self,
        size_of: Callable[[Value], int],
        max_bytes: int,
        kept_seconds: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_bytes = max_bytes
        self._size_of, self._kept_seconds, self._clock = size_of, kept_seconds, clock
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
                return entry.value
            waits_for = self._under_way.get(key)
            if waits_for is None:
                waits_for = self._under_way[key] = Future()
                waits_for.set_running_or_notify_cancel()  # from now on nobody who waits can cancel it
                task = asyncio.get_running_loop().create_task(self._compute(key, compute, waits_for))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return await asyncio.wrap_future(waits_for)

    def drop(self, unwanted: Callable[[Key], bool]) -> None:
        """Let go of the values of these keys; what is being computed for them is not kept either."""
        with self._lock:
            for key in [key for key in self._entries if unwanted(key)]:
                del self._entries[key]
            for key in [key for key in self._under_way if unwanted(key)]:
                del self._under_way[key]

    def make_room(self, size: int) -> None:
        """Let go of the least recently used until ``size`` bytes more can be kept."""
        with self._lock:
            self._make_room(self.max_bytes - size, least=0)

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
                self._make_room(self.max_bytes, least=1)
        result.set_result(value)

    def _make_room(self, max_bytes: int, least: int) -> None:
        total = sum(entry.size for entry in self._entries.values())
        while total > max_bytes and len(self._entries) > least:
            _, dropped = self._entries.popitem(last=False)
            total -= dropped.size

    def _drop_expired(self) -> None:
        limit = self._clock() - self._kept_seconds
        for key in [key for key, entry in self._entries.items() if entry.last_used < limit]:
            del self._entries[key]
