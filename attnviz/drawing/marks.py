"""What a drawing is made of: bars, lines, text, pictures and dots.

Lengths are points, 1/72 inch, from the left and from the top.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image

Point: TypeAlias = tuple[float, float]  # x, y
Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of one width, without gaps, from ``left`` to ``right``; each from its foot to its head. A bar
    whose foot or head is NaN is left out."""

    left: float
    right: float
    feet: np.ndarray  # (C,)
    heads: np.ndarray  # (C,)
    colour: str


@dataclass(frozen=True)
class Line:
    """A line between two points. Only a level or an upright one can be dashed."""

    start: Point
    end: Point
    colour: str
    width: float
    dash: tuple[float, float] | None = None  # lengths of a dash and of the gap after it


@dataclass(frozen=True)
class Text:
    """One line of text at a point."""

    at: Point
    text: str
    size: float
    colour: str
    anchor: str = "start"  # what of the text is at the point: "start", "middle" or "end"
    rise: str = "base"  # and of its height: "top", "middle" or "base"
    turned: bool = False  # by a quarter, so that it reads upwards


@dataclass(frozen=True, eq=False)
class Picture:
    """An RGB picture in a box, over what was drawn before it."""

    box: Box
    image: Image.Image
    cells: bool = False  # each pixel is a square of one colour; the pixels of a photo are blended
    opacity: float = 1.0  # 0 to 1
    within: Box | None = None  # what lies outside of this is cut off; None: nothing is
    multiplies: bool = False  # it darkens what lies below it, as a factor, and hides nothing


@dataclass(frozen=True)
class Dot:
    """A disc around a point."""

    at: Point
    diameter: float
    colour: str
    opacity: float = 1.0  # 0 to 1


Mark: TypeAlias = Bars | Line | Text | Picture | Dot


def text_lines(
    lines: Sequence[str],
    at: Point,
    size: float,
    colour: str,
    leading: float,
    anchor: str = "start",
    rise: str = "base",
) -> Iterator[Text]:
    """Several lines of text, the first at a point and each ``leading`` below the one before."""
    x, y = at
    for row, line in enumerate(lines):
        yield Text((x, y + leading * row), line, size, colour, anchor, rise)
