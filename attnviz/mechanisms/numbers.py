"""The numbers of a diagram's nodes: what the pass kept, or what follows from it for a channel. The page
computes the same in js/mechanism/node_numbers.js."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..capture.layer_attention import LayerAttention
from .diagram import Diagram, Node, Numbers

OPERATIONS: dict[str, Callable[..., np.ndarray]] = {
    "same": lambda value: value,
    "sum": lambda *values: np.sum(np.broadcast_arrays(*values), 0),
    "product": lambda *values: np.prod(np.broadcast_arrays(*values), 0),
    "sigmoid": lambda value: 1 / (1 + np.exp(-value)),
    "one plus": lambda value: 1 + value,
}


@dataclass(frozen=True, eq=False)
class NodeNumbers:
    """The numbers of a node: float (C,), (K,) or (h, w), see ``diagram.SHOWS``."""

    values: np.ndarray
    shows: str
    limits: tuple[float, float] | None  # what a gate can be; None of what is no gate

    def at(self, channel: int | None, cell: tuple[int, int] | None) -> float | None:
        """The channel's number, or the cell's; None where there is none."""
        if self.shows == "channels":
            return None if channel is None else float(self.values[channel])
        if self.shows == "units" or cell is None:
            return None
        return float(self.values[cell])


def numbers_of(
    layer: LayerAttention, diagram: Diagram, channel: int | None, features: np.ndarray | None = None
) -> dict[str, NodeNumbers]:
    """The numbers of those nodes whose numbers are known, by key; ``features`` (h, w) are the channel's
    before the gate."""
    known: dict[str, NodeNumbers] = {}
    for node in diagram.nodes:
        values = _values(node, layer, known, channel, features)
        if values is not None and node.numbers is not None:
            limits = _limits(node.numbers, layer, diagram)
            known[node.key] = NodeNumbers(values, node.numbers.shows, limits)
    return known


def _values(
    node: Node,
    layer: LayerAttention,
    known: dict[str, NodeNumbers],
    channel: int | None,
    features: np.ndarray | None,
) -> np.ndarray | None:
    if node.numbers is None:
        return None
    if node.numbers.operation == "features":
        return features
    kept = _kept(layer, node.numbers.array)
    return _combined(node.numbers, known, channel) if kept is None else kept


def _kept(layer: LayerAttention, name: str) -> np.ndarray | None:
    """A step or a part by its name, "paths.1" a row of it; None if it was not kept."""
    part, _, row = name.partition(".")
    for step in layer.steps:
        if step.name == part:
            return step.values.astype(float)
    values = getattr(layer, part, None) if part else None
    if values is None:
        return None
    return (values[int(row)] if row else values).astype(float)


def _combined(numbers: Numbers, known: dict[str, NodeNumbers], channel: int | None) -> np.ndarray | None:
    """What an operation makes of other nodes' numbers: of numbers a channel again such, else a map."""
    if numbers.operation not in OPERATIONS or not set(numbers.of) <= set(known):
        return None
    taken = [known[key] for key in numbers.of]
    if numbers.shows == "channels":
        return OPERATIONS[numbers.operation](*(each.values for each in taken))
    if channel is None and any(each.shows == "channels" for each in taken):
        return None
    values = [each.values[channel] if each.shows == "channels" else each.values for each in taken]
    made = OPERATIONS[numbers.operation](*values)
    return made if made.ndim == 2 else None


def _limits(numbers: Numbers, layer: LayerAttention, diagram: Diagram) -> tuple[float, float] | None:
    if numbers.array == "pooling":
        return layer.map_limits
    if numbers.array.startswith("paths"):
        return 0.0, 1.0
    if numbers.array in ("channel", "spatial"):
        return layer.limits
    if diagram.kind == "scse" and numbers.operation == "sum":
        return layer.limits
    return {"sigmoid": (0.0, 1.0), "one plus": (1.0, 2.0)}.get(numbers.operation)
