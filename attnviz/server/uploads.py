"""What visitors upload, and what is kept of it: files in a folder of the app's own, and traces in memory, an
hour at most."""

from __future__ import annotations

import atexit
import glob
import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Container
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from ..capture.trace import Features, Trace
from ..errors import NetworkError

log = logging.getLogger(__name__)

PREFIX = "attnviz-uploads-"  # then the number of the process, then what makes the name unique
KEPT_SECONDS = 3600
SWEEP_SECONDS = 60
KEPT_BYTES = 300_000_000


def new_folder(parent: Path | None = None) -> Path:
    """A fresh folder for uploads that only this user can read; those that apps left behind when they were
    killed are removed."""
    parent = parent or Path(tempfile.gettempdir())
    for left in parent.glob(f"{PREFIX}*"):
        if not _runs(left.name.removeprefix(PREFIX).partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)  # another user's folder stays: it can't be removed
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))


class Sweeper:
    """Deletes the files and empty folders under a folder that nobody used for ``older_than`` seconds.

    Gradio's own clean-up forgets aborted uploads and stops for good on a race under load (seen in 6.31),
    hence this one. Age counts from when a file was first seen as it is, by a clock that does not jump when
    the machine's does."""

    def __init__(self, folder: Path, older_than: float = KEPT_SECONDS) -> None:
        self.folder, self.older_than = folder, older_than
        self._seen: dict[
            Path, tuple[float, float]
        ] = {}  # when it was last changed or used, by its own clock; when that was seen

    def sweep(self) -> int:
        """Delete what is too old now; how many files went."""
        now, gone, seen = time.monotonic(), 0, {}
        for path in sorted(self.folder.rglob("*"), reverse=True):
            try:
                changed = path.lstat().st_mtime
                before, since = self._seen.get(path, (changed, now))
                since = since if before == changed else now
                if now - since < self.older_than:
                    seen[path] = changed, since
                elif path.is_dir():
                    path.rmdir()  # fails, and stays, while there is something in it
                else:
                    path.unlink()
                    gone += 1
            except OSError:
                continue
        self._seen = seen
        return gone


def keep_swept(
    folder: Path, also: Callable[[], None], older_than: float = KEPT_SECONDS
) -> Callable[[], None]:
    """Sweep a folder every minute, and call ``also`` each time. What is given back ends that and removes the
    folder; it is called when the program ends, if not before."""
    stop, sweeper = threading.Event(), Sweeper(folder, older_than)
    sweeper.sweep()

    def run() -> None:
        while not stop.wait(SWEEP_SECONDS):
            try:
                also()
                sweeper.sweep()
            except Exception:  # whatever it was, the next minute has its own chance
                log.exception("sweeping failed")

    def end() -> None:
        stop.set()
        shutil.rmtree(folder, ignore_errors=True)

    threading.Thread(target=run, name="attnviz-sweep", daemon=True).start()
    atexit.register(end)
    return end


def own(upload: Path, folder: Path) -> Path:
    """A name of its own, which nobody can guess, for a file that arrived in Gradio's folder: there, the same
    file of two visitors is one, and what one of them deletes the other would lose. Raises OSError."""
    mine = folder / "own" / secrets.token_urlsafe(16)
    mine.mkdir(parents=True, mode=0o700)
    path = mine / upload.name
    try:
        os.link(upload, path)
    except OSError:  # a file system without links
        shutil.copyfile(upload, path)
    return path


def used(*paths: Path | None) -> None:
    """An upload's hour begins anew."""
    for path in paths:
        if path is not None:
            with suppress(OSError):
                os.utime(path)


def remove(path: Path, everywhere: bool = True) -> None:
    """Delete an upload by the name that ``own`` gave it, and with ``everywhere`` the same file where Gradio
    keeps it."""
    with suppress(OSError):
        identity = path.stat().st_ino
        path.unlink()
        path.parent.rmdir()
        for other in () if not everywhere else path.parents[2].glob(f"*/{glob.escape(path.name)}"):
            if other.lstat().st_ino == identity:
                other.unlink()


