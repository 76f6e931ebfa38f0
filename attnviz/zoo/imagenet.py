"""Networks of public libraries trained on ImageNet-1k: one table, and opening them with those libraries' own
definitions.

torchvision, timm and pytorchcv are imported only when one of their networks is asked for.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .._paths import IMAGENET_LABELS
from ..errors import NetworkError
from ..networks.card import Card, with_card
from ..photos.geometry import Recipe
from .checksum import checksum
from .downloads import Report, Source, fetch
from .hubs import HuggingFace, ModelStore, TorchHub, any_weights, hash_in
from .libraries import INSTALL, library

NAME = r"\w[\w.-]*"  # a network's, in these libraries


@dataclass(frozen=True)
class Row:
    """One network: which library has it under which name, and what is known of its weights."""

    library: str  # "pytorchcv", "timm" or "torchvision"
    name: str  # the library's own
    title: str  # for people
    attention: str | None  # "SE", "CBAM" and so on; None: none, or not in the table
    megabytes: float  # to download, of 10^6 bytes
    accuracy: float | None  # top-1 share on ImageNet's 50,000 validation photos, as published for this recipe
    licence: str  # of the weights, as the library states it
    recipe: Recipe = field(default_factory=Recipe)
    sides: tuple[int, int] | None = None  # the least and greatest side in pixels that it takes; None: any

    @property
    def key(self) -> str:
        """What ``load`` takes: LIBRARY/NAME."""
        return f"{self.library}/{self.name}"


def names() -> list[str]:
    """The keys of the table."""
    return list(TABLE)


def row(key: str) -> Row:
    """The row of a key; for one of timm's that is not in the table, what timm knows of it. Raises
    NetworkError if there is none."""
    if key in TABLE:
        return TABLE[key]
    if key.startswith("timm/"):
        return _timm_row(key.removeprefix("timm/"))
    raise NetworkError("imagenet_network_unknown", name=key)


def in_table(name: str) -> str | None:
    """The key of a network of the table, named by its key or by its library's own name; None if it is not
    there. No library is imported."""
    if name in TABLE:
        return name
    return next((key for key, about in TABLE.items() if about.name == name), None)


def resolve(name: str) -> str | None:
    """The key of a network named by its key or by a library's own name, first in the table's order, then any
    of timm's. None if it is no network of theirs; a name that begins with "timm/" is not looked up."""
    if re.fullmatch(rf"timm/{NAME}", name):
        return name
    key = in_table(name)
    if key is not None or not re.fullmatch(NAME, name):
        return key
    try:
        return f"timm/{name}" if _timm_config(name) is not None else None
    except NetworkError:  # timm is not installed
        return None


@cache
def labels() -> tuple[str, ...]:
    """The 1,000 class names, each one once, in the order of the classes."""
    return tuple(IMAGENET_LABELS.read_text(encoding="utf-8").splitlines())


def kept(key: str) -> bool:
    """Whether the weights are on this machine; the file's checksum is not computed.

    The library is imported, which takes seconds, only where its download folder holds any weights."""
    try:
        about = row(key)
        return any_weights(about.library) and SOURCES[about.library](about.name).kept() is not None
    except NetworkError:  # no such network, or its library is not installed
        return False


def fetch_weights(key: str, report: Report | None = None) -> Path:
    """The file of a network's weights: the one that is here, checked, or downloaded, as in ``open_network``.
    Raises NetworkError."""
    about = row(key)
    with _lock(key):
        return _file(about, report)


def open_network(key: str, report: Report | None = None) -> nn.Module:
    """The trained network, in eval mode, with its ``card``.

    Weights that are not here are downloaded, once for all threads that ask, with progress to ``report``
    (bytes done, bytes in all) or, if that is None, to a terminal. Raises NetworkError if the library is
    missing, or if its weights can't be had, or are not what they should be."""
    about = row(key)
    with _lock(key):
        path = _file(about, report)
        try:
            network = BUILDERS[about.library](about.name, path)
        except NetworkError:
            raise
        except Exception:  # whatever a library makes of weights that are whole, but for another version of it
            raise NetworkError(
                "library_outdated", title=about.title, package=about.library, command=f"{INSTALL} --upgrade"
            ) from None
    card = Card(
        about.key,
        labels=labels(),
        recipe=about.recipe,
        accuracy=about.accuracy,
        photos=50_000 if about.accuracy else 0,
        data="ImageNet-1k",
        sha256=checksum(path),
        title=about.title,
        licence=about.licence,
        sides=about.sides,
    )
    return with_card(network, card).eval()


def _file(about: Row, report: Report | None) -> Path:
    source = SOURCES[about.library](about.name)
    return fetch(source, about.title, round(about.megabytes * 1e6), report)


def _torchvision(name: str, _file: Path) -> nn.Module:
    models = library("torchvision").models
    network = models.get_model(name, weights=None)
    weights = models.get_model_weights(name).DEFAULT
    network.load_state_dict(
        weights.get_state_dict(progress=False, check_hash=True, map_location="cpu", weights_only=True)
    )
    return network


def _timm(name: str, file: Path) -> nn.Module:
    # From the file, since timm would ask the hub again each time; on the hub no weights are in a format of
    # their own.
    overlay = {"file": str(file)} | ({} if file.suffix == ".npz" else {"custom_load": False})
    return library("timm").create_model(name, pretrained=True, pretrained_cfg_overlay=overlay)


def _pytorchcv(name: str, file: Path) -> nn.Module:
    return library("pytorchcv.model_provider").get_model(name, pretrained=True, root=str(file.parent))


def _torchvision_source(name: str) -> Source:
    return TorchHub(library("torchvision").models.get_model_weights(name).DEFAULT.url)


