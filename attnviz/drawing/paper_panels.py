"""The panels of a figure for a paper: the photo, a layer's map, its channel weights, one channel before and
after the gate, the steps. Letters are small, as in print."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ..analysis import map_range, ranked, weights_of, weights_range
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from .axis import Scale, TickStyle, nice_ticks, short, ticks_below, ticks_left
from .bars import bars_of
from .channel import Channel
from .heatmap import colour_bar, fitted, painted
from .look import Look
from .marks import Bars, Box, Line, Mark, Picture, Text
from .overlay import scale_colours
from .photo_map import photo_map
from .steps import Panel, panel_marks, panels_of
from .style import AXIS_LINE, LIGHT, MINE, SIGNED
from .words import said

SMALL = 6.5  # points, of all letters but titles
TICKS = TickStyle(length=2.0, distance=3.5, size=SMALL, width=0.5)
BAR, BELOW_BAR = 5.0, 22.0  # height of a colour bar, and room for its ticks and what is written below
GAP = 4.0  # from a picture to its colour bar
AXIS, BELOW_AXIS = 22.0, 22.0  # room beside and below bars
STEP_BELOW_BARS, STEP_BELOW_MAP = 26.0, 40.0  # room below a step
ORDERED = {"index": "channel", "size": "channels by size", "surprise": "channels by distance from the mean"}
LEAST, GREATEST = 0.5, 0.75  # height of bars by their width


@dataclass(frozen=True, eq=False)
class Block:
    """A panel of a width that is given: its title, its height without the title, and its marks in a box of
    that size."""

    title: str
    height: float
    draw: Callable[[Box], Iterator[Mark]]


def photo_block(trace: Trace, width: float) -> Block:
    """The photo."""
    photo = trace.photo.image()
    height = width * photo.height / photo.width
    return Block(said("photo_title"), height, lambda box: iter([Picture(box, photo)]))


def map_block(trace: Trace, layer: str, look: Look, compared: Sequence[Trace], width: float) -> Block:
    """The photo with a layer's map on it, and the colour bar."""
    attention, photo = trace.layers[layer], trace.photo.image()
    span = map_range(trace, layer, look.scale, compared)
    picture_height = width * photo.height / photo.width

    def draw(box: Box) -> Iterator[Mark]:
        left, top, right, _ = box
        bottom = top + picture_height
        yield from photo_map(trace, layer, look, compared, (left, top, right, bottom), photo)
        bar = left, bottom + GAP, right, bottom + GAP + BAR
        ticks, colours = nice_ticks(*span, 5), scale_colours(look, span)
        yield from colour_bar(bar, span, look.colormap, LIGHT.ink, ticks, [], SMALL, colours=colours)

    height, across = attention.grid
    title = said("map_title", layer=layer, height=height, width=across)
    return Block(title, picture_height + GAP + BAR + BELOW_BAR / 2, draw)


def channels_block(
    trace: Trace, layer: str, look: Look, order: str, channel: int | None, width: float
) -> Block:
    """A layer's channel weights as bars, the chosen channel marked."""
    attention = trace.layers[layer]
    plot = width * float(np.clip(trace.photo.height / trace.photo.width, LEAST, GREATEST))

    def draw(box: Box) -> Iterator[Mark]:
        yield from _weights(attention, look, order, channel, (box[0] + AXIS, box[1], box[2], box[1] + plot))

    title = f"{said('bars_title', count=len(weights_of(attention)))} · {layer}"
    return Block(title, plot + BELOW_AXIS, draw)


def channel_blocks(trace: Trace, channel: Channel, look: Look, width: float) -> list[Block]:
    """One channel's features before the gate, the gate, and the features after it; before and after are on
    one scale."""
    factor = trace.layers[channel.layer].factor()[channel.index]
    both = np.concatenate([channel.before.ravel(), channel.after.ravel()])
    known = both[np.isfinite(both)]
    reach = float(np.abs(known).max(initial=0)) or 1.0
    low = -reach if (known < 0).any() else 0.0
    colormap = SIGNED if low < 0 else look.colormap
    name = f"{channel.layer} · {said('channel').lower()} {channel.index}"
    return [
        _map(f"{said('before')} · {name}", channel.before, (low, reach), colormap, width),
        _gate(trace.layers[channel.layer], factor, look, width),
        _map(said("after"), channel.after, (low, reach), colormap, width),
    ]