def _runs(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True  # it runs, and belongs to somebody else
    return True


@dataclass(frozen=True)
class Checkpoint:
    """A file of weights that somebody uploaded, and the names of its classes, if they did; ``limit`` bytes at
    most."""

    path: Path
    labels: Path | None
    limit: int


class Checkpoints:
    """Uploaded checkpoints by names that nobody can guess: who was not told one can't use it."""

    prefix = "yours:"

    def __init__(self, minutes: int = KEPT_SECONDS // 60) -> None:
        self.minutes = minutes  # that uploads are kept after their last use
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
            raise NetworkError("checkpoint_gone", minutes=self.minutes)
        used(checkpoint.path, checkpoint.labels)
        return checkpoint

    def forget(self, name: str, everywhere: bool = True) -> None:
        """Delete one, if it is there; see ``remove``."""
        checkpoint = self._kept.pop(name, None)
        for path in (checkpoint.path, checkpoint.labels) if checkpoint else ():
            if path is not None:
                remove(path, everywhere)

    def expire(self) -> list[str]:
        """Forget those whose file is gone; their names."""
        gone = [name for name, checkpoint in list(self._kept.items()) if not checkpoint.path.exists()]
        for name in gone:
            self._kept.pop(name, None)
        return gone


@dataclass(frozen=True)
class Asked:
    """One forward pass: which photo, through which network, seeing what; or, with a layer, that layer's
    features."""

    photo: str
    network: str
    view: str
    layer: str = ""


Result = TypeVar("Result")


class Results(Generic[Result]):
    """What was computed, by what was asked: at most so many bytes, each for an hour after its last use; each
    is computed once.

    Who asks for a result that is just being computed waits for it instead of computing it again.
    """

    def __init__(
        self,
        compute: Callable[[Asked], Result],
        size: Callable[[Result], int],
        kept_bytes: int = KEPT_BYTES,
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._compute, self._size, self._bytes, self.kept_seconds = compute, size, kept_bytes, kept_seconds
        self._kept: OrderedDict[Asked, tuple[float, int, Result]] = (
            OrderedDict()
        )  # the least recently used first
        self._under_way: dict[Asked, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, asked: Asked) -> Result:
        """The result, kept or computed now. Raises what the computation raises; a failure is not kept."""
        with self._guard:
            under_way = self._under_way.setdefault(asked, threading.Lock())
        with under_way:
            try:
                self.expire()
                with self._guard:
                    if asked in self._kept:
                        _, size, result = self._kept.pop(asked)
                        self._kept[asked] = time.monotonic(), size, result
                        return result
                result = self._compute(asked)
                self._put(asked, result)
            finally:
                with self._guard:
                    self._under_way.pop(asked, None)
        return result

    def expire(self) -> None:
        """Let go of what was last used longer ago than it is kept."""
        limit = time.monotonic() - self.kept_seconds
        with self._guard:
            for asked in [asked for asked, (used, _, _) in self._kept.items() if used < limit]:
                del self._kept[asked]

    def forget(self, photos: Container[str]) -> None:
        """Let go of all that came of these photos."""
        with self._guard:
            for asked in [asked for asked in self._kept if asked.photo in photos]:
                del self._kept[asked]

    def _put(self, asked: Asked, result: Result) -> None:
        with self._guard:
            self._kept[asked] = time.monotonic(), self._size(result), result
            total = sum(size for _, size, _ in self._kept.values())
            while total > self._bytes and len(self._kept) > 1:
                _, (_, dropped, _) = self._kept.popitem(last=False)
                total -= dropped


def trace_bytes(trace: Trace) -> int:
    """About how much memory a trace takes."""
    arrays = [
        values
        for layer in trace.layers.values()
        for values in (*vars(layer).values(), *(step.values for step in layer.steps))
    ]
    return trace.photo.pixels.nbytes + sum(values.nbytes for values in arrays if hasattr(values, "nbytes"))


def features_bytes(features: Features) -> int:
    """How much memory a layer's features take."""
    return features.before.nbytes + features.after.nbytes
