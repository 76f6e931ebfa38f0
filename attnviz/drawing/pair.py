"""The channel weights of one layer for two photos, against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..analysis import ranked, weights_of, weights_range
from ..capture.trace import Trace
from .axis import Scale, TickStyle, nice_ticks, ticks_below, ticks_left
from .canvas import Drawing
from .marks import Dot, Line, Mark, Point, Text
from .name_places import name_places
from .style import AXIS_LINE, FRAME_LINE, HEADING, LABEL, NOTE, THIN_LINE, TITLE, Theme, theme, wrapped

NAMED = 10  # channels that differ most
WIDTH, HEIGHT = 648, 388  # of the drawing, in points
LEFT, BOTTOM, SIDE = 64.0, 344.0, 304.0  # of the square of dots
RIGHT, TOP = LEFT + SIDE, BOTTOM - SIDE
MARGIN = 0.02  # of the range, between the dots and the edges of the square
TABLE_LEFT, COLUMN_WIDTH, ROW_HEIGHT = 416.0, 52, 20
DOT, NAMED_DOT = 4.2, 6.2  # across
OPACITY = 0.55  # of a dot that is not named
TICKS_LEFT = TickStyle(length=3.5, distance=7.0)
TICKS_BELOW = TickStyle(length=3.5, distance=6.0)
DIGIT_WIDTH, NAME_HEIGHT = 5.2, 8.0  # points, that a number takes
FAR = 14.0  # points; a number farther from its dot has a line to it


@dataclass(frozen=True, eq=False)
class Pair:
    """Two traces whose weights of one layer are compared, channel by channel, on the scale "fixed" or over
    their own range."""

    layer: str
    a: Trace
    b: Trace
    scale: str = "fixed"

    @property
    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """The weights of A and those of B, (C,) each."""
        return weights_of(self.a.layers[self.layer]), weights_of(self.b.layers[self.layer])

    @property
    def difference(self) -> np.ndarray:
        """B − A of each channel, (C,)."""
        a, b = self.weights
        return b - a

    @property
    def most_different(self) -> list[int]:
        """The channels that differ most, the most different first; none whose difference is unknown."""
        difference = self.difference
        ranking = ranked(np.abs(difference), "size").tolist()
        return [channel for channel in ranking if np.isfinite(difference[channel])][:NAMED]


@dataclass(frozen=True)
class _Square:
    """The square of dots: A's weights go across, B's go up."""

    low: float
    high: float

    @property
    def across(self) -> Scale:
        return Scale(self.low - self._margin, self.high + self._margin, LEFT, RIGHT)

    @property
    def up(self) -> Scale:
        return Scale(self.low - self._margin, self.high + self._margin, BOTTOM, TOP)

    @property
    def _margin(self) -> float:
        return MARGIN * (self.high - self.low)

    def at(self, a: float, b: float) -> Point:
        return self.across.at(float(a)), self.up.at(float(b))


def pair_drawing(pair: Pair, dark: bool = False) -> Drawing:
    """Each channel as a dot, its weight for A across and for B up. The channels that differ most are in
    the ink, named, and in a table beside. On the diagonal both photos give a channel the same weight."""
    square = _Square(*weights_range([trace.layers[pair.layer] for trace in (pair.a, pair.b)], pair.scale))
    colours = theme(dark)
    count = f"{len(pair.difference)} channels, two photos"
    heading = wrapped(pair.a.network, pair.layer, count, width=90)
    drawing = Drawing(WIDTH, HEIGHT, colours.ground)
    drawing.marks += [
        Text((WIDTH / 2, 18), heading, HEADING, colours.ink, "middle"),
        *_axes(pair, square, colours.ink),
        *_dots(pair, square, colours),
        *_table(pair, colours.ink),
    ]
    return drawing


def _axes(pair: Pair, square: _Square, ink: str) -> Iterator[Mark]:
    yield Line((LEFT, BOTTOM), (RIGHT, BOTTOM), ink, AXIS_LINE)
    yield Line((LEFT, TOP), (LEFT, BOTTOM), ink, AXIS_LINE)
    ticks = nice_ticks(square.low, square.high)
    below = ticks_below(square.across, ticks, BOTTOM, ink, TICKS_BELOW)
    left = ticks_left(square.up, ticks, LEFT, ink, TICKS_LEFT)
    for tick_below, tick_left in zip(below, left):
        yield from (*tick_below, *tick_left)
    name_a, name_b = _axis_name("photo A", pair.a), _axis_name("photo B", pair.b)
    yield Text((LEFT + SIDE / 2, BOTTOM + 22), name_a, TITLE, ink, "middle", "top")
    yield Text((18, BOTTOM - SIDE / 2), name_b, TITLE, ink, "middle", "middle", turned=True)


def _axis_name(which: str, trace: Trace) -> str:
    return wrapped(which, trace.photo.name).split("\n")[0]


def _dots(pair: Pair, square: _Square, colours: Theme) -> Iterator[Mark]:
    """The diagonal, a dot a channel, and the numbers of those that differ most; the latter are on top."""
    (a, b), named = pair.weights, pair.most_different
    yield Line(
        square.at(square.low, square.low), square.at(square.high, square.high), colours.ink, FRAME_LINE
    )
    for channel in np.setdiff1d(np.arange(len(a)), named):
        if np.isfinite(a[channel]) and np.isfinite(b[channel]):
            yield Dot(square.at(a[channel], b[channel]), DOT, colours.accent, OPACITY)
    for channel in named:
        yield Dot(square.at(a[channel], b[channel]), NAMED_DOT, colours.ink)
    yield from _names(pair, square, colours.ink)


def _names(pair: Pair, square: _Square, ink: str) -> Iterator[Mark]:
    """The numbers of the channels that differ most, on no dot and on no other number, those farther away with
    a line to their dot. One for which there is no room is left out; the table has them all."""
    a, b = pair.weights
    known = np.flatnonzero(np.isfinite(a) & np.isfinite(b))
    dots = np.array([square.at(a[channel], b[channel]) for channel in known]).reshape(-1, 2)
    named = pair.most_different
    rows = np.searchsorted(known, named).tolist()
    sizes = [(DIGIT_WIDTH * len(str(channel)), NAME_HEIGHT) for channel in named]
    places = name_places(dots, rows, sizes, (LEFT + 2, TOP, RIGHT, BOTTOM - 2), NAMED_DOT / 2)
    for channel, row, place in zip(named, rows, places):
        if place is None:
            continue
        x, y = dots[row].tolist()
        if abs(place[0] - x) > FAR or abs(place[1] - y) > FAR:
            yield Line((x, y), _edge(place, (x, y), len(str(channel))), ink, THIN_LINE)
        yield Text(place, str(channel), NOTE, ink, "middle", "middle")


def _edge(middle: Point, towards: Point, letters: int) -> Point:
    """Where a line to the middle of a number meets the number."""
    across, down = towards[0] - middle[0], towards[1] - middle[1]
    shares = DIGIT_WIDTH * letters / 2 / max(abs(across), 1e-9), NAME_HEIGHT / 2 / max(abs(down), 1e-9)
    return middle[0] + min(shares) * across, middle[1] + min(shares) * down


def _table(pair: Pair, ink: str) -> Iterator[Text]:
    (a, b), difference, named = pair.weights, pair.difference, pair.most_different
    yield Text((TABLE_LEFT, TOP), f"The {len(named)} channels that differ most", TITLE, ink)
    columns = [("channel", *map(str, named))]
    for title, values in (("A", a), ("B", b), ("B − A", difference)):
        columns.append((title, *(f"{values[channel]:.3f}" for channel in named)))
    for column, cells in enumerate(columns):
        for row, cell in enumerate(cells):
            at = (TABLE_LEFT + 44 + COLUMN_WIDTH * column, TOP + 22 + ROW_HEIGHT * row)
            yield Text(at, cell.replace("-", "−"), LABEL, ink, "end")
