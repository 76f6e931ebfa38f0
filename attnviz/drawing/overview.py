"""Every layer of a trace on one page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from PIL import Image

from ..analysis import SCALES, map_range, ranked, weights_of
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from .axis import Scale, TickStyle, nice_ticks, ticks_left
from .bars import bars_of
from .canvas import Drawing
from .heatmap import colour_bar, fitted
from .look import Look
from .marks import Bars, Box, Line, Mark, Picture, Text, text_lines
from .overlay import scale_colours, spanning
from .photo_map import photo_map
from .style import AXIS_LINE, LABEL, NOTE, Theme, theme, wrapped

COLUMNS = 4  # layers in a row
LEAST_WIDTH = 460.0  # of the page, in points
WIDTH, GAP = 200.0, 16  # of a layer's panel, and between two of them
PICTURE_TOP = 20  # from the top of a panel
BARS_TOP, BARS_HEIGHT = 28, 62.0  # the first from the end of the picture's height
PANEL_HEIGHT = BARS_HEIGHT + 58  # with what is written in it, but without the picture
BELOW_WITH_BAR, BELOW = 46, 8  # room below all panels, with and without a colour bar
HEADING = 12  # size of text: this page is larger than others
AXIS_WIDTH = 24  # left of bars
TICKS = TickStyle(size=7)
PALE = 0.25  # opacity of the photo of a layer without a map


@dataclass(frozen=True, eq=False)
class _Page:
    """What the panels share."""

    trace: Trace
    photo: Image.Image  # the smaller photo
    look: Look
    compared: Sequence[Trace]
    colours: Theme
    picture_height: float  # points


def overview_drawing(trace: Trace, look: Look = Look(), compared: Sequence[Trace] = ()) -> Drawing:
    """Every layer of a trace on one page: its map over the photo, above its channel weights, the greatest
    first. ``compared`` are the traces that the scale "shown" spans too."""
    layers = list(trace.layers.values())
    columns = min(COLUMNS, max(1, len(layers)))
    rows = -(-len(layers) // columns)
    page = _page(trace, look, compared)
    mark = " (doubtful)" if trace.doubtful else ""
    best = [f"most like {label} {probability:.0%}{mark}" for label, probability in trace.top(1)]
    lines = wrapped(trace.network, trace.photo.name, *best).split("\n")
    width = max(LEAST_WIDTH, columns * (WIDTH + GAP) + GAP)
    top, row_height = 16.0 + 15 * len(lines), page.picture_height + PANEL_HEIGHT
    bottom = top + rows * row_height
    ranges = {map_range(trace, layer.name, look.scale, compared) for layer in layers if layer.map is not None}
    drawing = Drawing(width, bottom + (BELOW_WITH_BAR if ranges else BELOW), page.colours.ground)
    drawing.marks += text_lines(lines, (width / 2, 18.0), HEADING, page.colours.ink, 15, "middle")
    for index, layer in enumerate(layers):
        row, column = divmod(index, columns)
        drawing.marks += _panel(page, layer, GAP + column * (WIDTH + GAP), top + row * row_height)
    if ranges:
        box = 0.2 * width, bottom, 0.8 * width, bottom + 8
        drawing.marks += _colour_bar(box, ranges, look, page.colours.ink)
    return drawing


def _page(trace: Trace, look: Look, compared: Sequence[Trace]) -> _Page:
    photo = trace.photo.image()
    photo.thumbnail((round(2 * WIDTH), round(4 * WIDTH)))  # finer than a printer shows it
    proportion = float(np.clip(trace.photo.height / trace.photo.width, 0.25, 2))
    return _Page(trace, photo, look, compared, theme(look.dark), WIDTH * proportion)


def _panel(page: _Page, layer: LayerAttention, left: float, top: float) -> Iterator[Mark]:
    """A layer's title, its map over the photo, and its channel weights."""
    right, picture_top = left + WIDTH, top + PICTURE_TOP
    title = wrapped(layer.name, layer.title, " × ".join(map(str, layer.shape[1:])), width=34)
    first_line = title.split("\n")[0]
    yield Text((left + WIDTH / 2, top + 14), first_line, LABEL, page.colours.ink, "middle")
    yield from _picture(page, layer, (left, picture_top, right, picture_top + page.picture_height))
    bars_top = top + BARS_TOP + page.picture_height
    yield from _bars(layer, (left, bars_top, right, bars_top + BARS_HEIGHT), page.colours)


def _picture(page: _Page, layer: LayerAttention, box: Box) -> Iterator[Mark]:
    """The photo with the map on it; or a pale photo, and why there is no map on it."""
    left, top, right, bottom = box
    place = fitted((page.photo.height, page.photo.width), box)
    if layer.map is not None:
        yield from photo_map(page.trace, layer.name, page.look, page.compared, place, page.photo)
        return
    ground = Image.new("RGB", page.photo.size, page.colours.ground)
    yield Picture(place, Image.blend(ground, page.photo, PALE))
    middle = (left + right) / 2, top + (bottom - top) / 2
    yield Text(middle, "weighs channels only", LABEL, page.colours.ink, "middle", "middle")


def _bars(layer: LayerAttention, box: Box, colours: Theme) -> Iterator[Mark]:
    """The channel weights, the greatest first, on all that they can be."""
    if layer.channel is None and layer.paths is None:
        return
    low, high = (0.0, 1.0) if layer.channel is None else layer.limits
    weights = weights_of(layer)
    left, top, right, bottom = box[0] + AXIS_WIDTH, *box[1:]
    heights = Scale(low, high, bottom, top)
    for feet, heads, colour in bars_of(layer, ranked(weights, "size"), low, colours.accent):
        yield Bars(left, right, heights.places(feet), heights.places(heads), colour)
    yield Line((left, top), (left, bottom), colours.ink, AXIS_LINE)
    yield Line((left, bottom), (right, bottom), colours.ink, AXIS_LINE)
    ticks = nice_ticks(low, high, 3)
    yield from chain.from_iterable(ticks_left(heights, ticks, left, colours.ink, TICKS))
    known = weights[np.isfinite(weights)]
    mean = f", mean {known.mean():.2f}" if known.size else ""
    words = f"{len(weights)} channels{mean}"
    yield Text(((left + right) / 2, bottom + 5), words, NOTE, colours.ink, "middle", "top")


def _colour_bar(box: Box, ranges: set[tuple[float, float]], look: Look, ink: str) -> Iterator[Mark]:
    """One colour bar for the maps of all layers, with numbers if they share one range."""
    span = next(iter(ranges))
    if len(ranges) == 1:
        ticks, shared = nice_ticks(*span), ", one scale for all maps"
    else:
        ticks, shared = [(span[0], "least"), (span[1], "greatest")], ""
    notes = [f"factor at each position{shared} · {spanning(look)}: {SCALES[look.scale]}"]
    return colour_bar(box, span, look.colormap, ink, ticks, notes, NOTE, colours=scale_colours(look, span))
