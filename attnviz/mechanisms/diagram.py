"""What a mechanism computes as a diagram: nodes, in the order of computing, and edges between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .formula import parsed
from .paper import Paper

# What a node's numbers are of: a number for each channel (C,), for each hidden unit (K,), for each cell
# (h, w), or for each cell of the chosen channel (h, w).
SHOWS = ("channels", "units", "cells", "features")
# How numbers follow from those of other nodes.
OPERATIONS = ("features", "same", "sum", "product", "sigmoid", "one plus sigmoid", "one plus")


@dataclass(frozen=True)
class Numbers:
    """Where the numbers of a node are found. ``array`` is the name of a step, or of a part, of the layer,
    with ".N" its row N; what a pass kept goes before what an ``operation`` makes of other nodes."""

    shows: str  # one of SHOWS
    array: str = ""
    operation: str = ""  # one of OPERATIONS; "features" are the chosen channel's before the gate
    of: tuple[str, ...] = ()  # the keys of the nodes that it takes


@dataclass(frozen=True)
class Node:
    """One thing that is computed."""

    key: str
    sign: str  # what is done, as it stands above the node: a formula
    formula: str  # what is done and what it gives
    words: str  # the key of the one line that says it, of the page's texts
    numbers: Numbers | None = None
    example: str = ""  # the formula with places for this photo's numbers: @ and the key of a node
    symbol: str = ""  # what the result is called; "" is ``sign``
    lane: float = 0.0  # from -1 above to 1 below
    small: bool = False  # it has no picture of its own, only its sign
    name: str = ""  # of a step that no text describes


@dataclass(frozen=True)
class Group:
    """Nodes that belong together, in a frame with a name."""

    words: str  # the key of its name
    nodes: tuple[str, ...]


@dataclass(frozen=True)  # and so hashable
class Diagram:
    """A mechanism: its nodes in the order of computing."""

    kind: str
    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]  # keys of nodes
    lines: tuple[str, ...]  # keys of those nodes whose formulas together say it all
    paper: Paper | None = None
    groups: tuple[Group, ...] = ()
    note: str = ""  # the key of what else is to be said, of the page's texts

    def node(self, key: str) -> Node:
        """The node of a key. Raises KeyError if there is none."""
        for node in self.nodes:
            if node.key == key:
                return node
        raise KeyError(key)

    def columns(self) -> dict[str, int]:
        """How many nodes lie before each one, on the longest way from the first."""
        places: dict[str, int] = {}
        for node in self.nodes:
            before = [start for start, end in self.edges if end == node.key]
            places[node.key] = 1 + max((places[start] for start in before), default=-1)
        return places

    def ways(self) -> list[str]:
        """How each edge runs: "straight" to the next column, or round all nodes between, "above" or
        "below"."""
        places = self.columns()
        ways = []
        for start, end in self.edges:
            between = range(places[start] + 1, places[end])
            lane = self.node(end).lane
            is_free = lane != self.node(start).lane and not any(
                node.lane == lane and places[node.key] in between for node in self.nodes
            )
            ways.append("straight" if not between or is_free else "above" if lane < 0 else "below")
        return ways

    def plain(self) -> dict[str, Any]:
        """The diagram as plain values, its formulas as trees."""
        places = self.columns()
        return {
            "kind": self.kind,
            "nodes": [_plain_node(node, places[node.key]) for node in self.nodes],
            "edges": [[*edge, way] for edge, way in zip(self.edges, self.ways())],
            "lines": list(self.lines),
            "groups": [[group.words, list(group.nodes)] for group in self.groups],
            "paper": self.paper and [self.paper.citation, self.paper.address],
            "note": self.note,
        }


def chain(*keys: str) -> list[tuple[str, str]]:
    """The edges from each key to the next."""
    return list(pairwise(keys))


def _plain_node(node: Node, column: int) -> dict[str, Any]:
    """A node as plain values, without those that are empty."""
    numbers = node.numbers or Numbers("")
    texts = {"sign": node.sign, "symbol": node.symbol, "formula": node.formula, "example": node.example}
    plain = {
        "key": node.key,
        "words": node.words,
        "name": node.name,
        "column": column,
        "lane": node.lane,
        "small": node.small,
        "shows": numbers.shows,
        "array": numbers.array,
        "operation": numbers.operation,
        "of": list(numbers.of),
        **{name: parsed(text) for name, text in texts.items() if text},
    }
    return {name: value for name, value in plain.items() if value or name in ("column", "lane")}
