"""Where torch.hub, the Hugging Face hub and pytorchcv have weights from, where they keep them, and how they
are told to download.

Each is a ``downloads.Source``. The libraries are imported only when they are asked.
"""

from __future__ import annotations

import importlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import torch.hub

from ..errors import NetworkError
from . import downloads
from .downloads import Damaged, Transfer, bytes_in, changed, digest, hush, sha256

INSTALL = 'pip install "attnviz[zoo]"'
STORE = Path("~/.torch/models")  # pytorchcv's folder, which no variable moves


def library(name: str) -> ModuleType:
    """A library, or a module of one, by name. Raises NetworkError if it is not installed."""
    package = name.split(".")[0]
    try:
        importlib.import_module(package)
        return importlib.import_module(name)
    except (ImportError, RuntimeError, OSError):  # the latter two where it was built for another torch
        raise NetworkError("library_missing", package=package, command=INSTALL) from None


def anything(package: str) -> bool:
    """Whether there are weights of this library where it would keep them, any at all; told without the
    library."""
    hub = TorchHub("").folder()
    if package == "pytorchcv":
        return any(STORE.expanduser().glob("*.pth"))
    return any(hub.glob("*.*")) or (package == "timm" and any(HuggingFace("", ()).folder().glob("models--*")))


def hash_in(url: str) -> str:
    """The first digits of a file's SHA-256, which are in its name; "" if they are not."""
    found = re.search(r"-([0-9a-f]{8,64})\.\w+$", urlsplit(url).path)
    return found[1] if found else ""


@dataclass(frozen=True)
class TorchHub:
    """A file that torch.hub keeps, whose name ends with the first digits of its SHA-256: torchvision's, and
    timm's older ones."""

    url: str
    room = 1

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    def folder(self) -> Path:
        return Path(torch.hub.get_dir()) / "checkpoints"

    def kept(self) -> Path | None:
        return _there(self.folder() / self._name())

    def whole(self, path: Path) -> bool:
        return sha256(path).startswith(hash_in(self.url))

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def download(self, transfer: Transfer) -> None:
        with transfer.landing(self.folder() / self._name()) as part:
            torch.hub.download_url_to_file(self.url, str(part), hash_in(self.url), progress=False)

    def _name(self) -> str:
        return urlsplit(self.url).path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class HuggingFace:
    """A file in the Hugging Face cache, which links to one named after its SHA-256: timm's. ``names``: the
    first that there is.

    Where a file system has no links, what is there is taken as it is.
    """

    repository: str
    names: tuple[str, ...]
    room = 1

    @property
    def host(self) -> str:
        return urlsplit(library("huggingface_hub.constants").ENDPOINT).hostname or ""

    def folder(self) -> Path:
        return Path(library("huggingface_hub.constants").HF_HUB_CACHE)

    def kept(self) -> Path | None:
        look = library("huggingface_hub").try_to_load_from_cache
        found = (look(self.repository, name, cache_dir=str(self.folder())) for name in self.names)
        return next((path for one in found if isinstance(one, str) and (path := _there(Path(one)))), None)

    def whole(self, path: Path) -> bool:
        name = Path(os.readlink(path)).name if path.is_symlink() else ""
        return not _is_sha256(name) or sha256(path) == name

    def remove(self, path: Path) -> None:
        target = path.parent / os.readlink(path) if path.is_symlink() else None
        path.unlink(missing_ok=True)
        if target is not None:  # the blob, which may be a link to one that several repositories share
            self.remove(target)

    def download(self, transfer: Transfer) -> None:
        hub = library("huggingface_hub")
        folder = hub.file_download.repo_folder_name(repo_id=self.repository, repo_type="model")
        blobs = self.folder() / folder / "blobs"
        before = bytes_in(
            blobs, "*.incomplete"
        )  # another process may be at work on the same file, or have left some
        transfer.count = lambda: bytes_in(blobs, "*.incomplete") - before
        hush(logger="huggingface_hub")
        with changed(hub.constants, HUB_CONSTANTS):
            # Asked for first, because this says at once what hf_hub_download says after half a minute of
            # trying again.
            name, wanted = self._first(hub)
            path = hub.hf_hub_download(
                self.repository,
                name,
                cache_dir=str(self.folder()),
                etag_timeout=downloads.STALLED_SECONDS,
                tqdm_class=_bar(transfer),
            )
        if _is_sha256(wanted) and sha256(Path(path)) != wanted:
            self.remove(Path(path))
            raise Damaged

    def _first(self, hub: Any) -> tuple[str, str]:
        """The first of the names that the repository has, and the SHA-256 or other tag of that file."""
        *others, last = self.names
        for name in (*others, last):
            try:
                url = hub.hf_hub_url(self.repository, name)
                return name, hub.get_hf_file_metadata(url, timeout=downloads.STALLED_SECONDS).etag or ""
            except hub.errors.EntryNotFoundError:
                if name == last:
                    raise
        raise AssertionError


@dataclass(frozen=True)
class ModelStore:
    """A file of pytorchcv's model store: extracted from a zip of a release on GitHub, its SHA-1 in a list
    that comes with pytorchcv."""

    name: str
    room = 2  # the zip, and what is in it

    @property
    def host(self) -> str:
        return urlsplit(self._store().imgclsmob_repo_url).hostname or ""

    def folder(self) -> Path:
        return STORE.expanduser()

    def kept(self) -> Path | None:
        return _there(self._path())

    def whole(self, path: Path) -> bool:
        return digest(path, "sha1") == self._store().get_model_name_suffix_data(self.name)[1]

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def download(self, transfer: Transfer) -> None:
        hush(self._store())
        with transfer.landing(self._path()) as part:
            self._store().get_model_file(self.name, local_model_store_dir_path=str(part.parent))

    def _path(self) -> Path:
        error, sha1, _ = self._store().get_model_name_suffix_data(self.name)
        return self.folder() / f"{self.name}-{error}-{sha1[:8]}.pth"

    def _store(self) -> Any:
        return library("pytorchcv.models.common.model_store")


def _there(path: Path) -> Path | None:
    try:
        return path if path.is_file() else None
    except OSError:  # a home that this user may not read
        return None


def _is_sha256(name: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", name) is not None


def _bar(transfer: Transfer) -> type:
    """A class of progress bars for huggingface_hub that show nothing, and end a download for which nobody
    waits any more."""

    class Bar:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def update(self, _bytes: float | None = 1) -> None:
            if transfer.left:
                raise Damaged

        close = refresh = __exit__

    return Bar


# Its pieces of 10 MB are too coarse to tell a slow line from a dead one; Xet's are coarser, and arrive in any
# order.
HUB_CONSTANTS = {
    "DOWNLOAD_CHUNK_SIZE": 1 << 16,
    "HF_HUB_DISABLE_XET": True,
    "HF_HUB_DISABLE_SYMLINKS_WARNING": True,
}
