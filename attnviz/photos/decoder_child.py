"""The process that decodes pictures for others, under limits on its memory and on the time of each picture.

``python -m attnviz.photos.decoder_child SOCKET MEGABYTES SECONDS`` answers requests on an inherited socket
until the other end closes. A request is a picture's name and bytes; an answer is its pixels, or an error's
key and values. What the limits end is the process: its starter sees the socket close, and starts another."""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from ..errors import AttnvizError
from .decoder_messages import read_request, send_error, send_pixels
from .photo import open_photo


def main(arguments: list[str]) -> None:
    """Answer requests until there are no more."""
    connection = socket.socket(fileno=int(arguments[0]))
    limit_memory(int(arguments[1]) * 1_000_000)
    seconds = float(arguments[2])
    while request := read_request(connection):
        limit_time(seconds)
        try:
            pixels = open_photo(request.content, request.name).pixels
        except AttnvizError as error:
            limit_time(0)
            send_error(connection, error)
        else:
            limit_time(0)
            send_pixels(connection, pixels)


def limit_memory(extra: int) -> None:
    """Refuse this process more memory than it has now and ``extra`` bytes; on Linux only."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + extra,) * 2)


def limit_time(seconds: float) -> None:
    """End this process when it has computed for so long from now on; 0 takes the limit away. Time in which a
    busy machine computes something else does not count. Not on Windows."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)  # its signal ends the process


if __name__ == "__main__":
    main(sys.argv[1:])
