"""What a pass gives: class scores, their labels, and what tells doubtful answers."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..networks.card import Card, card_of
from ..networks.doubt import Doubt
from ..photos.geometry import VIEWS, Region
from ..photos.photo import Photo
from .arguments import Arguments
from .exclusive import exclusive_eval, without_drawing
from .plan import ReadingPlan
from .scores import Head, Scores, ends_with_sigmoid, scores_of


def scores_in(
    network: nn.Module, modules: dict[str, nn.Module], given: Arguments, output: Any, plan: ReadingPlan
) -> Scores:
    """The class scores in what a network gave back. Only where their numbers leave it open whether a sigmoid
    made them, the network runs once more, in eval mode."""
    labels, everything = card_of(network).labels, list(modules.values())

    def asked() -> bool:
        if plan.ends_with_sigmoid is None:
            with exclusive_eval(network, everything), without_drawing():
                plan.ends_with_sigmoid = ends_with_sigmoid(
                    lambda: given.copied().call(network), Head(labels, everything, lambda: False), given.count
                )
        return plan.ends_with_sigmoid

    return scores_of(output, given.count, Head(labels, everything, asked))


def labels_of(card: Card, scores: Scores) -> tuple[str, ...]:
    """A card's labels if they fit the scores, else "class 0" and so on; none for a single number, which
    names no class."""
    count = scores.values.shape[1]
    if scores.meaning == "number":
        return ()
    return card.labels if len(card.labels) == count else tuple(f"class {k}" for k in range(count))


def doubt_of(card: Card, scores: Scores, source: Photo | Tensor, region: Region) -> Doubt | None:
    """What tells whether the network's answer to a photo is doubtful; None where that was not measured: for a
    view or scores of another kind, and for inputs that are no photos."""
    if isinstance(source, Tensor) or scores.meaning != "logits" or scores.values.shape[1] != len(card.labels):
        return None
    for view, doubt in card.doubts.items():
        if VIEWS[view](source, card.recipe) == region:
            return doubt
    return None
