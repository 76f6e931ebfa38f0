"""Strangers' checkpoints are looked at in a process of its own before they are opened.

To tell what is in a file takes Python's interpreter, which one thread has at a time: while a server reads a
file that was made to be refused, its visitors wait. A process beside it harms nobody, and may be ended."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from ..child_processes.channel import Channel, key_and_values
from ..child_processes.starting import ChildProcess, Ended, NotStarted
from ..errors import NetworkError
from .fault import printable
from .told import NOTHING_TOLD, Told

MEGABYTES = 600  # that looking at one file may take, beside the process itself
SECONDS = 20.0  # of a processor
PATIENCE = 120.0  # seconds by the clock: the first file waits for torch too


class Examiner:
    """One process that looks at one checkpoint after another; it starts with the first. It steps back behind
    other programs by ``niceness``, as ``nice`` counts."""

    def __init__(
        self,
        megabytes: int = MEGABYTES,
        seconds: float = SECONDS,
        niceness: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._megabytes, self._seconds, self._clock = megabytes, seconds, clock
        self._last_asked = 0.0
        module = f"{__package__}.examiner_child"
        self._process = ChildProcess(module, (megabytes, seconds, niceness), PATIENCE)

    def check(self, path: Path, limit: int, told: Told = NOTHING_TOLD) -> None:
        """Raise NetworkError, as ``open_checkpoint`` does, unless the file is one of weights that are
        understood. Its numbers are not looked at."""

        def talk(channel: Channel) -> object:
            channel.write_json({"path": os.fspath(path), "limit": limit, "told": told.said})
            return channel.read_json()

        name = printable(path.name)
        self._last_asked = self._clock()
        try:
            refused = self._process.ask(talk)
        except NotStarted:
            raise NetworkError("checkpoint_examiner_not_started", name=name) from None
        except Ended:
            seconds = f"{self._seconds:g}"
            raise NetworkError(
                "checkpoint_costs_too_much", name=name, limit=self._megabytes, seconds=seconds
            ) from None
        if refused is not None:
            key, values = key_and_values(refused)
            raise NetworkError(key, **values)

    @property
    def process_id(self) -> int:
        """The number of the process; 0 if none runs."""
        return self._process.process_id

    def expire(self, seconds: float) -> None:
        """End the process, which takes 250 MB, if nobody needed it for so long."""
        if self._clock() - self._last_asked > seconds:
            self.close()

    def close(self) -> None:
        """End the process; a checkpoint that is looked at later starts another."""
        self._process.close()
