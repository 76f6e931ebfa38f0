"""Nodes that many mechanisms have."""

from __future__ import annotations

from .diagram import Node, Numbers


def features_node(sign: str) -> Node:
    """What the mechanism is given."""
    return Node("input", sign, sign, "node_input", Numbers("features", operation="features"))


def pooled_node(key: str, sign: str, formula: str, array: str, symbol: str, lane: float = 0.0) -> Node:
    """A number for each channel: its mean or its maximum over all positions."""
    words = "node_maximum" if key == "maximum" else "node_average"
    return Node(key, sign, formula, words, Numbers("channels", array), symbol=symbol, lane=lane)


def unit_nodes(key: str, first: str, of: str, array: str, lane: float = 0.0) -> tuple[Node, Node]:
    """A layer to a few hidden units, and its ReLU; ``key`` begins the keys of both."""
    return (
        Node(f"{key}first", first, f"{first} {of}", "node_first_layer", lane=lane, small=True),
        Node(
            f"{key}hidden",
            "ReLU",
            f"δ({first} {of})",
            "node_hidden",
            Numbers("units", array),
            symbol="δ",
            lane=lane,
        ),
    )


def scaled_nodes(key: str, of: tuple[str, ...], sign: str, formula: str, example: str) -> tuple[Node, Node]:
    """A product of features and a gate, and what it gives; ``sign`` is what that is called."""
    return (
        Node(
            f"{key}_product",
            "⊗",
            formula,
            "node_product",
            Numbers("features", operation="product", of=of),
            small=True,
        ),
        Node(
            key,
            sign,
            formula,
            f"node_{key}",
            Numbers("features", operation="same", of=(f"{key}_product",)),
            example,
        ),
    )
