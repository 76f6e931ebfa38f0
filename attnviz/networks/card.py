"""What is known of a network besides its weights: its ``config.json``, which travels with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from ..geometry import Recipe


@dataclass(frozen=True)
class Card:
    """Name, architecture (arguments of ``ResNet``), labels by class index, preprocessing, and what was measured.

    ``sha256`` is that of ``model.safetensors``; ``accuracy`` is the top-1 share on ``photos`` held-out photos, centre crop.
    """

    name: str
    architecture: dict[str, int | str | None] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    recipe: Recipe = field(default_factory=Recipe)
    accuracy: float | None = None
    photos: int = 0
    data: str = ""
    sha256: str = ""

    def to_json(self) -> dict:
        """The card as ``config.json`` holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, config: dict) -> Card:
        """The card in a ``config.json``. Raises KeyError or TypeError if it does not hold one."""
        recipe: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in config["recipe"].items()}
        return cls(**{**config, "labels": tuple(config["labels"]), "recipe": Recipe(**recipe)})


def card_of(network: nn.Module) -> Card:
    """The card that ``attnviz.load`` put on a network; for any other network one with ImageNet's preprocessing, no labels."""
    card = getattr(network, "card", None)
    return card if isinstance(card, Card) else Card(type(network).__name__)
