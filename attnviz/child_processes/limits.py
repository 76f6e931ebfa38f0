"""How a process limits itself, and its way to its starter. What the limits end is the process: its starter
sees the answers close, and starts another."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from .channel import Channel


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
