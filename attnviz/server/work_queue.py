"""A bounded first-come, first-served queue with worker threads of its own."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from ..errors import BusyError

Result = TypeVar("Result")

SMOOTHING = 0.1  # weight of the latest work in the mean of how long work takes


class WorkQueue:
    """Runs at most ``at_once`` pieces of work at a time, while at most ``waiting`` wait.

    The worker threads lower their own priority by ``niceness``, as ``nice`` counts, so that requests are
    answered meanwhile. A few threads that stay cost less than one a request: torch keeps helper threads for
    each thread that runs it."""

    def __init__(self, at_once: int, waiting: int, niceness: int = 0) -> None:
        self.at_once = at_once
        self.mean_seconds = 1.0  # what a piece of work took lately
        self._max_waiting = waiting
        self._unfinished = 0
        self._closed = False
        self._begun: dict[int, float] = {}  # when what runs began, by its thread
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(at_once, "attnviz-work", partial(_lower_priority, niceness))

    def __len__(self) -> int:
        """How many wait."""
        return max(0, self._unfinished - self.at_once)

    async def run(self, work: Callable[[], Result]) -> Result:
        """What the work returns, done by one of the worker threads; who waits for it takes no thread. Raises
        what the work raises, and BusyError where too many wait, or where the queue was closed."""
        try:
            return await asyncio.wrap_future(self._submitted(work))
        except asyncio.CancelledError:
            if self._closed:
                raise BusyError("server_restarts") from None
            raise

    def longest_seconds(self) -> float:
        """How long the work that runs longest runs already."""
        now = time.monotonic()
        return max((now - began for began in list(self._begun.values())), default=0.0)

    def close(self) -> None:
        """End what waits with an error, and the threads once they are done."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _submitted(self, work: Callable[[], Result]) -> Future[Result]:
        with self._lock:
            if self._closed:
                raise BusyError("server_restarts")
            if self._unfinished >= self.at_once + self._max_waiting:
                raise BusyError("line_full", number=len(self) + 1)
            done = self._threads.submit(copy_context().run, self._timed, work)
            self._unfinished += 1
        done.add_done_callback(self._count_down)  # also where it was given up before it began
        return done

    def _count_down(self, _done: Future) -> None:
        with self._lock:
            self._unfinished -= 1

    def _timed(self, work: Callable[[], Result]) -> Result:
        thread, began = threading.get_ident(), time.monotonic()
        self._begun[thread] = began
        try:
            return work()
        finally:
            del self._begun[thread]
            with self._lock:
                self.mean_seconds += SMOOTHING * (time.monotonic() - began - self.mean_seconds)


def _lower_priority(niceness: int) -> None:
    if niceness and sys.platform == "linux":  # where threads have priorities of their own
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
