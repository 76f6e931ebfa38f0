"""Opens files on a disk, and nothing else that has a path."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO


class NotOnDiskError(OSError):
    """A path leads to a pipe, a device or a socket, which may have no end, or wait for ever."""


def open_regular(path: str | os.PathLike) -> BinaryIO:
    """A file, to read its bytes. Never waits: raises NotOnDiskError for a pipe, a device or a socket,
    IsADirectoryError for a folder, and OSError or ValueError for what can't be opened."""
    _check(os.stat(path))  # before it is opened, which some devices take for an order
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _check(os.fstat(descriptor))  # another may have taken its place
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(status.st_mode):
        raise NotOnDiskError
