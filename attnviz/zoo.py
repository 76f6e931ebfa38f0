"""Which networks can be opened, and how: the trained ones that come with attnviz. Weights are verified before they are used."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from .errors import NetworkError
from .networks.card import Card
from .networks.resnet import ResNet

PACKAGE = Path(__file__).parent
# In an installed wheel the networks lie inside the package, in a checkout beside it.
MODELS = (PACKAGE if (PACKAGE / "models").is_dir() else PACKAGE.parent) / "models"

ORDER = ("cbam", "se", "bam", None)   # the one that shows most comes first


def list_networks() -> list[str]:
    """The names that ``load`` takes."""
    cards = {}
    for config in MODELS.glob("*/config.json"):
        with suppress(NetworkError):   # a damaged one is not offered; asked for by name, it says so
            cards[config.parent.name] = read_card(config.parent)
    return sorted(cards, key=lambda name: (ORDER.index(cards[name].architecture["attention"]), name))


def load(network: str | os.PathLike) -> nn.Module:
    """The trained network of this name, or in this folder (``config.json`` and ``model.safetensors``), in eval mode.

    It carries a ``card`` (labels, preprocessing, measured accuracy). Raises NetworkError if there is no such network, or if its
    weights are missing, damaged, or not the ones that its card was written for.
    """
    name = os.fspath(network)
    for folder in (MODELS / name, Path(name)):
        if (folder / "config.json").is_file():
            return open_folder(folder)
    raise NetworkError(f"There is no network called “{Path(name).name}”: choose one of {', '.join(list_networks())}.")


def card(network: str) -> Card:
    """The card of a network that comes with attnviz, without opening its weights."""
    if network not in list_networks():
        raise NetworkError(f"There is no network called “{Path(network).name}”: choose one of {', '.join(list_networks())}.")
    return read_card(MODELS / network)


def read_card(folder: Path) -> Card:
    """The card in a folder's ``config.json``. Raises NetworkError if there is none that can be read."""
    try:
        return Card.from_json(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):   # whatever a wrong file makes of it
        raise NetworkError(f"The config.json of {folder.name} is missing or damaged: restore it from the project.") from None


def open_folder(folder: Path) -> nn.Module:
    """The network in a model-repo folder, in eval mode, its half-precision weights widened to float32."""
    card = read_card(folder)
    try:
        content = (folder / "model.safetensors").read_bytes()
    except OSError:
        raise NetworkError(f"The weights of {card.name} are missing: restore its model.safetensors from the project.") from None
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise NetworkError(f"The weights of {card.name} are damaged (their checksum is wrong): restore its model.safetensors.")
    try:
        network = ResNet(**card.architecture)   # type: ignore[arg-type]
        network.load_state_dict({key: _widened(value) for key, value in load_tensors(content).items()})
    except (RuntimeError, SafetensorError):
        raise NetworkError(f"The weights of {card.name} don't fit its config.json: restore both from the project.") from None
    network.card = card   # type: ignore[assignment]
    return network.eval()


def save_folder(network: nn.Module, card: Card, folder: Path) -> Card:
    """Write a network as a model-repo folder, weights in half precision; gives back its card with the weights' checksum."""
    tensors = {key: _halved(value) for key, value in network.state_dict().items()}
    content = save_tensors(tensors, metadata={"format": "pt"})
    sealed = replace(card, sha256=hashlib.sha256(content).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(content)
    (folder / "config.json").write_text(json.dumps(asdict(sealed), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return sealed


def _widened(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value


def _halved(value: torch.Tensor) -> torch.Tensor:
    return value.half().contiguous() if value.is_floating_point() else value.contiguous()
