"""Around a library's own download: progress, an end to waiting, one sentence for what goes wrong, and nothing half left behind."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from torch import nn
from tqdm import tqdm

from .errors import NetworkError

STALLED_SECONDS = 30.0   # without a byte
LOOK_SECONDS = 0.1       # between two looks at how much is there

Report = Callable[[int, int], None]   # bytes done, bytes in all


class Source(Protocol):
    """What a library does for one network: where its weights go, whether they are there, and opening it, with a download if need be."""

    host: str

    def folder(self) -> Path: ...
    def file(self) -> Path | None: ...
    def open(self) -> nn.Module: ...


def fetched(name: str, size: int, source: Source, report: Report | None) -> nn.Module:
    """The network of a source, of about ``size`` bytes. Raises NetworkError if it can't be had; what lay there before stays, and what
    was half written goes, so that the next call begins anew."""
    folder = source.folder()
    before = _files(folder)
    try:
        with _bar(name, size, report) as told:
            return _finished(source, size, folder, before, told)
    except Exception as error:   # what the libraries below theirs raise: requests', httpx', urllib's, zipfile's, torch's
        _removed(folder, before, source)
        if isinstance(error, NetworkError):
            raise
        raise NetworkError(_sentence(name, source.host, error)) from None


def _finished(source: Source, size: int, folder: Path, before: dict[Path, int], told: Report) -> nn.Module:
    """Open a source in a thread of its own, which can be left behind if nothing comes any more, and tell how far it is."""
    outcome: list[nn.Module | BaseException] = []

    def run() -> None:
        try:
            outcome.append(_quietly(source))
        except BaseException as error:
            outcome.append(error)

    here = source.file() is not None
    worker = threading.Thread(target=run, name="attnviz-download", daemon=True)
    worker.start()
    done, since = -1, time.monotonic()
    while worker.is_alive():
        worker.join(LOOK_SECONDS)
        if here or not worker.is_alive():
            continue
        now = sum(max(0, length - before.get(path, 0)) for path, length in _files(folder).items())
        if now != done or source.file() is not None:
            done, since = now, time.monotonic()
            told(min(now, size), size)
        elif time.monotonic() - since > STALLED_SECONDS:
            raise TimeoutError("timed out")
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


@contextlib.contextmanager
def _bar(name: str, size: int, report: Report | None) -> Iterator[Report]:
    """Where progress goes: to who asked for it, else to a bar if there is a terminal."""
    if report is not None:
        yield report
    elif not sys.stderr.isatty():
        yield lambda _done, _size: None
    else:
        bar: tqdm = tqdm(total=size, desc=f"downloading {name}", unit="B", unit_scale=True)
        try:
            yield lambda done, _size: bar.update(done - bar.n) and None
        finally:
            bar.close()


def verified(path: Path | None) -> None:
    """Hold a file of the Hugging Face cache against the SHA-256 that it is named after there. Raises NetworkError, and removes it, if
    it is another one."""
    if path is None:
        return
    blob = path.resolve()
    if not re.fullmatch(r"[0-9a-f]{64}", blob.name):
        return
    digest = hashlib.sha256()
    with blob.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != blob.name:
        path.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
        raise NetworkError("The downloaded weights are damaged (their checksum is wrong) and were removed: try again.")


def _quietly(source: Source) -> nn.Module:
    """Open without the library's own bars and prints."""
    with contextlib.redirect_stdout(io.StringIO()), _without_bars():
        return source.open()


@contextlib.contextmanager
def _without_bars() -> Iterator[None]:
    hub: Any = sys.modules.get("huggingface_hub.utils")
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    shown = hub is not None and not hub.are_progress_bars_disabled()
    if shown:
        hub.disable_progress_bars()
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
        if shown:
            hub.enable_progress_bars()


def _files(folder: Path) -> dict[Path, int]:
    """The files below a folder and their sizes; links count as what they are, nothing."""
    found = {}
    with contextlib.suppress(OSError):
        for path in folder.rglob("*"):
            with contextlib.suppress(OSError):
                if path.is_file() and not path.is_symlink():
                    found[path] = path.stat().st_size
    return found


def _removed(folder: Path, before: dict[Path, int], source: Source) -> None:
    """Take away what a failed download of this source wrote: another's may be under way in the same folder."""
    mine = _name_of(source)
    for path in _files(folder):
        if path not in before and mine and mine in path.name:
            with contextlib.suppress(OSError):
                path.unlink()
    left = source.file()
    if left is not None and left not in before:
        with contextlib.suppress(OSError):
            left.unlink()


def _name_of(source: Source) -> str:
    return getattr(source, "_name", "").split(".")[0]


def _sentence(name: str, host: str, error: BaseException) -> str:
    """What went wrong, in one sentence: the causes are searched for what people can act on."""
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in chain:
        chain.append(at)
        at = at.__cause__ or at.__context__
    text = " ".join(f"{type(one).__name__} {one}" for one in chain).lower()
    goes_on = "the networks that come with attnviz work without a connection"
    if any(isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) for one in chain):
        return f"There is no room on the disk for the weights of {name}: make some, and choose it again."
    if any(isinstance(one, OSError) and one.errno in (errno.EACCES, errno.EROFS, errno.EPERM) for one in chain):
        return f"The weights of {name} can't be kept: the folder for downloads is not writable."
    if "hash" in text or "badzipfile" in text or "crc" in text or "unpickl" in text or "invalid header" in text or "safetensor" in text:
        return f"The weights of {name} from {host} are not what they should be (their checksum is wrong) and were not kept: try again."
    if "timed out" in text or "timeout" in text:
        return f"The download of {name} stopped: {host} sent nothing for {STALLED_SECONDS:.0f} seconds; try again, or go on: {goes_on}."
    if "failed downloading url" in text:
        return f"{host} does not give out the weights of {name}: try again later; {goes_on}."
    if "incomplete" in text or "consistency check" in text or "content-length" in text or "unexpected end" in text or "peer closed" in text:
        return f"The download of {name} was cut off: try again; {goes_on}."
    code = re.search(r"http error (\d{3})|\b(\d{3}) (?:client|server) error", text)
    if code:
        return f"{host} does not give out the weights of {name} (it answered {code[1] or code[2]}): try again later; {goes_on}."
    return f"The weights of {name} could not be downloaded, for {host} could not be reached: {goes_on}."
