"""What is known of a network besides its weights: its ``config.json``, which travels with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any

from torch import nn

from ..choices import CHOICES, PADDINGS
from ..languages.catalogue import Phrase
from ..photos.geometry import VIEWS, Recipe
from .attention import ATTENTION
from .doubt import Doubt
from .plan import DEPTHS, usual_plan

ARCHITECTURE = {"depth", "attention", "width", "reduction", "classes"}  # what every card of a ResNet says
MORE: dict[str, Any] = {  # what one need not say, with what it is then
    name: parameter.default
    for name, parameter in signature(usual_plan).parameters.items()
    if parameter.default is not Parameter.empty
}
COUNTS = ("width", "reduction", "classes", "least_hidden")


@dataclass(frozen=True)
class Card:
    """Name, architecture (arguments of ``ResNet``), labels by class index, preprocessing, and what was
    measured.

    ``sha256`` is that of the weights' file; ``accuracy`` is the top-1 share on ``photos`` held-out photos,
    centre crop; ``doubts`` are by view, "whole" or "crop": none where it was not measured."""

    name: str
    architecture: dict[str, int | str | None] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    recipe: Recipe = field(default_factory=Recipe)
    accuracy: float | None = None
    photos: int = 0
    doubts: dict[str, Doubt] = field(default_factory=dict)
    data: str = ""
    sha256: str = ""
    title: str = ""  # what it is, for people: "CBAM ResNet-50"
    licence: str = ""  # of the weights
    folded: bool = False  # it is a copy whose batch norms are folded into its convolutions, see ``fast``
    assumed: tuple[str, ...] = ()  # what of it its weights don't tell: "pool none", a key of ``ASSUMED``
    # What was settled, assumed or told, as ``load`` takes it.
    built: dict[str, Any] = field(default_factory=dict)
    sides: tuple[int, int] | None = None  # the least and greatest side in pixels that it takes; None: any

    @property
    def heading(self) -> str:
        """What it is, for people: its title, or what its architecture says, or its name."""
        if self.title or not self.architecture:
            return self.title or self.name
        attention = self.architecture["attention"]
        return f"{str(attention).upper() if attention else 'Plain'} ResNet-{self.architecture['depth']}"

    @classmethod
    def from_json(cls, config: dict) -> Card:
        """The card in a ``config.json``. Raises KeyError, TypeError or ValueError if it does not hold one of
        ours."""
        architecture = config["architecture"]
        _check(architecture)
        recipe: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in config["recipe"].items()
        }
        lists = {name: tuple(config.get(name, ())) for name in ("labels", "assumed")}
        doubts = {view: Doubt.from_json(said) for view, said in config.get("doubts", {}).items()}
        if not doubts.keys() <= VIEWS.keys():
            raise ValueError("doubts")
        return cls(**{**config, **lists, "recipe": Recipe(**recipe), "doubts": doubts})

    @property
    def assumptions(self) -> tuple[Phrase, ...]:
        """A sentence about each thing that was assumed, and how to say it otherwise."""
        return tuple(Phrase(ASSUMED[key]) for key in self.assumed)


def _check(architecture: dict[str, Any]) -> None:
    """Raise KeyError or ValueError unless these are arguments of a ``ResNet`` of a usual depth."""
    if not ARCHITECTURE <= set(architecture) <= ARCHITECTURE | set(MORE):
        raise KeyError("architecture")
    whole = {**MORE, **architecture}
    if whole["depth"] not in DEPTHS or whole["attention"] not in (None, *ATTENTION):
        raise ValueError("architecture")
    if whole["padding"] not in PADDINGS or not isinstance(whole["bias"], bool):
        raise ValueError("architecture")
    if any(type(whole[name]) is not int or whole[name] < 1 for name in COUNTS):
        raise ValueError("architecture")


ASSUMABLE = (  # what can be assumed, each with a sentence
    *(choice for choice in CHOICES if choice != "padding replicate" and not choice.startswith("slope ")),
    *("one of several", "smoothing none", "numbers left out", "gates average"),
    *("head rectified", "head normed", "head linear", "head ends"),
)
ASSUMED = {key: f"assumed_{key.replace(' ', '_')}" for key in ASSUMABLE}


def with_card(network: nn.Module, card: Card) -> nn.Module:
    """The same network with a card on it, which ``card_of`` gives back."""
    network.card = card  # type: ignore[assignment]
    return network


def card_of(network: nn.Module) -> Card:
    """The card that ``attnviz.load`` put on a network; for any other network one with ImageNet's
    preprocessing, no labels."""
    card = getattr(network, "card", None)
    return card if isinstance(card, Card) else Card(type(network).__name__)
