"""What this process may use and uses of the machine: processors, memory."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np

LARGE_BLOCK = 30_000_000  # bytes: glibc looks at blocks of at most 32 MiB for this


def cores() -> int:
    """How many processors this process may use: those that it may run on, and no more than its container was
    given."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        share, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(count, round(int(share) / int(period))))
    except (OSError, ValueError):  # no container, or no limit
        return count


def memory() -> int:
    """Bytes of memory that this process takes; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


@cache
def keep_freed_memory() -> None:
    """Let the C library keep memory that a forward pass frees for the next one.

    glibc gives large blocks back to the system when they are freed, until one was freed that is larger than
    they are: from then on it keeps them. Without that a pass has 1,400 page faults, which take 3 of its
    20 ms."""
    np.empty(LARGE_BLOCK, np.uint8)  # is freed at once, and takes no memory, as nothing is written to it
