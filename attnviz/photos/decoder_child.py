"""The process that decodes pictures for others, under limits on its memory and on the time of each picture.

It answers requests at its input until that closes. A request is a picture's name and bytes; an answer is its
pixels and what was assumed of them, or an error's key and values. What the limits end is the process: its
starter sees the answers close, and starts another."""

from __future__ import annotations

import os
import signal
import warnings
from contextlib import suppress
from pathlib import Path

from PIL import AvifImagePlugin, Image

from ..errors import AttnvizError
from .decoder_messages import Channel, read_request, send_error, send_greeting, send_photo
from .heic import prepare_heic
from .picture_file import checked, decoded


def main(arguments: list[str]) -> None:
    """Answer requests until there are no more; ``arguments`` are the megabytes and seconds allowed, and the
    niceness."""
    channel = private_channel()
    warnings.simplefilter("ignore")  # Pillow's, of sizes that are refused here anyway
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each reserves memory
    Image.preinit()
    prepare_heic()
    limit_memory(int(arguments[0]) * 1_000_000)
    seconds = float(arguments[1])
    lower_priority(int(arguments[2]))
    send_greeting(channel)
    while request := read_request(channel):
        limit_time(seconds)
        try:
            photo = decoded(checked(request.content, request.name), request.name)
        except AttnvizError as error:
            limit_time(0)
            send_error(channel, error)
        else:
            limit_time(0)
            send_photo(channel, photo)


def private_channel() -> Channel:
    """The way to the starter, which no library can print on."""
    channel = Channel(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0))
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    return channel


def limit_memory(extra: int) -> None:
    """Refuse this process more memory than it has now and ``extra`` bytes; on Linux only."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + extra,) * 2)


def lower_priority(niceness: int) -> None:
    """Step back behind other processes by so much; not on Windows."""
    if hasattr(os, "nice"):
        os.nice(niceness)


def limit_time(seconds: float) -> None:
    """End this process when it has computed for so long from now on; 0 takes the limit away. Time in which a
    busy machine computes something else does not count. Not on Windows."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)  # its signal ends the process
