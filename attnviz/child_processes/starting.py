"""A process that answers one question after another, started when the first is asked."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from .channel import GREETING, Channel

PIPE_BYTES = 1 << 20  # on Linux: fewer turns between the two
PATIENCE = 30.0  # seconds by the clock, on however busy a machine

# Modules come from where the starter has them, never from the folder that it happens to stand in.
PROGRAM = "import sys; sys.path[:] = {path!r}; from {module} import main; main(sys.argv[1:])"

Answer = TypeVar("Answer")


class NotStarted(Exception):
    """The process could not be started."""


class Ended(Exception):
    """The process was ended by a limit, hung, or talked nonsense."""


class ChildProcess:
    """One process, which runs ``main`` of a module with these arguments. Threads may share it: they take
    turns. A process that was ended is replaced with the next question. One that gives no answer within
    ``patience`` seconds by the clock is ended."""

    def __init__(self, module: str, arguments: tuple[object, ...], patience: float = PATIENCE) -> None:
        self._program = PROGRAM.format(path=sys.path, module=module)
        self._arguments = [str(argument) for argument in arguments]
        self._patience = patience
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process now, so that the first question does not wait for it. Raises NotStarted."""
        with self._lock:
            self._running()

    def ask(self, talk: Callable[[Channel], Answer]) -> Answer:
        """What ``talk`` makes of a question and its answer. Raises what it raises, but Ended for OSError,
        EOFError and ValueError; and NotStarted."""
        with self._lock:
            process = self._running()
            try:
                with self._patient(process):
                    return talk(_channel(process))
            except (OSError, EOFError, ValueError):
                self._end()
                raise Ended from None

    @property
    def process_id(self) -> int:
        """The number of the process; 0 if none runs."""
        return self._process.pid if self._process is not None else 0

    def close(self) -> None:
        """End the process; a later question starts another."""
        with self._lock:
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            try:
                self._process = self._begun()
                with self._patient(self._process):
                    if _channel(self._process).read(len(GREETING)) != GREETING:
                        raise ValueError("this is another program")
            except (OSError, EOFError, ValueError):
                self._end()
                raise NotStarted from None
        return self._process

    def _begun(self) -> subprocess.Popen[bytes]:
        alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # threads reserve memory
        return subprocess.Popen(
            [sys.executable, "-c", self._program, *self._arguments],
            env={**os.environ, **alone},
            bufsize=0,
            pipesize=PIPE_BYTES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    @contextmanager
    def _patient(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """End a process that does not answer in time."""
        timer = threading.Timer(self._patience, process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _channel(process: subprocess.Popen[bytes]) -> Channel:
    assert process.stdin is not None and process.stdout is not None
    return Channel(process.stdout, process.stdin)
