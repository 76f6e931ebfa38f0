"""Formulas as marks: letters, lower and higher ones, on one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..mechanisms.formula import Tree
from .lettering import width_of
from .marks import Mark, Text

SCRIPT = 0.7  # of the size, of what is lowered or raised
LOWERED, RAISED = 0.25, 0.4  # of the size
SPACED = {"=": 0.35, "≈": 0.35, "+": 0.25, "·": 0.2, "⊗": 0.2}  # of the size, around signs


@dataclass(frozen=True)
class Letters:
    """A piece of a formula: where it begins, from the formula's beginning on its line."""

    text: str
    x: float
    y: float
    size: float


def formula_marks(
    tree: Tree, at: tuple[float, float], size: float, colour: str, anchor: str = "start"
) -> Iterator[Mark]:
    """A formula with its beginning, or its middle, at a point of its line."""
    pieces: list[Letters] = []
    width = _set(tree, 0.0, 0.0, size, pieces.append)
    left = at[0] - (width / 2 if anchor == "middle" else 0)
    for piece in pieces:
        yield Text((left + piece.x, at[1] + piece.y), piece.text, piece.size, colour)


def _set(tree: Tree, x: float, y: float, size: float, put: Callable[[Letters], None]) -> float:
    """Put the pieces of a tree; where it ends."""
    if isinstance(tree, str):
        space = SPACED.get(tree, 0.0) * size
        put(Letters(tree, x + space, y, size))
        return x + width_of(tree, size) + 2 * space
    kind, *parts = tree
    if kind == "row":
        for part in parts:
            x = _set(part, x, y, size, put)
        return x
    if kind == "frac":
        return _set(("row", parts[0], "/", parts[1]), x, y, size, put)
    x = _set(parts[0], x, y, size, put)
    places = {"sub": (LOWERED,), "sup": (-RAISED,), "subsup": (LOWERED, -RAISED)}[kind]
    scripts = zip(parts[1:], places)
    return max(_set(script, x, y + rise * size, size * SCRIPT, put) for script, rise in scripts)
