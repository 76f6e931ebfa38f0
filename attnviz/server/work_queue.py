"""A bounded queue with worker threads of its own, in which those who ask take turns."""

from __future__ import annotations

import asyncio
import math
import os
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from ..errors import AttnvizError, BusyError
from .asker import Asker, who_asks
from .rests import Rests
from .turns import sort_in_rounds

Result = TypeVar("Result")

NICENESS = 10  # of work that takes long, so that visitors are answered meanwhile
FILES_NICENESS = 15  # of work on files that visitors send, behind which no pass has to wait
RECENT_SECONDS = 10.0  # for which an address counts as one of those that ask
LOOK_AGAIN_SECONDS = 0.02  # after which it is asked again whether work may begin
SMOOTHING = 0.1  # weight of the latest work in the mean of how long work takes


@dataclass(eq=False)
class _Piece:
    """A piece of work, and who asked for it."""

    work: Callable[[], Any]
    asker: Asker
    done: Future = field(default_factory=Future)
    began: float = 0.0
    alive: float = 0.0  # when it last gave a sign of life


class WorkQueue:
    """Runs at most ``at_once`` pieces of work at a time, while at most ``waiting`` wait. Addresses take
    turns, and visitors from one address with each other, as ``turns`` says.

    Of one address at most ``each_address`` pieces run at a time, so that long ones don't keep all others
    waiting; and at most ``beside_others`` while any other address has asked within ten seconds, so that
    somebody who never stops leaves room for who comes next. Meanwhile who has had much, or whose work failed,
    ``Rests``.

    Queues that have one ``Rests`` count their work together. Nothing begins while ``may_begin`` says no.

    The worker threads lower their own priority by ``niceness``, as ``nice`` counts, so that requests are
    answered meanwhile. A few threads that stay cost less than one a request: torch keeps helper threads for
    each thread that runs it.

    A thread can't be ended from outside. Work that gives no sign of life for ``hangs_seconds`` is given up:
    who waits for it gets an error, and a new thread takes the place of the one that hangs, ``at_once`` times
    at most."""

    def __init__(
        self,
        at_once: int,
        waiting: int,
        niceness: int = 0,
        hangs_seconds: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
        each_address: int | None = None,
        beside_others: int | None = None,
        may_begin: Callable[[], bool] = lambda: True,
        rests: Rests | None = None,
    ) -> None:
        self.at_once = at_once
        self._each_address = each_address or at_once
        self._beside_others = beside_others or self._each_address
        self._may_begin = may_begin
        self._asked: dict[str, float] = {}  # when an address last asked, of those of late
        self._rests = rests or Rests(clock)
        self.hangs_seconds = hangs_seconds
        self.mean_seconds = 1.0  # what a piece of work took lately
        self._max_waiting, self._niceness = waiting, niceness
        self._clock = clock
        self._waiting: list[_Piece] = []
        self._running: list[_Piece] = []
        self._hanging: list[_Piece] = []  # given up, but their threads are not free
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False
        self._own = threading.local()  # the piece of a worker thread
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """How many wait."""
        return max(0, len(self._waiting) + len(self._running) - self.at_once)

    def ahead_of(self, asker: Asker) -> int:
        """How many pieces of others' work begin before the first of this asker's that waits; 0 where none
        does."""
        with self._changed:
            self._sort()
            askers = [piece.asker for piece in self._waiting]
        return askers.index(asker) if asker in askers else 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """What the work returns, done by one of the worker threads; who waits for it takes no thread. Raises
        what the work raises, and BusyError where too many wait and it is the last in turn, or where the queue
        was closed; AttnvizError for work that hangs."""
        try:
            return await asyncio.wrap_future(self._submitted(work))
        except asyncio.CancelledError:
            if self._closed:
                raise BusyError("server_restarts") from None
            raise

    def tell_alive(self) -> None:
        """Say, from within long work, that it goes on and does not hang."""
        piece = getattr(self._own, "piece", None)
        if piece is not None:
            piece.alive = self._clock()

    def hangs(self) -> bool:
        """Whether any work hangs. What is found to hang is given up."""
        with self._changed:
            limit = self._clock() - self.hangs_seconds
            given_up = [piece for piece in self._running if piece.alive < limit]
            for piece in given_up:
                self._running.remove(piece)
                self._hanging.append(piece)
            if self._all_hang():
                given_up += self._waiting
                self._waiting.clear()
            self._start_threads()
            if given_up:  # others of the same address may run now
                self._changed.notify_all()
        for piece in given_up:
            _fail(piece, AttnvizError("work_hangs"))
        return bool(self._hanging)

    def close(self) -> None:
        """End what waits with an error, and the threads once they are done."""
        with self._changed:
            self._closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for piece in waiting:
            piece.done.cancel()

    def join(self, until: float) -> None:
        """Wait for the threads of a closed queue, but not longer than until then, as ``time.monotonic``
        counts, nor for those that hang: Python ends while those still run."""
        for thread in list(self._threads):
            thread.join(max(0.0, until - time.monotonic()))

    def _submitted(self, work: Callable[[], Result]) -> Future[Result]:
        self.hangs()
        piece = _Piece(partial(copy_context().run, work), who_asks())
        with self._changed:
            if self._closed:
                raise BusyError("server_restarts")
            if self._all_hang():
                raise AttnvizError("work_hangs")
            self._waiting.append(piece)
            self._asked[piece.asker.address] = self._clock()
            number, refused = len(self), self._refused()
            self._start_threads()
            self._changed.notify()
        if refused is not None:
            _fail(refused, BusyError("line_full", number=number))
        # Weak, or what was computed would stay until Python looks for cycles.
        known = weakref.ref(piece)
        piece.done.add_done_callback(lambda _: self._leave(known()))
        return piece.done

    def _refused(self) -> _Piece | None:
        """Who has to leave the line if it is too long: the last in turn."""
        if len(self._waiting) + len(self._running) <= self.at_once + self._max_waiting:
            return None
        self._sort()
        return self._waiting.pop()

    def _leave(self, piece: _Piece | None) -> None:
        """Take away what was given up before it began."""
        with self._changed:
            if piece is not None and piece in self._waiting:
                self._waiting.remove(piece)

    def _sort(self) -> None:
        sort_in_rounds(
            self._waiting, self._running, lambda piece: piece.asker, lambda piece: piece.asker.address
        )

    def _all_hang(self) -> bool:
        return len(self._hanging) >= 2 * self.at_once

    def _start_threads(self) -> None:
        """Start a thread where one more is needed and allowed."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        serving = self._idle + len(self._running)
        if serving < self.at_once and len(self._waiting) > self._idle and not self._all_hang():
            thread = threading.Thread(target=self._serve, name="attnviz-work", daemon=True)
            self._threads.append(thread)
            self._idle += 1
            thread.start()

    def _serve(self) -> None:
        """Do what waits, until the queue is closed or what this thread did was given up."""
        _lower_priority(self._niceness)
        while self._serve_next():
            pass

    def _serve_next(self) -> bool:
        piece = self._next()
        if piece is None:
            return False
        self._own.piece = piece
        value, error = _outcome(piece.work)
        self._own.piece = None
        with self._changed:
            if piece in self._hanging:  # its end comes too late
                self._hanging.remove(piece)
                return False
            self._running.remove(piece)
            self._idle += 1
            took = self._clock() - piece.began
            # that the server is busy is no fault of who asked
            failed = isinstance(error, AttnvizError) and not isinstance(error, BusyError)
            self._rests.add(piece.asker, took, failed)
            self.mean_seconds += SMOOTHING * (took - self.mean_seconds)
        if error is None:
            piece.done.set_result(value)
        else:
            piece.done.set_exception(error)
        return True

    def _take(self) -> _Piece | None:
        """The first in turn of those whose address may run something now."""
        if not self._may_begin():
            return None
        running = Counter(piece.asker.address for piece in self._running)
        alone = self._asks_alone()
        most = self._each_address if alone else self._beside_others
        for number, piece in enumerate(self._waiting):
            address = piece.asker.address
            if not address or (running[address] < most and (alone or not self._rests.rests(piece.asker))):
                return self._waiting.pop(number)
        return None

    def _asks_alone(self) -> bool:
        """Whether no more than one address waits or has asked of late; forgets who asked longer ago."""
        limit = self._clock() - RECENT_SECONDS
        self._asked = {address: when for address, when in self._asked.items() if when >= limit}
        return len({*self._asked, *(piece.asker.address for piece in self._waiting)}) < 2

    def _next_change(self) -> float | None:
        """Seconds until somebody who waits may have a turn without anything else happening."""
        if self._waiting and not self._may_begin():
            return LOOK_AGAIN_SECONDS
        ends = self._rests.next_end()
        return min(ends, RECENT_SECONDS) if self._waiting and ends is not None else None

    def _next(self) -> _Piece | None:
        """The next piece of work, when there is one; None where the queue was closed."""
        with self._changed:
            while not self._closed:
                self._sort()
                while piece := self._take():
                    if piece.done.set_running_or_notify_cancel():
                        piece.began = piece.alive = self._clock()
                        self._running.append(piece)
                        self._idle -= 1
                        return piece
                self._changed.wait(self._next_change())
            self._idle -= 1
            return None


def _outcome(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What work returns or raises. An error names the places that it went through, and all that they hold:
    here that is the work alone."""
    try:
        return work(), None
    except BaseException as error:
        return None, error


def _fail(piece: _Piece, error: AttnvizError) -> None:
    with suppress(InvalidStateError):  # who asked for it left
        piece.done.set_exception(error)


def _lower_priority(niceness: int) -> None:
    if niceness and sys.platform == "linux":  # where threads have priorities of their own
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
