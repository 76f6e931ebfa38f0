"""What visitors upload, and what is kept of it: files in a folder of the app's own, and traces in memory, an hour at most."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .capture import Trace

KEPT_SECONDS = 3600
SWEEP_SECONDS = 60
KEPT_BYTES = 300_000_000


def new_folder() -> Path:
    """A fresh folder for uploads that only this user can read. It goes when ``sweep`` is told to remove it."""
    return Path(tempfile.mkdtemp(prefix="attnviz-uploads-"))


def sweep(folder: Path, older_than: float = KEPT_SECONDS) -> int:
    """Delete the files under a folder that were last touched ``older_than`` seconds ago, and empty folders; how many files went.

    Gradio's own clean-up forgets aborted uploads and stops for good on a race under load (seen in 6.31), hence this one.
    """
    limit, gone = time.time() - older_than, 0
    for path in sorted(folder.rglob("*"), reverse=True):
        try:
            if path.is_dir():
                path.rmdir()   # fails, and stays, while there is something in it
            elif max(path.stat().st_mtime, path.stat().st_ctime) <= limit:
                path.unlink()
                gone += 1
        except OSError:
            continue
    return gone


def keep_swept(folder: Path, also: Callable[[], None]) -> threading.Event:
    """Sweep a folder every minute, and call ``also`` each time, until the event that is given back is set; then remove it."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(SWEEP_SECONDS):
            sweep(folder)
            also()
        shutil.rmtree(folder, ignore_errors=True)

    threading.Thread(target=run, name="attnviz-sweep", daemon=True).start()
    return stop


@dataclass(frozen=True)
class Asked:
    """One forward pass: which photo, through which network, seeing what."""

    photo: str
    network: str
    view: str


class Traces:
    """Traces by what was asked, at most 300 MB of them, each for an hour after its last use; each is computed once.

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
            trace = self._found(asked)
            try:
                trace = trace or self._compute(asked)
            finally:
                with self._guard:
                    self._under_way.pop(asked, None)
            self._put(asked, trace)
        return trace

    def expire(self) -> None:
        """Let go of what was last used longer ago than it is kept."""
        limit = time.monotonic() - self._seconds
        with self._guard:
            for asked in [asked for asked, (used, _) in self._kept.items() if used < limit]:
                del self._kept[asked]

    def _found(self, asked: Asked) -> Trace | None:
        self.expire()
        with self._guard:
            return self._kept[asked][1] if asked in self._kept else None

    def _put(self, asked: Asked, trace: Trace) -> None:
        with self._guard:
            self._kept[asked] = time.monotonic(), trace
            self._kept.move_to_end(asked)
            total = sum(_size(kept) for _, kept in self._kept.values())
            while total > self._bytes and len(self._kept) > 1:
                _, (_, dropped) = self._kept.popitem(last=False)
                total -= _size(dropped)


def _size(trace: Trace) -> int:
    gates = sum(array.nbytes for layer in trace.layers.values() for array in vars(layer).values() if hasattr(array, "nbytes"))
    return trace.photo.pixels.nbytes + gates
