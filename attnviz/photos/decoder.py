"""Opens pictures in a process of its own, which may be ended without harm.

The decoders of picture formats are large and old, and what a hostile file makes them do can't be foreseen. So
each file of a stranger is decoded where memory and time are limited. The process is started once and used
again; one that was ended is replaced with the next picture."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import LifoQueue

from ..errors import PhotoError
from .decoder_messages import Request, read_answer, send_request
from .photo import Photo, display_name, read_file

MEGABYTES = 300  # that decoding one picture may take
SECONDS = 3.0  # of a processor
PATIENCE = 30.0  # seconds by the clock, on however busy a machine


class Decoder:
    """One process that decodes one picture after another. Threads may share it: they take turns."""

    def __init__(
        self, megabytes: int = MEGABYTES, seconds: float = SECONDS, patience: float = PATIENCE
    ) -> None:
        self._megabytes, self._seconds, self._patience = megabytes, seconds, patience
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None

    def start(self) -> None:
        """Start the process now, so that the first picture does not wait for it."""
        with self._lock:
            self._connected()

    def open(self, content: bytes, name: str) -> Photo:
        """The photo in a file's bytes; ``name`` is the file's, for titles. Raises PhotoError as
        ``open_photo`` does, and for a picture that takes more memory or time than is allowed."""
        name = display_name(name)
        with self._lock:
            connection = self._connected()
            try:
                send_request(connection, Request(name, content))
                return Photo(read_answer(connection), name)
            except PhotoError:
                raise
            except (OSError, EOFError, ValueError):  # it was ended by a limit, hangs, or talks nonsense
                self._end()
                raise PhotoError(
                    "photo_costs_too_much_to_open",
                    name=name,
                    limit=self._megabytes,
                    seconds=round(self._seconds),
                ) from None

    @property
    def process_id(self) -> int:
        """The number of the process; 0 if none runs."""
        return self._process.pid if self._process is not None else 0

    def close(self) -> None:
        """End the process; a picture that is opened later starts another."""
        with self._lock:
            self._end()

    def _connected(self) -> socket.socket:
        if self._connection is None or self._process is None or self._process.poll() is not None:
            self._end()
            self._begin()
        assert self._connection is not None
        return self._connection

    def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        limits = [str(self._megabytes), str(self._seconds)]
        command = [sys.executable, "-m", f"{__package__}.decoder_child", str(theirs.fileno()), *limits]
        alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # threads reserve memory
        with theirs:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **alone, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        ours.settimeout(self._patience)
        self._connection = ours

    def _end(self) -> None:
        connection, process = self._connection, self._process
        self._connection = self._process = None
        if connection is not None:
            connection.close()
        if process is not None:
            with suppress(OSError):
                process.kill()
            process.wait()


class DecoderPool:
    """As many decoders as may work at once; each starts with its first picture."""

    def __init__(self, count: int) -> None:
        self._decoders = [Decoder() for _ in range(count)]
        self._idle: LifoQueue[Decoder] = LifoQueue()
        for decoder in self._decoders:
            self._idle.put(decoder)

    def start(self) -> None:
        """Start the process that is used first now, so that the first picture does not wait for it."""
        self._decoders[-1].start()

    def open_file(self, path: Path) -> Photo:
        """The photo in a file. Raises PhotoError as ``Decoder.open`` does."""
        name = display_name(path.name)
        content = read_file(path, name)
        decoder = self._idle.get()
        try:
            return decoder.open(content, name)
        finally:
            self._idle.put(decoder)

    def close(self) -> None:
        """End all processes."""
        for decoder in self._decoders:
            decoder.close()
