"""Reads drawings: what is written on them, which pictures they hold, which numbers their marks stand for."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
from matplotlib import colormaps
from PIL import Image

from attnviz.drawing.canvas import Drawing
from attnviz.drawing.marks import Bars, Dot, Line, Picture, Text

COLOUR_BAR = (256, 1)  # the size of its picture


def marks_of(drawing: Drawing, kind: type) -> list:
    return [mark for mark in drawing.marks if isinstance(mark, kind)]


def texts(drawing: Drawing) -> list[str]:
    return [mark.text for mark in marks_of(drawing, Text)]


def svg_text(drawn: bytes) -> str:
    """All that is written in an SVG file."""
    return "".join(ElementTree.fromstring(drawn).itertext())


def pictures(drawing: Drawing) -> list[Image.Image]:
    """The pictures of a drawing without those of its colour bars."""
    return [mark.image for mark in marks_of(drawing, Picture) if mark.image.size != COLOUR_BAR]


def colour_bars(drawing: Drawing) -> list[Image.Image]:
    return [mark.image for mark in marks_of(drawing, Picture) if mark.image.size == COLOUR_BAR]


def same(picture: Image.Image, other: Image.Image) -> bool:
    return np.array_equal(np.asarray(picture), np.asarray(other))


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def left_ticks(drawing: Drawing) -> list[tuple[float, float]]:
    """The place and the number of each tick of upright axes, in the order in which they are drawn."""
    labels = [mark for mark in marks_of(drawing, Text) if (mark.anchor, mark.rise) == ("end", "middle")]
    return [(mark.at[1], number(mark.text)) for mark in labels]


def scale_of(ticks: list[tuple[float, float]]) -> Callable[[object], np.ndarray]:
    """What turns places into numbers, by the ticks of an axis."""
    (first, low), (last, high) = ticks[0], ticks[-1]
    return lambda places: low + (np.asarray(places) - first) / (last - first) * (high - low)


def lit(picture: Image.Image) -> tuple[int, int, int, int]:
    """The box of the pixels that have viridis's colour of 1."""
    colour = np.rint(np.array(colormaps["viridis"](1.0)[:3]) * 255)
    rows, columns = np.nonzero((np.abs(np.asarray(picture).astype(int) - colour) <= 1).all(-1))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def outside(drawing: Drawing) -> list:
    """The marks that do not lie within the drawing."""
    return [
        mark
        for mark in drawing.marks
        if not all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in _corners(mark))
    ]


def _corners(mark: object) -> list[tuple[float, float]]:
    if isinstance(mark, Line):
        return [mark.start, mark.end]
    if isinstance(mark, Picture):
        left, top, right, bottom = mark.box
        return [(left, top), (right, bottom)]
    if isinstance(mark, Bars):
        ends = np.concatenate([mark.feet, mark.heads])
        return [(x, float(y)) for x in (mark.left, mark.right) for y in ends[np.isfinite(ends)]]
    assert isinstance(mark, Text | Dot)
    return [mark.at]
