"""The diagram of a layer's mechanism with a photo's numbers, from left to right; below it, its formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..capture.trace import Trace
from ..mechanisms.choosing import diagram_of
from ..mechanisms.diagram import Diagram, Node
from ..mechanisms.formula import parsed
from ..mechanisms.numbers import NodeNumbers, numbers_of
from .axis import Scale
from .canvas import Drawing
from .channel import Channel
from .formula import formula_marks
from .heatmap import fitted, painted
from .look import Look
from .marks import Bars, Box, Dot, Line, Mark, Picture, Point, Text, text_lines
from .style import AXIS_LINE, FRAME_LINE, HEADING, LABEL, MINE, NOTE, SIGNED, Theme, theme, wrapped

PICTURE = 76.0, 50.0  # points, of a node's picture
SMALL = 24.0  # the diameter of a small node
GAP, MARGIN = 16.0, 16.0  # between columns, and around all
LANE = 44.0  # from lane to lane; a picture takes two
HEAD, FOOT = 13.0, 11.0  # above a picture and below it
LEADING = 17.0  # from a formula to the next


@dataclass(frozen=True)
class _Place:
    """Where a node stands: its middle, and half of its width and height."""

    x: float
    y: float
    across: float
    down: float


def diagram_drawing(trace: Trace, layer: str, look: Look, channel: Channel | None = None) -> Drawing:
    """The diagram of a layer's mechanism. Numbers of channels are those of the ``channel``, if one is given;
    it is marked wherever there is a number a channel."""
    attention = trace.layers[layer]
    diagram = diagram_of(attention)
    index = None if channel is None else channel.index
    known = numbers_of(attention, diagram, index, None if channel is None else channel.before)
    colours = theme(look.dark)
    title = f"{attention.title}" + ("" if index is None else f", channel {index}")
    lines = wrapped(title, trace.network, layer, trace.photo.name, width=120).split("\n")
    places, width = _places(diagram, 18.0 + 15 * len(lines))
    bottom = max(place.y + place.down for place in places.values()) + FOOT + 14
    drawing = Drawing(width, bottom + LEADING * (len(diagram.lines) + 1.5), colours.ground)
    drawing.marks += text_lines(lines, (width / 2, 18.0), HEADING, colours.ink, 15, "middle")
    for start, end, way in zip(*zip(*diagram.edges), diagram.ways()):
        is_alone = [other for _, other in diagram.edges].count(end) == 1
        drawing.marks += _edge(_route(places[start], places[end], way, bottom, is_alone), colours.ink)
    for node in diagram.nodes:
        drawing.marks += _node(node, places[node.key], known.get(node.key), index, look, colours)
    drawing.marks += _formulas(diagram, bottom + LEADING, colours)
    return drawing


def _places(diagram: Diagram, top: float) -> tuple[dict[str, _Place], float]:
    """Where each node stands, and how wide all is."""
    columns = diagram.columns()
    above = min(node.lane for node in diagram.nodes)
    widths = [0.0] * (1 + max(columns.values()))
    for node in diagram.nodes:
        widths[columns[node.key]] = max(widths[columns[node.key]], 2 * _half(node)[0])
    lefts = MARGIN + np.cumsum([0.0, *(width + GAP for width in widths[:-1])])
    places = {}
    for node in diagram.nodes:
        column = columns[node.key]
        x = lefts[column] + widths[column] / 2
        y = top + HEAD + PICTURE[1] / 2 + (node.lane - above) * LANE
        places[node.key] = _Place(float(x), y, *_half(node))
    return places, float(lefts[-1] + widths[-1] + MARGIN)


def _half(node: Node) -> Point:
    """Half of a node's width and height."""
    if not node.small:
        return PICTURE[0] / 2, PICTURE[1] / 2
    return max(SMALL, 7.0 * len(node.sign.strip("{}_^")) + 4) / 2, SMALL / 2


def _route(start: _Place, end: _Place, way: str, bottom: float, is_alone: bool) -> list[Point]:
    """The corners of an edge: one of several from a node bends at once, one of several to a node at its
    end."""
    if way != "straight":
        return [
            (start.x, start.y + start.down),
            (start.x, bottom),
            (end.x, bottom),
            (end.x, end.y + end.down),
        ]
    left, right = (start.x + start.across, start.y), (end.x - end.across, end.y)
    if start.y == end.y:
        return [left, right]
    middle = left[0] + GAP / 2 if is_alone else right[0] - GAP / 2
    return [left, (middle, start.y), (middle, end.y), right]


