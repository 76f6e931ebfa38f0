"""Networks of public libraries trained on ImageNet-1k: one table, and opening them with those libraries' own definitions and downloads.

torchvision, timm and pytorchcv are imported only when one of their networks is opened.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from .downloads import Report, fetched, verified
from .errors import NetworkError
from .geometry import Recipe
from .networks.card import Card

INSTALL = 'pip install "attnviz[zoo]"'


@dataclass(frozen=True)
class Row:
    """One network: which library has it under which name, and what is known of its weights."""

    library: str                           # "pytorchcv", "timm" or "torchvision"
    name: str                              # the library's
    title: str                             # for people
    attention: str | None                  # "SE", "CBAM" and so on
    megabytes: float                       # to download, of 10^6 bytes
    accuracy: float | None                 # published top-1 share on ImageNet's 50,000 validation photos
    licence: str                           # of the weights, as the library has it
    recipe: Recipe = field(default_factory=Recipe)
    sides: tuple[int, int] | None = None   # the least and greatest side in pixels that it takes; None: any

    @property
    def key(self) -> str:
        """What ``load`` takes."""
        return f"{self.library}/{self.name}"


def names() -> list[str]:
    """The keys of the table: LIBRARY/NAME."""
    return list(TABLE)


def row(key: str) -> Row:
    """The row of a key; for one of timm's that is not in the table, what timm knows of it. Raises NetworkError if there is none."""
    if key in TABLE:
        return TABLE[key]
    if key.startswith("timm/"):
        return _timm_row(key.removeprefix("timm/"))
    raise NetworkError(f"There is no ImageNet network called “{key}”: “attnviz networks” lists them.")


def resolve(name: str) -> str | None:
    """The key that a name stands for: itself, or the library's name alone, pytorchcv's first; None if it is no network of theirs."""
    if name in TABLE or (name.startswith("timm/") and "/" not in name[5:] and name[5:]):
        return name
    found = next((key for key, entry in TABLE.items() if entry.name == name), None)
    if found is not None or not name.replace(".", "").replace("_", "").isalnum():
        return found
    try:
        timm = _library("timm")
    except NetworkError:
        return None
    return f"timm/{name}" if timm.is_model(name) else None


