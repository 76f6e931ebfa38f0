"""Names of networks, and opening them: the trained ones that come with attnviz, those of public libraries
trained on ImageNet, and people's own checkpoints. Weights are verified before they are used."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save as save_tensors
from torch import nn

from .._paths import MODELS
from ..checkpoints.fault import printable
from ..checkpoints.opening import Reserve, open_weights
from ..checkpoints.state_dict import LIMIT, SUFFIXES, stored_weights
from ..checkpoints.told import NOTHING_TOLD, Options, Told
from ..errors import NetworkError
from ..naming import close_name
from ..networks.card import Card, card_of, with_card
from ..networks.resnet import ResNet
from ..photos.geometry import Recipe
from ..processors import keep_freed_memory
from ..regular_files import open_regular
from . import imagenet
from .checksum import checksum
from .folders import held_in, is_ours, read_config

if TYPE_CHECKING:
    from typing_extensions import Unpack

LONGEST_LABELS = 1_000_000  # characters
LONGEST_CARD = 10_000_000  # bytes
ORDER = ("cbam", "se", "bam", None)  # of attention in lists: the one that shows most comes first


def list_networks(group: str = "attnviz") -> list[str]:
    """Names that ``load`` takes: "attnviz", those that come with it, or "imagenet", those whose weights a
    library downloads."""
    if group == "imagenet":
        return imagenet.names()
    if group != "attnviz":
        raise ValueError(f"group is {group!r}; it can be 'attnviz' or 'imagenet'")
    cards = {}
    for config in MODELS.glob("*/config.json"):
        with suppress(NetworkError):  # a damaged one is not offered; asked for by name, it says so
            cards[config.parent.name] = read_card(config.parent)
    return sorted(cards, key=lambda name: (ORDER.index(cards[name].architecture["attention"]), name))


def load(
    network: str | os.PathLike,
    labels: str | os.PathLike | Sequence[str] | None = None,
    recipe: Recipe | None = None,
    report: Callable[[int, int], None] | None = None,
    **options: Unpack[Options],
) -> nn.Module:
    """A trained network in eval mode.

    ``network`` is the name of one that comes with attnviz ("cbam_resnet18") or of a library's, trained on
    ImageNet, whose weights are downloaded once ("cbam_resnet50", "timm/seresnet50.ra2_in1k"), or the path of
    a checkpoint: a file of weights ("model.pth", see ``checkpoints``) or a folder with ``config.json`` and
    ``model.safetensors``.

    The network carries a ``card`` (labels, preprocessing, measured accuracy). ``labels``, names in the order
    of the classes or a text file with one a line, and ``recipe``, the preprocessing, say what a checkpoint
    can't. ``report`` is told of a download's progress: bytes done, bytes in all.

    What of a checkpoint is open by its keys and shapes is settled by its numbers, else assumed: ``assumed``
    of the network has a sentence for each. It is told by ``options``, those of ``checkpoints.told.Options``:
    ``load("mine.pth", stem=2, pool="none", place="output")``.

    Raises NetworkError if there is no such network, or if its weights are missing, damaged or not what they
    should be, TypeError for an option that there is not, and ValueError for a value that it can't have."""
    told = Told(**options)
    keep_freed_memory()
    opened = _opened(os.fspath(network), report, told)
    if labels is not None:
        with_card(opened, replace(card_of(opened), labels=read_labels(labels, card_of(opened))))
    if recipe is not None:
        with_card(opened, replace(card_of(opened), recipe=recipe, doubts={}))  # measured with another one
    return opened