def step_blocks(
    trace: Trace, layer: str, look: Look, order: str, channel: int | None, width: float
) -> list[Block]:
    """The steps that led to a layer's gates, and the gates."""
    attention = trace.layers[layer]
    has_weights = attention.channel is not None or attention.paths is not None
    ranking = ranked(weights_of(attention), order) if has_weights else np.empty(0, int)
    return [
        _step(panel, f"{layer} · {panel.title}", ranking, trace, width)
        for panel in panels_of(trace, layer, look, (), channel)
    ]


def _step(panel: Panel, title: str, ranking: np.ndarray, trace: Trace, width: float) -> Block:
    proportion = trace.photo.height / trace.photo.width if panel.is_map else LEAST
    height = width * float(np.clip(proportion, LEAST, 1))

    def draw(box: Box) -> Iterator[Mark]:
        left, top, right, _ = box
        for mark in panel_marks(panel, (left, top - 16, right, top + height), ranking, LIGHT):
            if not (isinstance(mark, Text) and mark.text == panel.title):  # which stands above already
                yield mark

    return Block(title, height + (STEP_BELOW_MAP if panel.is_map else STEP_BELOW_BARS), draw)


def _weights(
    attention: LayerAttention, look: Look, order: str, channel: int | None, plot: Box
) -> Iterator[Mark]:
    left, top, right, bottom = plot
    weights = weights_of(attention)
    low, high = weights_range([attention], look.scale)
    ranking, heights = ranked(weights, order), Scale(low, high, bottom, top)
    known = weights[np.isfinite(weights)]
    base = low if (low, high) == weights_range([attention], "fixed") else float(known.mean())
    own_range = base != low
    for feet, heads, colour in bars_of(attention, ranking, base, LIGHT.accent, own_range):
        yield Bars(
            left, right, heights.places(feet.astype(float)), heights.places(heads.astype(float)), colour
        )
    if channel is not None and channel < len(weights) and np.isfinite(weights[channel]):
        place = int(np.flatnonzero(ranking == channel)[0])
        yield from _chosen(plot, heights, base, place, len(weights), float(weights[channel]))
    yield Line((left, top), (left, bottom), LIGHT.ink, AXIS_LINE)
    yield Line((left, bottom), (right, bottom), LIGHT.ink, AXIS_LINE)
    yield from chain.from_iterable(ticks_left(heights, nice_ticks(low, high, 5), left, LIGHT.ink, TICKS))
    places = Scale(-0.5, len(weights) - 0.5, left, right)
    yield from chain.from_iterable(
        ticks_below(places, nice_ticks(0, len(weights) - 1, 5), bottom, LIGHT.ink, TICKS)
    )
    yield Text(((left + right) / 2, bottom + 13), ORDERED[order], SMALL, LIGHT.ink, "middle", "top")


def _chosen(plot: Box, heights: Scale, base: float, place: int, count: int, weight: float) -> Iterator[Mark]:
    left, _, right, _ = plot
    x = left + (place + 0.5) * (right - left) / count
    yield Line((x, heights.at(base)), (x, heights.at(weight)), MINE, max(1.2, (right - left) / count))


def _map(title: str, values: np.ndarray, span: tuple[float, float], colormap: str, width: float) -> Block:
    """A map of cells with its colour bar."""
    height = width * values.shape[0] / values.shape[1]
    picture_height = min(height, width)

    def draw(box: Box) -> Iterator[Mark]:
        left, top, right, _ = box
        bottom = top + picture_height
        place = fitted(values.shape, (left, top, right, bottom))
        yield Picture(place, painted(values, *span, colormap), cells=True)
        bar = left, bottom + GAP, right, bottom + GAP + BAR
        yield from colour_bar(bar, span, colormap, LIGHT.ink, nice_ticks(*span, 5), [], SMALL)

    return Block(title, picture_height + GAP + BAR + BELOW_BAR / 2, draw)


def _gate(attention: LayerAttention, factor: np.ndarray, look: Look, width: float) -> Block:
    """The gate of one channel as a map, or as a number where it is the same at each position."""
    if np.isfinite(factor).any() and not (factor == factor.flat[0]).all():
        return _map(said("the_gate"), factor, attention.limits, look.colormap, width)
    number = f"× {short(float(factor.flat[0]))}" if np.isfinite(factor.flat[0]) else "–"
    height = min(width, width * factor.shape[0] / factor.shape[1])

    def draw(box: Box) -> Iterator[Mark]:
        middle = (box[0] + box[2]) / 2, box[1] + height / 2
        yield Text(middle, number, 12, LIGHT.ink, "middle", "middle")

    return Block(said("the_gate"), height + GAP + BAR + BELOW_BAR / 2, draw)
