"""The folder that a server keeps its uploads in: made, swept of what is old, removed at the end."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

PREFIX = "attnviz-uploads-"  # then the number of the process, then what makes the name unique
SWEEP_SECONDS = 60


def new_folder(parent: Path | None = None, process_folder: Path | None = None) -> Path:
    """A fresh folder for a server's uploads that only this user can read. It lies in ``process_folder`` if
    that is one of this process, else in a new one; those that killed processes left behind are removed."""
    parent = parent or Path(tempfile.gettempdir())
    for folder in parent.glob(f"{PREFIX}*"):
        if not _runs(folder.name.removeprefix(PREFIX).partition("-")[0]):
            shutil.rmtree(folder, ignore_errors=True)  # another user's folder stays: it can't be removed
    prefix = f"{PREFIX}{os.getpid()}-"
    if process_folder is None or not process_folder.name.startswith(prefix) or not process_folder.is_dir():
        process_folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    return Path(tempfile.mkdtemp(prefix="server-", dir=process_folder))


class Sweeper:
    """Deletes the files and empty folders under a folder that nobody used for ``older_than`` seconds.

    Gradio's own clean-up forgets aborted uploads and stops for good on a race under load (seen in 6.31),
    hence this one. Age counts from when a file was first seen as it is, by a clock that does not jump when
    the machine's does."""

    def __init__(self, folder: Path, older_than: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self.older_than = folder, older_than
        self._clock = clock
        self._since: dict[
            Path, tuple[float, float]
        ] = {}  # time of last change by the file's own clock; by ours

    def sweep(self) -> int:
        """Delete what is too old now; how many files went."""
        now, deleted, since = self._clock(), 0, {}
        for path in sorted(self.folder.rglob("*"), reverse=True):
            try:
                changed = path.lstat().st_mtime
                changed_before, unchanged_since = self._since.get(path, (changed, now))
                if changed_before != changed:
                    unchanged_since = now
                if now - unchanged_since < self.older_than:
                    since[path] = changed, unchanged_since
                else:
                    deleted += _delete(path)
            except OSError:
                continue
        self._since = since
        return deleted


def _delete(path: Path) -> int:
    if path.is_dir():
        path.rmdir()  # fails, and the folder stays, while there is something in it
        return 0
    path.unlink()
    return 1


def keep_swept(
    sweeper: Sweeper, also: Callable[[], None], every: float = SWEEP_SECONDS
) -> Callable[[], None]:
    """Sweep a server's folder every minute, and call ``also`` each time. The function that is returned ends
    that and removes the folder; it is called when the program ends, if not before."""
    stop = threading.Event()
    sweeper.sweep()

    def run() -> None:
        while not stop.wait(every):
            try:
                also()
                sweeper.sweep()
            except Exception:  # whatever it was, the next minute has its own chance
                log.exception("sweeping failed")

    def end() -> None:
        stop.set()
        _remove(sweeper.folder)

    threading.Thread(target=run, name="attnviz-sweep", daemon=True).start()
    atexit.register(end)
    return end


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent.name.startswith(PREFIX):
        with suppress(OSError):  # another server of this process has its folder there
            folder.parent.rmdir()


def _runs(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True  # it runs, and belongs to somebody else
    return True
