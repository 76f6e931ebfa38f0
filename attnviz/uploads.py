"""What visitors upload, and what is kept of it: files in a folder of the app's own, and traces in memory, an hour at most."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .capture import Trace
from .errors import NetworkError

PREFIX = "attnviz-uploads-"   # then the number of the process, then what makes the name unique
KEPT_SECONDS = 3600
SWEEP_SECONDS = 60
KEPT_BYTES = 300_000_000


def new_folder(parent: Path | None = None) -> Path:
    """A fresh folder for uploads that only this user can read; those that apps left behind when they were killed are removed."""
    parent = parent or Path(tempfile.gettempdir())
    for left in parent.glob(f"{PREFIX}*"):
        if not _runs(left.name.removeprefix(PREFIX).partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)   # another user's folder stays: it can't be removed
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))


def sweep(folder: Path, older_than: float = KEPT_SECONDS) -> int:
    """Delete the files and empty folders under a folder that are ``older_than`` seconds old; how many files went.

    Gradio's own clean-up forgets aborted uploads and stops for good on a race under load (seen in 6.31), hence this one.
    """
    limit, gone = time.time() - older_than, 0
    for path in sorted(folder.rglob("*"), reverse=True):
        try:
            if max(path.lstat().st_mtime, path.lstat().st_ctime) > limit:
                continue
            if path.is_dir():
                path.rmdir()   # fails, and stays, while there is something in it
            else:
                path.unlink()
                gone += 1
        except OSError:
            continue
    return gone


def keep_swept(folder: Path, also: Callable[[], None]) -> Callable[[], None]:
    """Sweep a folder every minute, and call ``also`` each time. What is given back ends that and removes the folder; it is called
    when the program ends, if not before."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(SWEEP_SECONDS):
            also()
            with suppress(OSError):   # a folder that goes while it is being listed
                sweep(folder)

    def end() -> None:
        stop.set()
        shutil.rmtree(folder, ignore_errors=True)

    threading.Thread(target=run, name="attnviz-sweep", daemon=True).start()
    atexit.register(end)
    return end


def _runs(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True   # it runs, and belongs to somebody else
    return True


@dataclass(frozen=True)
class Checkpoint:
    """A file of weights that somebody uploaded, and the names of its classes, if they did; ``limit`` bytes at most."""

    path: Path
    labels: Path | None
    limit: int


class Checkpoints:
    """Uploaded checkpoints by names that nobody can guess: who was not told one can't use it."""

    prefix = "yours:"

    def __init__(self) -> None:
        self._kept: dict[str, Checkpoint] = {}

    def add(self, checkpoint: Checkpoint) -> str:
        """The name under which a checkpoint can be asked for from now on."""
        name = self.prefix + secrets.token_urlsafe(16)
        self._kept[name] = checkpoint
        return name

    def get(self, name: str) -> Checkpoint:
        """The checkpoint of this name. Raises NetworkError if there is none, or none any more."""
        checkpoint = self._kept.get(name)
        if checkpoint is None or not checkpoint.path.exists():
            raise NetworkError("This checkpoint is no longer here: uploads are deleted after an hour. Please upload it again.")
        return checkpoint

    def expire(self) -> list[str]:
        """Forget those whose file is gone; their names."""
        gone = [name for name, checkpoint in list(self._kept.items()) if not checkpoint.path.exists()]
        for name in gone:
            self._kept.pop(name, None)
        return gone


@dataclass(frozen=True)
class Asked:
    """One forward pass: which photo, through which network, seeing what."""

    photo: str
    network: str
    view: str


class Traces:
    """Traces by what was asked, at most 300 MB of them, each for an hour; each is computed once.

    Who asks for a trace that is just being computed waits for it instead of computing it again.
    """

    def __init__(self, compute: Callable[[Asked], Trace], kept_bytes: int = KEPT_BYTES, kept_seconds: float = KEPT_SECONDS) -> None:
        self._compute, self._bytes, self._seconds = compute, kept_bytes, kept_seconds
        self._kept: OrderedDict[Asked, tuple[float, Trace]] = OrderedDict()   # the least recently used first
        self._under_way: dict[Asked, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, asked: Asked) -> Trace:
        """The trace, kept or computed now. Raises what the computation raises; a failure is not kept."""
        with self._guard:
            under_way = self._under_way.setdefault(asked, threading.Lock())
        with under_way:
            try:
                trace = self._found(asked)
                if trace is None:
                    trace = self._compute(asked)
                    self._put(asked, trace)
            finally:
                with self._guard:
                    self._under_way.pop(asked, None)
        return trace

    def expire(self) -> None:
        """Let go of what was computed longer ago than it is kept, however often it was used since."""
        limit = time.monotonic() - self._seconds
        with self._guard:
            for asked in [asked for asked, (made, _) in self._kept.items() if made < limit]:
                del self._kept[asked]

    def _found(self, asked: Asked) -> Trace | None:
        self.expire()
        with self._guard:
            if asked not in self._kept:
                return None
            self._kept.move_to_end(asked)
            return self._kept[asked][1]

    def _put(self, asked: Asked, trace: Trace) -> None:
        with self._guard:
            self._kept[asked] = time.monotonic(), trace
            total = sum(_size(kept) for _, kept in self._kept.values())
            while total > self._bytes and len(self._kept) > 1:
                _, (_, dropped) = self._kept.popitem(last=False)
                total -= _size(dropped)


def _size(trace: Trace) -> int:
    gates = sum(array.nbytes for layer in trace.layers.values() for array in vars(layer).values() if hasattr(array, "nbytes"))
    return trace.photo.pixels.nbytes + gates
