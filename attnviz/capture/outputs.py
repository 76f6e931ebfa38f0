"""What a pass gives: class scores, their labels, and layers of attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from ..naming import free_name
from ..networks.card import Card
from .call import CallResult
from .layer_attention import LayerAttention


def logits_of(output: Any, count: int) -> np.ndarray:
    """The class scores in what a network gave back for ``count`` inputs, (N, K) float32, a copy; (N, 0) if it
    gave back something else.

    They are the output itself or the first of its entries that has the form of scores."""
    entries: tuple = ()
    if isinstance(output, Mapping):
        entries = tuple(output.values())
    elif isinstance(output, tuple | list):
        entries = tuple(output)
    for value in (output, *entries):
        if isinstance(value, Tensor) and _are_scores(value, count):
            return value.detach().flatten(1).float().cpu().numpy().copy()
    return np.zeros((count, 0), np.float32)


def _are_scores(values: Tensor, count: int) -> bool:
    """Whether a tensor is (N, K), or has only sides of 1 beyond that."""
    return values.is_floating_point() and len(values) == count and values.numel() == count * values.shape[1]


def labels_of(card: Card, logits: np.ndarray) -> tuple[str, ...]:
    """A card's labels if they fit the scores (N, K), else "class 0" and so on."""
    count = logits.shape[1]
    return card.labels if len(card.labels) == count else tuple(f"class {k}" for k in range(count))


def layers_of(results: list[CallResult], row: int) -> dict[str, LayerAttention]:
    """The layers of one input by name, in running order; those of a module that ran more than once are told
    apart by a number: "layer3.1", "layer3.1 #2"."""
    layers: dict[str, LayerAttention] = {}
    for result in results:
        name = free_name(result.tap.layer, layers, "{name} #{number}")
        layers[name] = result.layer(name, row)
    return layers
