"""Around a library's own download: progress, an end to waiting, a check before every use, one sentence for
what goes wrong."""

from __future__ import annotations

import builtins
import errno
import hashlib
import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from tqdm import tqdm

from ..errors import NetworkError
from ..languages.catalogue import Phrase, Value

log = logging.getLogger(__name__)

STALLED_SECONDS = 20.0  # without a byte
RESTARTS = 8  # a library may try so often from the beginning; without a limit, one of them would for ever
LOOK_SECONDS = 0.2  # between two looks at how much has arrived
LEFT_SECONDS = 86_400  # after which what a killed download left behind is taken away
FOLDER = ".attnviz-"  # begins the name of a folder in which a download lies until it is whole
THREAD = "attnviz-download"  # the name of the threads in which libraries download, and are not heard

Report = Callable[[int, int], None]  # bytes done, bytes in all


class Damaged(Exception):
    """What was downloaded is not what it should be."""


class Transfer:
    """A download under way: ``count`` gives the bytes that have arrived, ``left`` says that nobody waits for
    them any more."""

    def __init__(self) -> None:
        self.count: Callable[[], int] = lambda: 0
        self.folder: Path | None = None
        self.left = False

    @contextmanager
    def landing(self, path: Path) -> Iterator[Path]:
        """A place to write to, in a folder of this download's own; at the end, if nothing was raised, what is
        there becomes ``path``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.glob(f"{FOLDER}*"):
            with suppress(OSError):
                if time.time() - old.stat().st_mtime > LEFT_SECONDS:
                    shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=FOLDER, dir=path.parent))
        self.folder, self.count = folder, lambda: bytes_in(folder, "*")
        try:
            yield folder / path.name
            os.replace(folder / path.name, path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class Source(Protocol):
    """Where a library has one file of weights from, and where it keeps it."""

    @property
    def host(self) -> str: ...
    @property
    def room(self) -> int: ...  # how many times the file's size a download takes on the disk
    def folder(self) -> Path: ...
    def kept(self) -> Path | None: ...  # the file under its final name, if it is there
    def whole(self, path: Path) -> bool: ...  # whether it has the checksum that it should have
    def remove(self, path: Path) -> None: ...
    def download(self, transfer: Transfer) -> None: ...  # by the library's own code, in a thread of its own


def fetch(source: Source, title: str, size: int, report: Report | None) -> Path:
    """The file of a source, whole: the one that is here, or downloaded, about ``size`` bytes.

    Progress goes to ``report``, or to a terminal if there is none to report to. Raises NetworkError if it
    can't be had; nothing that a later call would take for good is left then."""
    try:
        path = source.kept()
        if path is not None and not source.whole(path):  # damaged since, or cut off by a power failure
            source.remove(path)
            path = None
        if path is None:
            _make_sure_of_room(source.folder(), source.room * size)
            with _progress(title, report) as told:
                _download(source, size, told)
            path = source.kept()
            if path is None or not source.whole(path):
                if path is not None:
                    source.remove(path)
                raise Damaged
        return path
    except NetworkError:
        raise
    except Exception as error:  # what urllib, requests, httpx, zipfile and the libraries above them raise
        log.info("a download failed", exc_info=True)
        raise _failure(error, title, source.host, size) from None


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    return digest(path, "sha256")


def digest(path: Path, kind: str) -> str:
    """A file's digest of this kind ("sha1"), in hexadecimal digits."""
    state = hashlib.new(kind)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()


def bytes_in(folder: Path, pattern: str) -> int:
    """The bytes of the files in a folder that match, as they are now."""
    total = 0
    with suppress(OSError):  # the folder is gone, since the download has just ended
        for path in folder.glob(pattern):
            with suppress(OSError):  # gone in between
                total += path.stat().st_size
    return total


@contextmanager
def changed(module: ModuleType, values: dict[str, Any]) -> Iterator[None]:
    """A library's constants set to these values as long as any thread is in here."""
    with _guard:
        depth, before = _changes.get(module.__name__, (0, {}))
        if depth == 0:
            before = {name: getattr(module, name) for name in values}
            for name, value in values.items():
                setattr(module, name, value)
        _changes[module.__name__] = depth + 1, before
    try:
        yield
    finally:
        with _guard:
            depth, before = _changes[module.__name__]
            _changes[module.__name__] = depth - 1, before
            if depth == 1:
                for name, value in before.items():
                    setattr(module, name, value)