def _timm_source(name: str) -> Source:
    config = _timm_config(name)
    if config is None:
        raise NetworkError("timm_network_unknown", name=name[:60])
    if not config.hf_hub_id:
        return TorchHub(config.url)
    names = (
        (config.hf_hub_filename,) if config.hf_hub_filename else ("model.safetensors", "pytorch_model.bin")
    )
    return HuggingFace(config.hf_hub_id, names)


def _timm_config(name: str) -> Any:
    """timm's record of a network's weights; None if it has none for ImageNet's classes with a checksum."""
    timm = library("timm")
    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError:  # there is the network, but not this training of it
        return None
    if config is None or config.num_classes != 1000 or not (config.hf_hub_id or hash_in(config.url or "")):
        return None
    return config


@cache
def _timm_row(name: str) -> Row:
    _timm_source(name)
    config = _timm_config(name)
    data = library("timm.data").resolve_data_config(pretrained_cfg=config.to_dict(), use_test_size=True)
    side = data["input_size"][-1]
    recipe = Recipe(
        int(side / data["crop_pct"]), side, tuple(data["mean"]), tuple(data["std"]), data["interpolation"]
    )
    with torch.device("meta"):  # shapes alone
        size = sum(tensor.nbytes for tensor in library("timm").create_model(name).state_dict().values())
    title = ".".join(part for part in (config.architecture, config.tag) if part)
    sides = (side, side) if config.fixed_input_size else None
    return Row("timm", name, title, None, size / 1e6, None, config.license or "not stated", recipe, sides)


def _lock(key: str) -> threading.Lock:
    with _guard:
        return _locks.setdefault(key, threading.Lock())


_guard = threading.Lock()
_locks: dict[str, threading.Lock] = {}

SOURCES: dict[str, Callable[[str], Source]] = {
    "pytorchcv": ModelStore,
    "timm": _timm_source,
    "torchvision": _torchvision_source,
}
BUILDERS: dict[str, Callable[[str, Path], nn.Module]] = {
    "pytorchcv": _pytorchcv,
    "timm": _timm,
    "torchvision": _torchvision,
}

SEVENS = (193, 224)  # pytorchcv's ResNets pool over 7 × 7 cells of 32 pixels, no more and no fewer
BICUBIC = Recipe(interpolation="bicubic")

# Sizes: torchvision's as it states them, else those of all tensors (pytorchcv's zips may be a little
# smaller). Accuracy: pytorchcv's README, timm's results/results-imagenet.csv, which is for the size that a
# network is tested at, and torchvision's metadata.
ROWS = (
    Row("pytorchcv", "cbam_resnet50", "CBAM ResNet-50", "CBAM", 112.6, 0.7983, "MIT", sides=SEVENS),
    Row("pytorchcv", "bam_resnet50", "BAM ResNet-50", "BAM", 103.9, 0.7909, "MIT", sides=SEVENS),
    Row("pytorchcv", "seresnet18", "SE ResNet-18", "SE", 47.2, 0.7182, "MIT", sides=SEVENS),
    Row("pytorchcv", "seresnet50", "SE ResNet-50", "SE", 112.6, 0.7878, "MIT", sides=SEVENS),
    Row("pytorchcv", "seresnet101", "SE ResNet-101", "SE", 197.7, 0.8076, "MIT", sides=SEVENS),
    Row("pytorchcv", "resnet18", "Plain ResNet-18", None, 46.8, 0.7306, "MIT", sides=SEVENS),
    Row("pytorchcv", "resnet50", "Plain ResNet-50", None, 102.4, 0.7772, "MIT", sides=SEVENS),
    Row(
        "timm",
        "seresnet50.ra2_in1k",
        "SE ResNet-50",
        "SE",
        112.6,
        0.81284,
        "Apache-2.0",
        Recipe(303, 288, interpolation="bicubic"),
    ),
    Row(
        "timm", "legacy_seresnet18.in1k", "SE ResNet-18 (legacy)", "SE", 47.2, 0.71766, "Apache-2.0", BICUBIC
    ),
    Row("timm", "legacy_seresnet34.in1k", "SE ResNet-34 (legacy)", "SE", 87.9, 0.74808, "Apache-2.0"),
    Row("timm", "legacy_seresnet50.in1k", "SE ResNet-50 (legacy)", "SE", 112.6, 0.77644, "Apache-2.0"),
    Row("timm", "legacy_seresnet101.in1k", "SE ResNet-101 (legacy)", "SE", 197.7, 0.78386, "Apache-2.0"),
    Row(
        "timm",
        "ecaresnet50t.ra2_in1k",
        "ECA ResNet-50-T",
        "ECA",
        102.5,
        0.82352,
        "Apache-2.0",
        Recipe(336, 320, interpolation="bicubic"),
    ),
    Row(
        "timm",
        "gcresnet50t.ra2_in1k",
        "GC ResNet-50-T",
        "GC",
        103.8,
        0.81456,
        "Apache-2.0",
        Recipe(288, 288, interpolation="bicubic"),
    ),
    Row(
        "torchvision",
        "mobilenet_v3_large",
        "MobileNetV3 Large",
        "SE",
        22.1,
        0.75274,
        "BSD-3-Clause",
        Recipe(232),
    ),
    Row("torchvision", "efficientnet_b0", "EfficientNet-B0", "SE", 21.4, 0.77692, "BSD-3-Clause", BICUBIC),
    Row("torchvision", "regnet_y_400mf", "RegNetY 400MF", "SE", 17.6, 0.75804, "BSD-3-Clause", Recipe(232)),
)
TABLE = {about.key: about for about in ROWS}
