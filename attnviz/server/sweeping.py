"""The folder that a server keeps its uploads in: made, swept of what is old, removed at the end."""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # a system without such locks, where nothing tells whose process runs
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

PREFIX = "attnviz-uploads-"  # then what makes the name unique
LOCK = "lock"  # a file in each process's folder, which is locked as long as the process runs
SWEEP_SECONDS = 60

_locks: dict[Path, tuple[int, int]] = {}  # of the folders of this process: its number, and the open file


def new_folder(parent: Path | None = None, process_folder: Path | None = None) -> Path:
    """A fresh folder for a server's uploads that only this user can read. It lies in ``process_folder`` if
    that is one of this process, else in a new one; those that killed processes left behind are removed.

    A process that runs holds a lock on a file in its folder. Its number would say nothing: in a container it
    is 1 every time, and another container's is another process here."""
    parent = parent or Path(tempfile.gettempdir())
    for folder in parent.glob(f"{PREFIX}*"):
        _remove_if_left(folder)
    if process_folder is None or not _is_ours(process_folder) or not process_folder.is_dir():
        process_folder = _new_process_folder(parent)
    return Path(tempfile.mkdtemp(prefix="server-", dir=process_folder))


def make_again(folder: Path) -> None:
    """Make a server's folder again, and that of its process, if somebody deleted them underneath; both are
    this user's own."""
    if folder.is_dir():
        return
    process_folder = folder.parent
    if process_folder.name.startswith(PREFIX) and not process_folder.is_dir():
        process_folder.mkdir(mode=0o700, exist_ok=True)
        _unlock(process_folder)
        _lock(process_folder, process_folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _new_process_folder(parent: Path) -> Path:
    """A folder that gets its name only once it is locked: nobody takes it for one that was left behind."""
    made = Path(tempfile.mkdtemp(prefix=".attnviz-new-", dir=parent))
    folder = parent / f"{PREFIX}{secrets.token_hex(8)}"
    _lock(made, folder)
    made.rename(folder)
    return folder


def _lock(place: Path, folder: Path) -> None:
    """Lock a process's folder, which lies at ``place`` now."""
    file = os.open(place / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    _locks[folder] = os.getpid(), file


def _unlock(folder: Path) -> None:
    if _is_ours(folder):
        os.close(_locks.pop(folder)[1])


def _is_ours(folder: Path) -> bool:
    return folder in _locks and _locks[folder][0] == os.getpid()  # else it is that of who forked this one


def _remove_if_left(folder: Path) -> None:
    """Remove a process's folder that nobody holds a lock on. What is another user's stays, and a link."""
    if not fcntl or _is_ours(folder) or folder.is_symlink():
        return
    with suppress(OSError):
        if folder.stat().st_uid != os.getuid():
            return
        file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(file)


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
    process_folder = folder.parent
    if _is_ours(process_folder) and not list(
        process_folder.glob("server-*")
    ):  # else another server's is there
        shutil.rmtree(process_folder, ignore_errors=True)
        _unlock(process_folder)
