"""Letting go of memory where the server runs short of it, in a thread of its own: nobody waits for it."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

AGAIN_AFTER = 10.0  # seconds: what is used now comes back, and would be let go of at once


class MemoryRelief:
    """Calls ``let_go`` and gives what is free back to the system, once at a time and not again within
    seconds."""

    def __init__(self, let_go: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._let_go, self._clock = let_go, clock
        self._lock = threading.Lock()
        self._not_before = clock()

    def begin(self) -> None:
        """Begin, unless it was done just now; returns at once."""
        with self._lock:
            if self._clock() < self._not_before:
                return
            self._not_before = self._clock() + AGAIN_AFTER
        threading.Thread(target=self._run, name="attnviz-relief", daemon=True).start()

    def _run(self) -> None:
        self._let_go()
        trim()


def trim() -> None:
    """Give what was let go of back to the system: glibc keeps it, otherwise."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).malloc_trim(0)
