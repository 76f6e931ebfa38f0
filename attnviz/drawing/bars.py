"""The channel weights of one layer as bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ..analysis import ORDERS, ranked, weights_of, weights_range
from ..capture.layer_attention import LayerAttention
from .axis import Scale, Tick, TickStyle, decimal, nice_ticks, ticks_below, ticks_left
from .canvas import Drawing
from .marks import Bars, Line, Mark, Point, Text, text_lines
from .style import AXIS_LINE, LABEL, NOTE, PATHS, THIN_LINE, TITLE, theme

NAMED_BARS = 5
WIDTH, HEIGHT = 460.8, 288.0  # of the drawing, in points
LEFT, RIGHT, TOP, BOTTOM = 52.0, 424.0, 24.0, 240.0  # of the bars and the names above them
LEADING = 14.0  # from a line of the title to the next
HEADROOM = 1.12  # times the range, so that the names stand above the bars
NAME_GAP = 0.065 * (RIGHT - LEFT)  # between two names, at least
NAME_MARGIN = 4.0  # from a name to the left and right edge
DASHES = (3.2, 2.4)  # of the mean's line
VALUE_TICKS = TickStyle(length=3.5, distance=7.0, size=LABEL)
PLACE_TICKS = TickStyle(size=NOTE)
MOST_PLACE_TICKS = 9


@dataclass(frozen=True, eq=False)
class _Chart:
    """What the parts of the drawing share."""

    attention: LayerAttention
    weights: np.ndarray  # (C,)
    order: str
    ranking: np.ndarray  # (C,): the channel at each place
    heights: Scale  # weight -> y
    middles: Scale  # place -> x of the bar's middle
    low: float  # what the axis begins with
    high: float  # and ends with
    mean: float  # NaN if no weight is known
    own_range: bool  # whether that is the range of these weights, instead of all that they can be
    ink: str

    @property
    def top(self) -> float:
        return self.heights.end

    @property
    def bottom(self) -> float:
        return self.heights.start


def bars_drawing(
    attention: LayerAttention, order: str = "index", dark: bool = False, title: str = "", scale: str = "fixed"
) -> Drawing:
    """The channel weights of one layer as bars in one of ORDERS, with the numbers of the strongest channels
    above them, or of the most surprising ones.

    On the scale "fixed" bars stand on the least that the factor can be: 0 for SE and CBAM, 1 for BAM. On any
    other scale they stand on their mean, and the axis spans their own range. Raises ValueError for a layer
    without channel weights."""
    if attention.channel is None and attention.paths is None:
        raise ValueError(f"{attention.name} has no channel weights")
    lines = title.split("\n") if title else []
    extra = LEADING * max(0, len(lines) - 1)  # of the height, for a title of several lines
    colours = theme(dark)
    chart = _chart(attention, order, scale, extra, colours.ink)
    drawing = Drawing(WIDTH, HEIGHT + extra, colours.ground)
    drawing.marks += [
        *_bars(chart, colours.accent),
        *text_lines(lines, (LEFT, 15), TITLE, chart.ink, LEADING),
        *_value_axis(chart),
        *_mean(chart),
        *_words(chart),
        *_place_axis(chart),
        *_path_legend(chart),
        *_names(chart),
    ]
    return drawing


def bars_of(
    attention: LayerAttention, ranking: np.ndarray, base: float, accent: str, only_first_path: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
    """Feet, heads (C,) and colour of the bars of a layer, ranked. Factors stand on ``base``; shares of paths
    stand one upon the other, from 0, or only the first path's are there, on ``base``."""
    weights = weights_of(attention)
    if attention.channel is not None or only_first_path:
        yield np.full(len(weights), base), weights[ranking], accent
        return
    feet = np.zeros(len(weights))
    for index, shares in enumerate(np.asarray(attention.paths)[:, ranking]):
        yield feet, feet + shares, _path_colour(index)
        feet = feet + shares


def _chart(attention: LayerAttention, order: str, scale: str, extra: float, ink: str) -> _Chart:
    weights = weights_of(attention)
    low, high = weights_range([attention], scale)
    return _Chart(
        attention=attention,
        weights=weights,
        order=order,
        ranking=ranked(weights, order),
        heights=Scale(low, low + HEADROOM * (high - low), BOTTOM + extra, TOP + extra),
        middles=Scale(-0.5, len(weights) - 0.5, LEFT, RIGHT),
        low=low,
        high=high,
        mean=float(np.nanmean(weights)) if np.isfinite(weights).any() else float("nan"),
        own_range=(low, high) != weights_range([attention], "fixed"),
        ink=ink,
    )


