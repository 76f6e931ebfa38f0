"""Opens pictures in a process of its own, which may be ended without harm.

The decoders of picture formats are large and old, and what a hostile file makes them do can't be foreseen. So
each file of a stranger is decoded where memory and time are limited. The process is started once and used
again; one that was ended is replaced with the next picture."""

from __future__ import annotations

from pathlib import Path
from queue import LifoQueue

from ..child_processes.channel import Channel
from ..child_processes.starting import PATIENCE, ChildProcess, Ended, NotStarted
from ..errors import PhotoError
from .decoder_messages import Request, read_answer, send_request
from .photo import Photo, display_name
from .picture_file import read_file

MEGABYTES = 260  # that decoding one picture may take; with the process itself it is 300
SECONDS = 2.0  # of a processor


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
        self._megabytes, self._seconds = megabytes, seconds
        module = f"{__package__}.decoder_child"
        self._process = ChildProcess(module, (megabytes, seconds, niceness), patience)

    def start(self) -> None:
        """Start the process now, so that the first picture does not wait for it."""
        try:
            self._process.start()
        except NotStarted:
            raise PhotoError("photo_decoder_not_started", name="") from None

    def open(self, content: bytes, name: str) -> Photo:
        """The photo in a file's bytes; ``name`` is the file's, for titles. Raises PhotoError as
        ``open_photo`` does, and for a picture that takes more memory or time than is allowed."""
        name = display_name(name)

        def talk(channel: Channel) -> Photo:
            send_request(channel, Request(name, content))
            return read_answer(channel, name)

        try:
            return self._process.ask(talk)
        except NotStarted:
            raise PhotoError("photo_decoder_not_started", name=name) from None
        except Ended:
            raise PhotoError(
                "photo_costs_too_much_to_open",
                name=name,
                limit=self._megabytes,
                seconds=f"{self._seconds:g}",
            ) from None

    @property
    def process_id(self) -> int:
        """The number of the process; 0 if none runs."""
        return self._process.process_id

    def close(self) -> None:
        """End the process; a picture that is opened later starts another."""
        self._process.close()


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