def _opened(name: str, report: Callable[[int, int], None] | None, told: Told) -> nn.Module:
    path = Path(name)
    if re.match(r"[a-z][a-z0-9+.-]*://", name):
        raise NetworkError("file_is_address", name=name)
    if not name:  # which Path takes for the folder one is in
        raise NetworkError("file_unreadable", name=name)
    if path.name == name and os.path.isfile(MODELS / name / "config.json"):
        return open_folder(MODELS / name)
    if name not in imagenet.names() and os.path.lexists(path):
        return open_path(path, told)
    key = imagenet.resolve(name)
    if key is not None:
        return imagenet.open_network(key, report)
    if path.suffix.lower() in SUFFIXES:
        return open_checkpoint(path)  # which says that it is not there
    if os.path.isfile(f"{name}.index"):  # how one names TensorFlow's
        return open_checkpoint(Path(f"{name}.index"))
    close = _close_network(name)
    if close:
        raise NetworkError("network_unknown_close", name=printable(path.name), close=close)
    if re.fullmatch(r"\.[a-z][a-z0-9]{0,11}", path.suffix.lower()):
        return open_checkpoint(path)  # a file by its ending, of a kind that is unknown: it is not there
    raise NetworkError("network_unknown", name=printable(path.name), names=", ".join(list_networks()))


def resolve(name: str) -> str:
    """The name of a network that comes with attnviz, or the key of one of a library's. Raises NetworkError
    for any other."""
    if name in list_networks():
        return name
    key = imagenet.resolve(name)
    if key is not None:
        return key
    shown, close = printable(Path(name).name), _close_network(name)
    if close:
        raise NetworkError("network_unknown_close", name=shown, close=close)
    raise NetworkError("network_unknown", name=shown, names=", ".join(list_networks()))


def _close_network(name: str) -> str | None:
    return close_name(name, (*list_networks(), *list_networks("imagenet")))


def open_path(path: Path, told: Told = NOTHING_TOLD) -> nn.Module:
    """The network in a file or folder, whatever its name; ``told`` is what is known of it. Raises
    NetworkError."""
    if not os.path.isdir(path):
        return open_checkpoint(path, told=told)
    if os.path.isfile(path / "config.json") and is_ours(read_config(path)):
        return open_folder(path)
    held = held_in(path)
    try:
        network = open_checkpoint(held.weights, told=told)
    except NetworkError as error:
        if not held.transformers or error.key == "checkpoint_is_lfs_pointer":
            raise
        name = path.resolve().name
        raise NetworkError("folder_is_transformers", name=name, kind=held.transformers) from None
    about = card_of(network)
    fit = len(held.labels) == about.architecture.get("classes")
    labels, recipe = held.labels if fit else about.labels, held.recipe or about.recipe
    return with_card(network, replace(about, name=path.resolve().name, labels=labels, recipe=recipe))


def open_checkpoint(
    path: Path,
    limit: int = LIMIT,
    reserve: Reserve | None = None,
    told: Told = NOTHING_TOLD,
    may_go_on: Callable[[], bool] = lambda: True,
) -> nn.Module:
    """The network whose weights are in a file, in eval mode; the file is at most ``limit`` bytes. A thousand
    classes are taken to be ImageNet's; ``told`` is what is known of it besides; ``reserve`` and ``may_go_on``
    are those of ``open_weights``. Raises NetworkError for what can't be opened."""
    with stored_weights(path, limit) as weights:
        network = open_weights(weights, path.name, reserve, told, may_go_on)
    card = card_of(network)
    names = imagenet.labels() if card.architecture.get("classes") == len(imagenet.labels()) else ()
    with_card(network, replace(card, name=path.stem, sha256=checksum(path), labels=names))
    return network


def read_labels(labels: str | os.PathLike | Sequence[str], card: Card) -> tuple[str, ...]:
    """Class names as given, or from a text file with one a line. Raises NetworkError if they can't be read or
    don't fit the card."""
    if isinstance(labels, str | os.PathLike):
        path = Path(labels)
        try:
            with TextIOWrapper(open_regular(path), "utf-8-sig") as file:
                lines = file.read(LONGEST_LABELS).splitlines()
        except (OSError, UnicodeError):
            raise NetworkError("labels_unreadable", name=path.name) from None
        labels = [line.strip() for line in lines if line.strip()]
    classes = card.architecture.get("classes") or len(card.labels)
    if classes and len(labels) != classes:
        raise NetworkError("labels_do_not_fit", count=len(labels), name=card.name, classes=classes)
    return tuple(labels)