def _bars(chart: _Chart, accent: str) -> Iterator[Bars]:
    base = chart.mean if chart.own_range else chart.low
    for feet, heads, colour in bars_of(chart.attention, chart.ranking, base, accent, chart.own_range):
        foot_places = chart.heights.places(feet.astype(float))
        yield Bars(LEFT, RIGHT, foot_places, chart.heights.places(heads.astype(float)), colour)


def _value_axis(chart: _Chart) -> Iterator[Mark]:
    ticks = nice_ticks(chart.low, chart.high)
    yield from chain.from_iterable(ticks_left(chart.heights, ticks, LEFT, chart.ink, VALUE_TICKS))
    foot = chart.heights.at(chart.low)
    yield Line((LEFT, foot), (LEFT, chart.top), chart.ink, AXIS_LINE)
    yield Line((LEFT, foot), (RIGHT, foot), chart.ink, AXIS_LINE)


def _mean(chart: _Chart) -> Iterator[Mark]:
    """A dashed line at the mean, and the mean in numbers beside it."""
    if np.isnan(chart.mean):
        return
    y = chart.heights.at(chart.mean)
    yield Line((LEFT, y), (RIGHT, y), chart.ink, AXIS_LINE, DASHES)
    yield Text((RIGHT + 3, y - 1.5), "mean", NOTE, chart.ink)
    yield Text((RIGHT + 3, y + 8), decimal(chart.mean, chart.low, chart.high), NOTE, chart.ink)


def _words(chart: _Chart) -> Iterator[Text]:
    """What the bars are, beside the axis; and how they are ordered and what they stand on, below."""
    beside = (14, (chart.top + chart.bottom) / 2)
    yield Text(beside, _quantity(chart), TITLE, chart.ink, "middle", "middle", turned=True)
    below = (
        f"{len(chart.weights)} channels by {ORDERS[chart.order]}",
        "bars from their mean, over their own range" if chart.own_range else "",
    )
    yield from text_lines(below, ((LEFT + RIGHT) / 2, chart.bottom + 27), TITLE, chart.ink, 12, "middle")


def _quantity(chart: _Chart) -> str:
    if chart.attention.channel is None:
        count = len(np.asarray(chart.attention.paths))
        return "share of the first path" if chart.own_range else f"share of each of {count} paths"
    return "factor, mean over positions" if chart.attention.averaged else "factor"


def _place_axis(chart: _Chart) -> Iterator[Mark]:
    ticks: list[Tick] = [(place, str(place)) for place in _round_places(len(chart.weights))]
    yield from chain.from_iterable(ticks_below(chart.middles, ticks, chart.bottom, chart.ink, PLACE_TICKS))


def _round_places(count: int) -> Sequence[int]:
    """Round numbers from 0 to below ``count``, equally far apart, and not too many."""
    steps = (digit * 10**power for power in range(9) for digit in (1, 2, 5))
    return range(0, count, next(step for step in steps if count <= MOST_PLACE_TICKS * step))


def _path_legend(chart: _Chart) -> Iterator[Text]:
    if chart.attention.channel is not None or chart.own_range:
        return
    for index in range(len(np.asarray(chart.attention.paths))):
        at = (RIGHT + 3, chart.top + 8 + 11 * index)
        yield Text(at, f"path {index + 1}", NOTE, _path_colour(index))


def _path_colour(index: int) -> str:
    return PATHS[index % len(PATHS)]


def _names(chart: _Chart) -> Iterator[Mark]:
    """The numbers of channels above their bars, pushed apart from left to right so that none lies on
    another."""
    name_x = LEFT - NAME_MARGIN
    for channel, head in _named_heads(chart):
        name_x = max(head[0], name_x + NAME_GAP)
        x = min(name_x, RIGHT - NAME_MARGIN)
        yield Text((x, chart.top), str(channel), NOTE, chart.ink, "middle", "top")
        yield Line((x, chart.top + 9.5), (head[0], head[1] - 1), chart.ink, THIN_LINE)


def _named_heads(chart: _Chart) -> list[tuple[int, Point]]:
    """The channels to be named, and the middle of each bar's head, from left to right."""
    count = min(NAMED_BARS, int(np.isfinite(chart.weights).sum()))
    named = ranked(chart.weights, "surprise" if chart.order == "surprise" else "size")[:count]
    place_of = np.argsort(chart.ranking)
    heads = []
    for channel in sorted(named.tolist(), key=lambda channel: place_of[channel]):
        x = chart.middles.at(int(place_of[channel]))
        heads.append((channel, (x, chart.heights.at(float(chart.weights[channel])))))
    return heads