def _edge(points: list[Point], ink: str) -> Iterator[Line]:
    """A line through points with an arrow at its end."""
    for start, end in pairwise(points):
        yield Line(start, end, ink, AXIS_LINE)
    (from_x, from_y), (x, y) = points[-2:]
    across, down = np.sign(x - from_x) * 4, np.sign(y - from_y) * 4
    for side in (-0.6, 0.6):
        tip = x - across - side * down, y - down - side * across
        yield Line((float(tip[0]), float(tip[1])), (x, y), ink, AXIS_LINE)


def _node(
    node: Node, place: _Place, numbers: NodeNumbers | None, channel: int | None, look: Look, colours: Theme
) -> Iterator[Mark]:
    """A sign in a circle; or a picture with its sign above and the channel's number below."""
    sign = parsed(node.sign)
    box = place.x - place.across, place.y - place.down, place.x + place.across, place.y + place.down
    if node.small:
        yield Dot((place.x, place.y), 2 * place.across, colours.ink)
        yield Dot((place.x, place.y), 2 * place.across - 1.6, colours.ground)
        yield from formula_marks(sign, (place.x, place.y + 3), LABEL, colours.ink, "middle")
        yield from _number(numbers, channel, (place.x, box[3] + 3))
        return
    yield from formula_marks(sign, (place.x, box[1] - 4), LABEL, colours.ink, "middle")
    yield from _frame(box, colours.ink)
    if numbers is None:
        return
    inner = box[0] + 2, box[1] + 2, box[2] - 2, box[3] - 2
    if numbers.values.ndim == 2:
        low, high = _range(numbers)
        colormap = SIGNED if low < 0 else look.colormap
        picture = painted(numbers.values.astype(np.float32), low, high, colormap)
        yield Picture(fitted(numbers.values.shape, inner), picture, cells=True)
        return
    yield from _bars(numbers, inner, channel, colours)
    yield from _number(numbers, channel, (place.x, box[3] + 3))


def _number(numbers: NodeNumbers | None, channel: int | None, at: Point) -> Iterator[Text]:
    """The channel's number, if it has one."""
    if numbers is not None and numbers.shows == "channels" and channel is not None:
        number = numbers.values[channel]
        text = f"{number:.3f}".replace("-", "−") if np.isfinite(number) else "–"
        yield Text(at, text, NOTE, MINE, "middle", "top")


def _range(numbers: NodeNumbers) -> tuple[float, float]:
    """What a picture spans: what a gate can be; else from zero, or as far below it as above."""
    if numbers.limits is not None:
        return numbers.limits
    known = numbers.values[np.isfinite(numbers.values)]
    reach = float(np.abs(known).max(initial=0)) or 1.0
    return (-reach if known.min(initial=0) < 0 else 0.0), reach


def _bars(numbers: NodeNumbers, box: Box, channel: int | None, colours: Theme) -> Iterator[Mark]:
    left, top, right, bottom = box
    low, high = _range(numbers)
    heights = Scale(low, high, bottom, top)
    base = low if numbers.limits is not None else min(max(0.0, low), high)
    feet = heights.places(np.full(len(numbers.values), base))
    yield Bars(left, right, feet, heights.places(numbers.values), colours.accent)
    if channel is None or numbers.shows != "channels":
        return
    x = left + (channel + 0.5) * (right - left) / len(numbers.values)
    head = heights.at(float(numbers.values[channel]))
    if np.isfinite(head):
        yield Line((x, float(feet[0])), (x, head), MINE, 1.6)


def _frame(box: Box, ink: str) -> Iterator[Line]:
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    for start, end in pairwise(corners):
        yield Line(start, end, ink, FRAME_LINE)


def _formulas(diagram: Diagram, top: float, colours: Theme) -> Iterator[Mark]:
    """The formulas that together say it all, and where they come from."""
    for row, key in enumerate(diagram.lines):
        tree = parsed(diagram.node(key).formula)
        yield from formula_marks(tree, (MARGIN, top + LEADING * row), HEADING, colours.ink)
    if diagram.paper is not None:
        at = MARGIN, top + LEADING * len(diagram.lines)
        yield Text(at, diagram.paper.citation, NOTE, colours.ink)
