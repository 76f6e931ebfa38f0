"""The channel weights of one layer over several photos: the mean of each channel, and how far it varies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ..analysis import weights_of
from ..capture.trace import Trace
from .axis import Scale, TickStyle, nice_ticks, ticks_below, ticks_left
from .canvas import Drawing
from .marks import Bars, Line, Mark, Text
from .style import AXIS_LINE, HEADING, LIGHT, NOTE, TITLE, wrapped

WIDTH, HEIGHT = 460.8, 250.0  # points
LEFT, RIGHT, TOP, BOTTOM = 44.0, 448.0, 34.0, 208.0  # of the bars
BAND = "#b9c2ee"  # a pale accent
TICKS = TickStyle(size=NOTE)


@dataclass(frozen=True, eq=False)
class Spread:
    """Of each channel of a layer the mean and the standard deviation of its weight over photos, (C,) each;
    NaN counts for nothing."""

    mean: np.ndarray
    deviation: np.ndarray


def spread_of(traces: Sequence[Trace], layer: str) -> Spread:
    """The spread of a layer's weights over traces of one network."""
    weights = np.stack([weights_of(trace.layers[layer]) for trace in traces]).astype(np.float64)
    known = np.isfinite(weights)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known.any(0), np.where(known, weights, 0).sum(0) / count, np.nan)
    deviation = np.sqrt(np.where(known, (weights - mean) ** 2, 0).sum(0) / count)
    return Spread(mean, np.where(known.any(0), deviation, np.nan))


def spread_drawing(traces: Sequence[Trace], layer: str) -> Drawing:
    """The means as bars, the greatest first, and a band of one standard deviation on both sides of them."""
    attention, spread = traces[0].layers[layer], spread_of(traces, layer)
    low, high = attention.limits if attention.channel is not None else (0.0, 1.0)
    heights, count = Scale(low, high, BOTTOM, TOP), len(spread.mean)
    order = np.argsort(-np.nan_to_num(spread.mean, nan=-np.inf), kind="stable")
    drawing = Drawing(WIDTH, HEIGHT, LIGHT.ground)
    title = wrapped(traces[0].network, layer, f"{len(traces)} photos", width=80).split("\n")[0]
    places = Scale(-0.5, count - 0.5, LEFT, RIGHT)
    drawing.marks += [
        *_bars(spread, order, heights, low, high),
        Text((WIDTH / 2, 18), title, HEADING, LIGHT.ink, "middle"),
        Line((LEFT, TOP), (LEFT, BOTTOM), LIGHT.ink, AXIS_LINE),
        Line((LEFT, BOTTOM), (RIGHT, BOTTOM), LIGHT.ink, AXIS_LINE),
        Text(((LEFT + RIGHT) / 2, HEIGHT - 10), _words(count), TITLE, LIGHT.ink, "middle"),
    ]
    drawing.marks += chain.from_iterable(ticks_left(heights, nice_ticks(low, high), LEFT, LIGHT.ink, TICKS))
    drawing.marks += chain.from_iterable(
        ticks_below(places, nice_ticks(0, count - 1), BOTTOM, LIGHT.ink, TICKS)
    )
    return drawing


def _words(count: int) -> str:
    return f"{count} channels by their mean gate · line: mean, band: ± standard deviation"


def _bars(spread: Spread, order: np.ndarray, heights: Scale, low: float, high: float) -> Iterator[Mark]:
    mean, deviation = spread.mean[order], spread.deviation[order]
    feet = np.clip(mean - deviation, low, high)
    heads = np.clip(mean + deviation, low, high)
    yield Bars(LEFT, RIGHT, heights.places(feet), heights.places(heads), BAND)
    thin = 0.004 * (high - low)
    yield Bars(LEFT, RIGHT, heights.places(mean - thin), heights.places(mean + thin), LIGHT.accent)
