"""Opens pictures in a process of its own, which may be ended without harm.

The decoders of picture formats are large and old, and what a hostile file makes them do can't be foreseen. So
each file of a stranger is decoded where memory and time are limited. The process is started once and used
again; one that was ended is replaced with the next picture."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import LifoQueue

from ..errors import PhotoError
from .decoder_messages import Channel, Request, read_answer, read_greeting, send_request
from .photo import Photo, display_name
from .picture_file import read_file

MEGABYTES = 260  # that decoding one picture may take; with the process itself it is 300
SECONDS = 2.0  # of a processor
PIPE_BYTES = 1 << 20  # on Linux: fewer turns between the two
PATIENCE = 30.0  # seconds by the clock, on however busy a machine

# Modules come from where the starter has them, never from the folder that it happens to stand in.
PROGRAM = "import sys; sys.path[:] = {path!r}; from {package}.decoder_child import main; main(sys.argv[1:])"


class Decoder:
    """One process that decodes one picture after another. Threads may share it: they take turns. It steps
    back behind other programs by ``niceness``, as ``nice`` counts."""

    def __init__(
        self,
        megabytes: int = MEGABYTES,
        seconds: float = SECONDS,
        patience: float = PATIENCE,
        niceness: int = 0,
    ) -> None:
        self._megabytes, self._seconds, self._patience = megabytes, seconds, patience
        self._niceness = niceness
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process now, so that the first picture does not wait for it."""
        with self._lock:
            self._running("")

    def open(self, content: bytes, name: str) -> Photo:
        """The photo in a file's bytes; ``name`` is the file's, for titles. Raises PhotoError as
        ``open_photo`` does, and for a picture that takes more memory or time than is allowed."""
        name = display_name(name)
        with self._lock:
            process = self._running(name)
            try:
                with self._patient(process):
                    return _answer(process, Request(name, content))
            except PhotoError:
                raise
            except (OSError, EOFError, ValueError):  # it was ended by a limit, hangs, or talks nonsense
                self._end()
                raise PhotoError(
                    "photo_costs_too_much_to_open",
                    name=name,
                    limit=self._megabytes,
                    seconds=f"{self._seconds:g}",
                ) from None

    @property
    def process_id(self) -> int:
        """The number of the process; 0 if none runs."""
        return self._process.pid if self._process is not None else 0

    def close(self) -> None:
        """End the process; a picture that is opened later starts another."""
        with self._lock:
            self._end()

    def _running(self, name: str) -> subprocess.Popen[bytes]:
        """The process, ready for a picture of this name."""
        if self._process is None or self._process.poll() is not None:
            self._end()
            try:
                self._process = self._begun()
                with self._patient(self._process):
                    read_greeting(_channel(self._process))
            except (OSError, EOFError, ValueError):
                self._end()
                raise PhotoError("photo_decoder_not_started", name=name) from None
        return self._process

    def _begun(self) -> subprocess.Popen[bytes]:
        program = PROGRAM.format(path=sys.path, package=__package__)
        alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # threads reserve memory
        return subprocess.Popen(
            [sys.executable, "-c", program, str(self._megabytes), str(self._seconds), str(self._niceness)],
            env={**os.environ, **alone},
            bufsize=0,
            pipesize=PIPE_BYTES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    @contextmanager
    def _patient(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """End a process that does not answer within this."""
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


def _answer(process: subprocess.Popen[bytes], request: Request) -> Photo:
    channel = _channel(process)
    send_request(channel, request)
    return read_answer(channel, request.name)


class DecoderPool:
    """As many decoders as may work at once; each starts with its first picture."""

    def __init__(self, count: int, niceness: int = 0) -> None:
        self._decoders = [Decoder(niceness=niceness) for _ in range(count)]
        self._idle: LifoQueue[Decoder] = LifoQueue()
        for decoder in self._decoders:
            self._idle.put(decoder)

    def start(self) -> None:
        """Start the process that is used first now, so that the first picture does not wait for it."""
        self._decoders[-1].start()

    def open_file(self, path: Path) -> Photo:
        """The photo in a file. Raises PhotoError as ``Decoder.open`` does."""
        name = display_name(path.name)
        return self.open(read_file(path, name), name)

    def open(self, content: bytes, name: str) -> Photo:
        """The photo in a file's bytes, by a decoder that is free. Raises PhotoError as ``Decoder.open``
        does."""
        decoder = self._idle.get()
        try:
            return decoder.open(content, name)
        finally:
            self._idle.put(decoder)

    def close(self) -> None:
        """End all processes."""
        for decoder in self._decoders:
            decoder.close()