@cache
def labels() -> tuple[str, ...]:
    """The 1,000 English class names, each one once, in the order of the classes."""
    text = (Path(__file__).parent / "imagenet-labels.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def kept(key: str) -> bool:
    """Whether the weights are on this machine already. Their content is checked when they are opened."""
    try:
        source = SOURCES[row(key).library](row(key))
        return source.file() is not None
    except (NetworkError, ImportError):
        return False


def open_network(key: str, report: Report | None = None) -> nn.Module:
    """The trained network, in eval mode, with its ``card``; its weights are downloaded if they are not here yet, with progress to
    ``report`` (bytes done, bytes in all) or, if that is None, to a terminal.

    Raises NetworkError, one sentence, if the library is missing, its server can't be reached, or the weights are not what they should be.
    """
    about = row(key)
    with _lock(key):
        network = fetched(about.name, round(about.megabytes * 1e6), SOURCES[about.library](about), report)
    network.card = Card(   # type: ignore[assignment]
        about.key, labels=labels(), recipe=about.recipe, accuracy=about.accuracy, photos=50_000, data="ImageNet-1k", title=about.title,
        licence=about.licence, sides=about.sides,
    )
    return network.eval()


class _Torchvision:
    """Weights by torch.hub: a temporary file, its hash's beginning in the name, then the name; nothing stays of a failure."""

    host = "download.pytorch.org"

    def __init__(self, about: Row) -> None:
        self._models, self._name = _library("torchvision").models, about.name
        self._weights = self._models.get_model_weights(about.name).DEFAULT

    def folder(self) -> Path:
        return _hub_folder()

    def file(self) -> Path | None:
        return _there(self.folder() / self._weights.url.rsplit("/", 1)[-1])

    def open(self) -> nn.Module:
        network = self._models.get_model(self._name, weights=None)
        network.load_state_dict(self._weights.get_state_dict(progress=False, check_hash=True))
        return network


class _Timm:
    """Weights from the Hugging Face hub, or for older ones by torch.hub, whichever timm says."""

    def __init__(self, about: Row) -> None:
        self._timm, self._name = _library("timm"), about.name
        self._config = self._timm.get_pretrained_cfg(about.name)
        self.host = "huggingface.co" if self._config.hf_hub_id else "github.com"

    def folder(self) -> Path:
        return Path(importlib.import_module("huggingface_hub.constants").HF_HUB_CACHE) if self._config.hf_hub_id else _hub_folder()

    def file(self) -> Path | None:
        if not self._config.hf_hub_id:
            return _there(self.folder() / self._config.url.rsplit("/", 1)[-1])
        hub = importlib.import_module("huggingface_hub")
        for name in ("model.safetensors", "pytorch_model.bin"):
            found = hub.try_to_load_from_cache(self._config.hf_hub_id, name, cache_dir=str(self.folder()))
            if isinstance(found, str):
                return _there(Path(found))
        return None

    def open(self) -> nn.Module:
        if not self._config.hf_hub_id:   # timm does not check the hash in the name of these
            hub = importlib.import_module("torch.hub")
            hub.load_state_dict_from_url(self._config.url, progress=False, check_hash=True, map_location="cpu", weights_only=True)
        try:
            return self._timm.create_model(self._name, pretrained=True)
        finally:   # the hub checks sizes only
            if self._config.hf_hub_id:
                verified(self.file())


class _Pytorchcv:
    """Weights as a zip from a release on GitHub, unpacked, with their SHA-1 in pytorchcv's own list."""

    host = "github.com"

    def __init__(self, about: Row) -> None:
        _library("pytorchcv")
        self._name = about.name
        self._store = importlib.import_module("pytorchcv.models.common.model_store")

    def folder(self) -> Path:
        return _hub_folder()

    def file(self) -> Path | None:
        error, sha1, _ = self._store.get_model_name_suffix_data(self._name)
        return _there(self.folder() / f"{self._name}-{error}-{sha1[:8]}.pth")

    def open(self) -> nn.Module:
        torch = importlib.import_module("torch")
        network = importlib.import_module("pytorchcv.model_provider").get_model(self._name, pretrained=False)
        path = self._store.get_model_file(self._name, local_model_store_dir_path=str(self.folder()))   # checks the SHA-1
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        return network


def _library(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise NetworkError(f"{name} is not installed, which has this network: {INSTALL}") from None


def _hub_folder() -> Path:
    return Path(importlib.import_module("torch.hub").get_dir()) / "checkpoints"


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _timm_row(name: str) -> Row:
    timm = _library("timm")
    data = importlib.import_module("timm.data")
    config = timm.get_pretrained_cfg(name) if timm.is_model(name) else None
    if config is None or not config.has_weights or config.num_classes != 1000:
        raise NetworkError(f"timm has no network called “{name[:60]}” with weights for ImageNet's 1,000 classes.")
    full = f"{config.architecture}.{config.tag}" if config.tag else name
    told = data.resolve_data_config(pretrained_cfg=config.to_dict(), use_test_size=True)
    with importlib.import_module("torch").device("meta"):
        parameters = sum(values.numel() for values in timm.create_model(name).state_dict().values())
    return Row("timm", full, full, None, parameters * 4 / 1e6, None, config.license or "not stated", _recipe(told))


def _recipe(told: dict[str, Any]) -> Recipe:
    """timm's preprocessing as ours."""
    side = told["input_size"][-1]
    interpolation = told["interpolation"] if told["interpolation"] in ("bilinear", "bicubic") else "bicubic"
    return Recipe(int(side / told["crop_pct"]), side, tuple(told["mean"]), tuple(told["std"]), interpolation)


def _lock(key: str) -> threading.Lock:
    with _guard:
        return _locks.setdefault(key, threading.Lock())


_guard = threading.Lock()
_locks: dict[str, threading.Lock] = {}

SOURCES: dict[str, Callable[[Row], Any]] = {"torchvision": _Torchvision, "timm": _Timm, "pytorchcv": _Pytorchcv}

_BICUBIC = Recipe(interpolation="bicubic")
_SIDES = (193, 224)   # pytorchcv's ResNets end in a pooling over 7 × 7 cells

# Accuracy as the libraries publish it, with the preprocessing that they measured it with (timm: at its test size).
ROWS = (
    Row("pytorchcv", "cbam_resnet50", "CBAM ResNet-50", "CBAM", 112.4, 0.7983, "MIT", sides=_SIDES),
    Row("pytorchcv", "bam_resnet50", "BAM ResNet-50", "BAM", 103.7, 0.7909, "MIT", sides=_SIDES),
    Row("pytorchcv", "seresnet18", "SE ResNet-18", "SE", 47.1, 0.7182, "MIT", sides=_SIDES),
    Row("pytorchcv", "seresnet50", "SE ResNet-50", "SE", 112.4, 0.7878, "MIT", sides=_SIDES),
    Row("pytorchcv", "seresnet101", "SE ResNet-101", "SE", 197.3, 0.8076, "MIT", sides=_SIDES),
    Row("pytorchcv", "resnet18", "Plain ResNet-18", None, 46.8, None, "MIT", sides=_SIDES),
    Row("pytorchcv", "resnet50", "Plain ResNet-50", None, 102.2, None, "MIT", sides=_SIDES),
    Row("timm", "seresnet50.ra2_in1k", "SE ResNet-50", "SE", 112.4, 0.81284, "Apache-2.0", Recipe(303, 288, interpolation="bicubic")),
    Row("timm", "legacy_seresnet18.in1k", "SE ResNet-18 (legacy)", "SE", 47.1, 0.71766, "Apache-2.0", _BICUBIC),
    Row("timm", "legacy_seresnet34.in1k", "SE ResNet-34 (legacy)", "SE", 87.8, 0.74808, "Apache-2.0"),
    Row("timm", "legacy_seresnet50.in1k", "SE ResNet-50 (legacy)", "SE", 112.4, 0.77644, "Apache-2.0"),
    Row("timm", "legacy_seresnet101.in1k", "SE ResNet-101 (legacy)", "SE", 197.3, 0.78386, "Apache-2.0"),
    Row("timm", "ecaresnet50t.ra2_in1k", "ECA ResNet-50-T", "ECA", 102.3, 0.82352, "Apache-2.0", Recipe(336, 320, interpolation="bicubic")),
    Row("timm", "gcresnet50t.ra2_in1k", "GC ResNet-50-T", "GC", 103.6, 0.81456, "Apache-2.0", Recipe(288, 288, interpolation="bicubic")),
    Row("torchvision", "mobilenet_v3_large", "MobileNetV3 Large", "SE", 22.1, 0.75274, "BSD-3-Clause", Recipe(232, 224)),
    Row("torchvision", "efficientnet_b0", "EfficientNet-B0", "SE", 21.4, 0.77692, "BSD-3-Clause", _BICUBIC),
    Row("torchvision", "regnet_y_400mf", "RegNetY 400MF", "SE", 17.6, 0.75804, "BSD-3-Clause", Recipe(232, 224)),
)
TABLE = {entry.key: entry for entry in ROWS}
