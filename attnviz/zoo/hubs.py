"""Where weights come from and where they are kept: torch.hub, the Hugging Face hub, pytorchcv's model store.

Each is a ``downloads.Source``, which leaves a file where the library of the network looks for it. The
libraries are imported only when they are asked.
"""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch.hub

from . import downloads
from .checksum import checksum
from .downloads import Progress, Unreachable, landing, transfer
from .libraries import library

STORE = Path("~/.torch/models")  # pytorchcv's folder, which no variable moves


def any_weights(package: str) -> bool:
    """Whether the download folder of this library holds any weights; does not import the library."""
    checkpoints = TorchHub("").folder()
    if package == "pytorchcv":
        return any(STORE.expanduser().glob("*.pth"))
    if any(checkpoints.glob("*.*")):
        return True
    return package == "timm" and any(HuggingFace("", ()).folder().glob("models--*"))


def hash_in(url: str) -> str:
    """The first digits of a file's SHA-256, which are in its name; "" if they are not."""
    match = re.search(r"-([0-9a-f]{8,64})\.\w+$", urlsplit(url).path)
    return match[1] if match else ""


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
        return _existing(self._path())

    def whole(self, path: Path) -> bool:
        return checksum(path).startswith(hash_in(self.url))

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def download(self, progress: Progress) -> None:
        with landing(self._path(), self.whole) as part:
            transfer(self.url, part, progress)

    def _path(self) -> Path:
        return self.folder() / urlsplit(self.url).path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class HuggingFace:
    """A file in the Hugging Face cache: timm's. ``names``: the first that the repository has.

    The cache has snapshots/COMMIT/NAME, which links to blobs/SHA-256, and refs/main, which holds COMMIT
    (https://huggingface.co/docs/huggingface_hub/guides/manage-cache). Where a file system has no links, the
    file itself lies in snapshots, and is taken as it is.
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
        look_up = library("huggingface_hub").try_to_load_from_cache
        for name in self.names:
            path = look_up(self.repository, name, cache_dir=str(self.folder()))
            if isinstance(path, str) and _existing(Path(path)):
                return Path(path)
        return None

    def whole(self, path: Path) -> bool:
        name = Path(os.readlink(path)).name if path.is_symlink() else path.name
        return not re.fullmatch("[0-9a-f]{64}", name) or checksum(path) == name

    def remove(self, path: Path) -> None:
        target = path.parent / os.readlink(path) if path.is_symlink() else None
        path.unlink(missing_ok=True)
        if target is not None:  # the blob, which may be a link to one that several repositories share
            self.remove(target)

    def download(self, progress: Progress) -> None:
        hub = library("huggingface_hub")
        name, metadata = self._first_file(hub)
        folder = self.folder() / f"models--{self.repository.replace('/', '--')}"
        blob = folder / "blobs" / metadata.etag
        with landing(blob, self.whole) as part:
            url = hub.hf_hub_url(self.repository, name)
            transfer(url, part, progress, hub.utils.build_hf_headers())
        _link(folder / "snapshots" / metadata.commit_hash / name, blob)
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / "main").write_text(metadata.commit_hash)

    def _first_file(self, hub: Any) -> tuple[str, Any]:
        """The first of the names that the repository has, and that file's checksum and commit."""
        for name in self.names:
            url = hub.hf_hub_url(self.repository, name)
            try:
                return name, hub.get_hf_file_metadata(url, timeout=downloads.STALLED_SECONDS)
            except hub.errors.EntryNotFoundError as error:
                missing = error
            except hub.errors.HfHubHTTPError:
                raise
            except hub.errors.HTTPError as error:
                raise Unreachable from error
        raise missing


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
        return _existing(self._path())

    def whole(self, path: Path) -> bool:
        return checksum(path, "sha1") == self._store().get_model_name_suffix_data(self.name)[1]

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def download(self, progress: Progress) -> None:
        store, path = self._store(), self._path()
        release = store.get_model_name_suffix_data(self.name)[2]
        url = f"{store.imgclsmob_repo_url}/releases/download/{release}/{path.name}.zip"
        with landing(path, self.whole) as part:
            packed = part.with_name(f"{part.name}.zip")
            transfer(url, packed, progress)
            with zipfile.ZipFile(packed) as archive:
                archive.extract(path.name, part.parent)

    def _path(self) -> Path:
        error, sha1, _ = self._store().get_model_name_suffix_data(self.name)
        return self.folder() / f"{self.name}-{error}-{sha1[:8]}.pth"

    def _store(self) -> Any:
        return library("pytorchcv.models.common.model_store")


def _existing(path: Path) -> Path | None:
    try:
        return path if path.is_file() else None
    except OSError:  # a home that this user may not read
        return None


def _link(path: Path, blob: Path) -> None:
    """Make ``path`` a link to a blob, or the blob itself where there are no links."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(os.path.relpath(blob, path.parent), path)
    except FileExistsError:  # another process was faster
        pass
    except OSError:
        os.replace(blob, path)
