"""Whose turn it is: forward passes one after another, visitors in turn, and no endless line."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any, TypeVar

from ..errors import BusyError

Result = TypeVar("Result")

BACK = 10  # how far what takes its turn steps back behind what answers visitors, as ``nice`` counts
# between two looks of Gradio at its queue; a thousand a second keep the passes from their interpreter
LOOK_SECONDS = 0.005


class Turns:
    """At most ``at_once`` at a time, at most ``waiting`` in line."""

    def __init__(self, at_once: int = 1, waiting: int = 20) -> None:
        self._free, self._at_once, self._most = at_once, at_once, waiting
        self.seconds = 1.0  # what a turn took, lately
        self._line: deque[threading.Event] = deque()
        self._guard = threading.Lock()
        self._work: SimpleQueue[tuple[Future, Callable[[], Any]]] = SimpleQueue()
        self._workers = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._line)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, and hold it. Raises BusyError where the line is too long."""
        with self._guard:
            mine = threading.Event()
            if self._free:
                self._free -= 1
                mine.set()
            elif len(self._line) >= self._most:
                raise BusyError("line_full", number=len(self._line) + 1)
            else:
                self._line.append(mine)
        began = None
        try:
            mine.wait()
            began = time.monotonic()
            yield
        finally:
            with self._guard:
                if began is not None:
                    self.seconds += 0.1 * (time.monotonic() - began - self.seconds)
                if not mine.is_set():  # left the line before its turn
                    self._line.remove(mine)
                elif self._line:
                    self._line.popleft().set()
                else:
                    self._free += 1

    def run(self, work: Callable[[], Result]) -> Result:
        """What this gives, done in one's turn by one of ``at_once`` threads of these turns' own. They step
        back behind all others, so that visitors are answered meanwhile; and one thread's passes cost less
        than those of many, each with helpers of its own.

        Raises what the work raises, and BusyError as ``turn`` does.
        """
        with self.turn():
            with self._guard:
                if self._workers < self._at_once:
                    self._workers += 1
                    threading.Thread(
                        target=_works, args=(self._work,), name="attnviz-turns", daemon=True
                    ).start()
            done: Future[Result] = Future()
            self._work.put((done, work))
            return done.result()


def _works(waiting: SimpleQueue[tuple[Future, Callable[[], Any]]]) -> None:
    if sys.platform == "linux":  # where threads have priorities of their own
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BACK)
    while True:
        done, work = waiting.get()
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)
        del done, work  # not kept until the next comes


def take_turns(queue: Any) -> None:
    """Let the visitors of Gradio's queue take turns: who has something running or before it waits behind who
    has not. Whoever fills the line with her own requests makes others wait for one of them, not for all.
    Within a round it is first come, first served."""
    get_events = queue.get_events

    def in_turn() -> Any:
        running = Counter(event.session_hash for jobs in queue.active_jobs for event in jobs or ())
        for line in queue.event_queue_per_concurrency_id.values():
            if len(line.queue) > 1 and (
                line.concurrency_limit is None or line.current_concurrency < line.concurrency_limit
            ):
                before = running.copy()
                rounds = {}
                for event in line.queue:
                    rounds[event._id] = before[event.session_hash]
                    before[event.session_hash] += 1
                line.queue.sort(key=lambda event, rounds=rounds: rounds[event._id])
        return get_events()

    queue.get_events = in_turn
    queue.sleep_when_free = LOOK_SECONDS
