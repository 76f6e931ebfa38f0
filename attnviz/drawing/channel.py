"""One channel at a layer's gate: its features before, the gate, and its features after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..capture.trace import Trace
from .axis import nice_ticks, short
from .canvas import Drawing
from .heatmap import colour_bar, fitted, painted
from .look import Look
from .marks import Box, Mark, Picture, Text, text_lines
from .style import HEADING, NOTE, SIGNED, TITLE, theme, wrapped

BLENDED_PIXELS = 400  # along the longer side of a map whose cells are blended, at least
PANEL_WIDTH, GAP = 209.0, 16.0  # points, of each of the three
LEAST_HEIGHT = 43.0
BAR_MARGIN, BAR_TOP, BAR_BOTTOM = 14.0, 6.0, 14.0  # of a colour bar, from the map above it
BELOW = 62.0  # room for the colour bars and what is written below them


@dataclass(frozen=True, eq=False)
class Channel:
    """The features of one channel, float32 (h, w), before and after a layer's gate."""

    layer: str
    index: int
    before: np.ndarray
    after: np.ndarray

    @property
    def name(self) -> str:
        """The name of its arrays, to which ``.before`` and ``.after`` are added."""
        return f"{self.layer}.channel-{self.index}"


@dataclass(frozen=True, eq=False)
class _Map:
    """A map and what its colours mean."""

    title: str
    values: np.ndarray  # (h, w)
    span: tuple[float, float]
    colormap: str
    meaning: str  # of the range of the colours
    smooth: bool


def channel_drawing(trace: Trace, channel: Channel, look: Look) -> Drawing:
    """Before, the gate and after, side by side. Before and after are on one scale, around zero if a feature
    is negative. The gate is a map over all that the factor can be, or one number."""
    factor = trace.layers[channel.layer].factor()[channel.index]  # (h, w)
    colours = theme(look.dark)
    title = (trace.network, channel.layer, f"channel {channel.index}", trace.photo.name)
    lines = wrapped(*title, width=100).split("\n")
    width, top = 3 * (PANEL_WIDTH + GAP) + GAP, 36.0 + 15 * len(lines)
    proportion = factor.shape[0] / factor.shape[1]
    bottom = top + float(np.clip(PANEL_WIDTH * proportion, LEAST_HEIGHT, 2 * PANEL_WIDTH))
    before, after = _features(channel, look)
    left_box, middle_box, right_box = _boxes(top, bottom)
    drawing = Drawing(width, bottom + BELOW, colours.ground)
    drawing.marks += [
        *text_lines(lines, (width / 2, 18.0), HEADING, colours.ink, 15, "middle"),
        *_panel(before, left_box, colours.ink),
        *_panel(after, right_box, colours.ink),
        *_gate(trace, channel, look, middle_box, colours.ink),
    ]
    return drawing


def _boxes(top: float, bottom: float) -> list[Box]:
    lefts = (GAP + column * (PANEL_WIDTH + GAP) for column in range(3))
    return [(left, top, left + PANEL_WIDTH, bottom) for left in lefts]


def _features(channel: Channel, look: Look) -> tuple[_Map, _Map]:
    """The features before and after, on one scale."""
    both = np.concatenate([channel.before.ravel(), channel.after.ravel()])
    known = both[np.isfinite(both)]
    reach = float(np.abs(known).max(initial=0)) or 1.0
    signed = bool((known < 0).any())
    span, colormap = (-reach if signed else 0.0, reach), SIGNED if signed else look.colormap
    meaning = "one scale before and after"
    return (
        _Map("before", channel.before, span, colormap, meaning, look.smooth),
        _Map("after", channel.after, span, colormap, meaning, look.smooth),
    )


def _gate(trace: Trace, channel: Channel, look: Look, box: Box, ink: str) -> Iterator[Mark]:
    """The gate as a map, or as a number where it is the same at each position or unknown."""
    layer = trace.layers[channel.layer]
    factor = layer.factor()[channel.index]
    if factor.size > 1 and not (factor == factor.flat[0]).all() and np.isfinite(factor).any():
        meaning = "all that a factor can be"
        yield from _panel(
            _Map("the gate", factor, layer.limits, look.colormap, meaning, look.smooth), box, ink
        )
        return
    number = f"× {factor.flat[0]:.4g}" if np.isfinite(factor.flat[0]) else "undefined"
    left, top, right, bottom = box
    x, y = (left + right) / 2, (top + bottom) / 2
    yield Text((x, y - 8), number, 16, ink, "middle", "middle")
    yield Text((x, y + 14), "the gate, the same at each position", TITLE, ink, "middle", "middle")


def _panel(drawn: _Map, box: Box, ink: str) -> Iterator[Mark]:
    """A map with its title, and its own range and the colour bar below."""
    left, top, right, bottom = box
    yield Text(((left + right) / 2, top - 7), drawn.title, TITLE, ink, "middle")
    yield Picture(fitted(drawn.values.shape, box), _picture(drawn), cells=not drawn.smooth)
    known = drawn.values[np.isfinite(drawn.values)]
    own_range = f"{short(known.min())} to {short(known.max())}" if known.size else "undefined"
    bar = left + BAR_MARGIN, bottom + BAR_TOP, right - BAR_MARGIN, bottom + BAR_BOTTOM
    notes = [own_range, f"colours: {drawn.meaning}"]
    yield from colour_bar(bar, drawn.span, drawn.colormap, ink, nice_ticks(*drawn.span, 5), notes, NOTE)


def _picture(drawn: _Map) -> Image.Image:
    height, width = drawn.values.shape
    times = -(-BLENDED_PIXELS // max(height, width))  # pixels along a cell
    size = (times * width, times * height) if drawn.smooth else None
    return painted(drawn.values, *drawn.span, drawn.colormap, size)