def card(network: str) -> Card:
    """The card of a network that comes with attnviz, without opening its weights."""
    if network not in list_networks():
        raise NetworkError("network_not_embedded", name=Path(network).name, names=", ".join(list_networks()))
    return read_card(MODELS / network)


def intact(network: str) -> bool:
    """Whether the weights of a network that comes with attnviz have the checksum on its card, as the file is
    now."""
    path = MODELS / network / "model.safetensors"
    try:
        state = path.stat()
        return _cached_checksum(path, state.st_mtime_ns, state.st_size) == card(network).sha256
    except (OSError, NetworkError):
        return False


@cache
def _cached_checksum(path: Path, _changed: int, _size: int) -> str:
    return checksum(path)


def read_card(folder: Path) -> Card:
    """The card in a folder's ``config.json``. Raises NetworkError if there is none that can be read."""
    path = folder / "config.json"
    try:
        state = path.stat()
        return _cached_card(path, state.st_mtime_ns, state.st_size)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # whatever a wrong file makes of it
        raise NetworkError("config_damaged", name=folder.name) from None


@cache
def _cached_card(path: Path, _changed: int, _size: int) -> Card:
    with open_regular(path) as file:
        return Card.from_json(json.loads(file.read(LONGEST_CARD)))


def open_folder(folder: Path) -> nn.Module:
    """The network in a model-repo folder, in eval mode, its half-precision weights widened to float32."""
    card = read_card(folder)
    path = folder / "model.safetensors"
    try:
        digest = checksum(path)
    except OSError:
        raise NetworkError("weights_missing", name=card.name) from None
    if digest != card.sha256:
        raise NetworkError("weights_damaged", name=card.name)
    try:
        with torch.device("meta"):
            network = ResNet(**card.architecture)  # type: ignore[arg-type]
        with stored_weights(path) as weights:
            taken = {key: weights.take(key) for key in weights}
        network.load_state_dict(taken, assign=True)
    except (RuntimeError, NetworkError):
        raise NetworkError("weights_do_not_fit", name=card.name) from None
    with_card(network, card)
    network.home = folder
    return network.eval()


def home_of(network: nn.Module) -> Path | None:
    """The model-repo folder that a network was opened from; None for one from elsewhere, and where the folder
    has other weights or another preprocessing by now."""
    home, own = getattr(network, "home", None), card_of(network)
    if not isinstance(home, Path):
        return None
    try:
        there = read_card(home)
    except NetworkError:
        return None
    return home if (there.sha256, there.recipe) == (own.sha256, own.recipe) else None


def save_folder(network: nn.Module, card: Card, folder: Path) -> Card:
    """Write a network as a model-repo folder, weights in half precision; gives back its card with the
    weights' checksum."""
    tensors = {key: _halved(value) for key, value in network.state_dict().items()}
    content = save_tensors(tensors, metadata={"format": "pt"})
    sealed = replace(card, sha256=hashlib.sha256(content).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(content)
    save_card(sealed, folder)
    return sealed


def save_card(card: Card, folder: Path) -> None:
    """Write the card of the weights in a model-repo folder."""
    text = json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")


def folder_of(network: str) -> Path:
    """The model-repo folder that ``load`` opens under this name or path. Raises NetworkError where it is
    none, which has no card to write to."""
    embedded = MODELS / network
    is_embedded = Path(network).name == network and (embedded / "config.json").is_file()
    folder = embedded if is_embedded else Path(network)
    if not is_ours(config := read_config(folder)) or not config:
        raise NetworkError("folder_without_card", name=printable(Path(network).name))
    return folder


def _halved(value: torch.Tensor) -> torch.Tensor:
    return value.half().contiguous() if value.is_floating_point() else value.contiguous()
