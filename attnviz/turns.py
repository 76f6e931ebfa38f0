"""Whose turn it is: forward passes one after another, first come, first served, and no endless line."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import BusyError


class Turns:
    """At most ``at_once`` at a time, at most ``waiting`` in line."""

    def __init__(self, at_once: int = 1, waiting: int = 20) -> None:
        self._free, self._most = at_once, waiting
        self.seconds = 1.0   # what a turn took, lately
        self._line: deque[threading.Event] = deque()
        self._guard = threading.Lock()

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
                raise BusyError(f"The server is busy: you would be number {len(self._line) + 1} in the line. Try again in a moment.")
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
                if not mine.is_set():   # left the line before its turn
                    self._line.remove(mine)
                elif self._line:
                    self._line.popleft().set()
                else:
                    self._free += 1
