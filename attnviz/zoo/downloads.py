"""Downloads of weights: a file that is kept is checked, one that is missing is downloaded, with progress, an
end to waiting, and a sentence for what goes wrong."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import socket
import ssl
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from ..errors import DISK_FULL, NetworkError
from ..languages.catalogue import Phrase
from .libraries import library

log = logging.getLogger(__name__)

STALLED_SECONDS = 20.0  # without a byte
ATTEMPTS = 3  # at a transfer that breaks off
CHUNK = 1 << 16  # bytes that are written, and counted, at once
ABANDONED_SECONDS = 86_400  # after which the folder of a killed download is deleted
FOLDER = ".attnviz-"  # begins the name of a folder in which a download lies until it is whole

Report = Callable[[int, int], None]  # bytes done, bytes in all


class Damaged(Exception):
    """What was downloaded is not what it should be."""


class Unreachable(Exception):
    """There is no connection to the server."""


class Source(Protocol):
    """Where one file of weights comes from, and where its library keeps it."""

    @property
    def host(self) -> str: ...
    @property
    def room(self) -> int: ...  # how many times the file's size a download takes on the disk
    def folder(self) -> Path: ...
    def kept(self) -> Path | None: ...  # the file under its final name, if it is there
    def whole(self, path: Path) -> bool: ...  # whether it has the checksum that it should have
    def remove(self, path: Path) -> None: ...
    def download(self, progress: Progress) -> None: ...  # to its final name, whole


class Progress:
    """Counts bytes that arrive, and tells ``report`` at every hundredth of about ``size``.

    Its methods are those that pooch calls on a progress bar."""

    total = 0  # set by pooch

    def __init__(self, report: Report, size: int) -> None:
        self._report, self._size = report, size
        self._arrived = self._reported = 0
        report(0, size)

    def update(self, count: int) -> None:
        self._arrived += count
        done = min(self._arrived, self._size)
        if done - self._reported >= self._size / 100:
            self._reported = done
            self._report(done, self._size)

    def reset(self) -> None:
        """Count from zero; what was reported is not taken back."""
        self._arrived = 0

    def close(self) -> None:
        """Nothing: a transfer that has ended may still be found damaged."""


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
            _require_room(source.folder(), source.room * size)
            with _reporting(title, report) as reporting:
                source.download(Progress(reporting, size))
                reporting(size, size)
            path = source.kept()
        if path is None:
            raise Damaged
        return path
    except NetworkError:
        raise
    except Exception as error:  # what requests, the Hugging Face hub, zipfile and the system raise
        log.info("a download failed", exc_info=True)
        raise _failure(error, title, source.host, size) from None


@contextmanager
def landing(path: Path, whole: Callable[[Path], bool]) -> Iterator[Path]:
    """A path of the same name in a new folder, to write to; at the end it becomes ``path``.

    Raises Damaged if the file is not ``whole``. The folder is deleted in any case, a killed process's a day
    later."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _delete_abandoned(path.parent)
    folder = Path(tempfile.mkdtemp(prefix=FOLDER, dir=path.parent))
    try:
        part = folder / path.name
        yield part
        if not whole(part):
            raise Damaged
        os.replace(part, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def transfer(url: str, path: Path, progress: Progress, headers: Mapping[str, str] | None = None) -> None:
    """Download what is at ``url`` to ``path``; a transfer that breaks off is begun again.

    Proxies are those of the environment. Raises Damaged if it breaks off each time, Unreachable if there is
    no connection, requests.HTTPError for a status; TimeoutError is among the causes if nothing arrives."""
    # Not pooch.retrieve: it knows neither torch.hub's checksums, of which there are the first eight digits,
    # nor pytorchcv's, which are of the file inside the zip; and what a killed process leaves stays for ever.
    downloader = library("pooch").HTTPDownloader(
        progressbar=progress,
        chunk_size=CHUNK,
        timeout=STALLED_SECONDS,
        headers={**(headers or {}), "Accept-Encoding": "identity"},
    )
    exceptions = library("requests.exceptions")
    for attempt in range(1, ATTEMPTS + 1):
        progress.reset()
        try:
            return downloader(url, str(path), None)
        except exceptions.ChunkedEncodingError as error:
            if attempt == ATTEMPTS:
                raise Damaged from error
        except exceptions.ConnectionError as error:
            raise Unreachable from error


def _delete_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{FOLDER}*"):
        with suppress(OSError):  # another process deletes it too
            if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _require_room(folder: Path, size: int) -> None:
    while not folder.exists():
        folder = folder.parent
    if shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, "no room")


@contextmanager
def _reporting(title: str, report: Report | None) -> Iterator[Report]:
    """Where progress goes: to ``report``, else to a bar if there is a terminal."""
    if report is not None:
        yield report
        return
    with tqdm(desc=f"Downloading {title}", unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:

        def draw(done: int, size: int) -> None:
            bar.total = size
            bar.update(done - bar.n)

        yield draw


def _failure(error: BaseException, title: str, host: str, size: int) -> NetworkError:
    """The sentence for the first thing in the chain of causes that people can act on."""
    causes = list(_causes(error))
    codes = [cause.errno for cause in causes if isinstance(cause, OSError)]
    status = next((code for cause in causes if (code := _status(cause))), None)
    if any(code in DISK_FULL for code in codes):
        return NetworkError("download_disk_full", title=title, size=f"{size / 1e6:.0f}")
    if any(isinstance(cause, OSError) and cause.errno in FORBIDDEN and cause.filename for cause in causes):
        return NetworkError("download_folder_forbidden", title=title)
    if status is not None:
        in_brackets = Phrase("in_brackets", code=status)
        return NetworkError("download_answered_error", title=title, host=host, status=in_brackets)
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return NetworkError("download_stalled", title=title, host=host, seconds=f"{STALLED_SECONDS:g}")
    if any(isinstance(cause, CUT) for cause in causes):
        return NetworkError("download_damaged", title=title, host=host)
    if any(isinstance(cause, NO_CONNECTION) for cause in causes):
        return NetworkError("download_unreachable", title=title, host=host)
    return NetworkError("download_failed", title=title, host=host)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    passed: list[BaseException] = []
    while error is not None and error not in passed:
        passed.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    """The status that a server answered with, if this error is about one; requests and the Hugging Face hub
    name it alike."""
    code = getattr(getattr(error, "response", None), "status_code", None)
    return code if isinstance(code, int) and code >= 400 else None


FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)
CUT = (Damaged, zipfile.BadZipFile)
NO_CONNECTION = (Unreachable, ConnectionError, socket.gaierror, ssl.SSLError)