def hush(module: ModuleType | None = None, logger: str = "") -> None:
    """Keep a module's prints, and what a logger's handlers write, out of sight where they come from a
    download of ours."""
    if module is not None:
        module.print = _print  # type: ignore[attr-defined]
    for handler in logging.getLogger(logger).handlers if logger else ():
        handler.addFilter(_heard)


def _download(source: Source, size: int, told: Report) -> None:
    """Let a source download in a thread, which can be left behind if nothing comes any more, and tell how far
    it is.

    A library may wait in it for as long as the server likes (requests has no time limit): then it stays until
    the connection ends, and what it writes goes to a folder that is gone."""
    transfer, raised = Transfer(), []

    def run() -> None:
        try:
            source.download(transfer)
        except BaseException as error:
            raised.append(error)

    worker = threading.Thread(target=run, name=THREAD, daemon=True)
    done, before, restarts, since = 0, 0, 0, time.monotonic()
    try:
        told(0, size)
        worker.start()
        while worker.is_alive():
            worker.join(LOOK_SECONDS)
            arrived = transfer.count()
            if arrived != before:
                restarts += arrived < before
                before, since = arrived, time.monotonic()
            if arrived > done:
                done = arrived
                told(min(done, size), size)
            if worker.is_alive() and restarts > RESTARTS:
                raise Damaged
            if worker.is_alive() and time.monotonic() - since > STALLED_SECONDS:
                raise TimeoutError
    finally:
        transfer.left = True
        if transfer.folder is not None:
            shutil.rmtree(transfer.folder, ignore_errors=True)
    if raised:
        raise raised[0]
    told(size, size)


def _make_sure_of_room(folder: Path, size: int) -> None:
    while not folder.exists():
        folder = folder.parent
    if shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, "no room")


@contextmanager
def _progress(title: str, report: Report | None) -> Iterator[Report]:
    """Where progress goes: to who asked for it, else to a bar if there is a terminal."""
    if report is not None:
        yield report
        return
    with tqdm(desc=f"Downloading {title}", unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:

        def told(done: int, size: int) -> None:
            bar.total = size
            bar.update(done - bar.n)

        yield told


def _failure(error: BaseException, title: str, host: str, size: int) -> NetworkError:
    """What went wrong, for people: the first thing in the chain of causes that they can act on."""
    chain = list(_causes(error))
    kinds = {kind.__name__ for one in chain for kind in type(one).__mro__}
    texts = " ".join(str(one) for one in chain)
    errors = [one for one in chain if isinstance(one, OSError)]
    code = next((status for one in chain if (status := _status(one))), None)
    if any(one.errno in FULL for one in errors):
        return NetworkError("download_disk_full", title=title, size=f"{size / 1e6:.0f}")
    if any(one.errno in FORBIDDEN and one.filename is not None for one in errors):
        return NetworkError("download_folder_forbidden", title=title)
    if code is not None or "Failed downloading url" in texts:  # pytorchcv does not say which status it was
        told: Value = Phrase("in_brackets", code=code) if code else ""
        return NetworkError("download_answered_error", title=title, host=host, status=told)
    if any(isinstance(one, TimeoutError) for one in chain) or (
        kinds & STALLED and "ConnectTimeout" not in kinds
    ):
        return NetworkError("download_stalled", title=title, host=host, seconds=f"{STALLED_SECONDS:g}")
    if kinds & CUT or "hash" in texts or "Consistency check failed" in texts:
        return NetworkError("download_damaged", title=title, host=host)
    if kinds & UNREACHABLE:
        return NetworkError("download_unreachable", title=title, host=host)
    return NetworkError("download_failed", title=title, host=host)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    """The status that a server answered with, if this error is about one."""
    code = getattr(error, "code", None) or getattr(getattr(error, "response", None), "status_code", None)
    return code if isinstance(code, int) and code >= 400 else None


def _print(*values: object, **options: Any) -> None:
    if threading.current_thread().name != THREAD:
        builtins.print(*values, **options)


def _heard(record: logging.LogRecord) -> bool:
    return record.threadName != THREAD


_guard = threading.Lock()
_changes: dict[str, tuple[int, dict[str, Any]]] = {}

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)
# By name, since the libraries that raise them are not imported here.
STALLED = {"Timeout", "TimeoutException"}
CUT = {
    "Damaged",
    "BadZipFile",
    "ChunkedEncodingError",
    "IncompleteRead",
    "RemoteProtocolError",
    "ContentTooShortError",
}
UNREACHABLE = {
    "ConnectionError",
    "ConnectError",
    "ConnectTimeout",
    "gaierror",
    "SSLError",
    "URLError",
    "NetworkError",
    "ProxyError",
}
