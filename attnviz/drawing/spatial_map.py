"""A layer's spatial map on a page of its own: the overlay above a colour bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..analysis import SCALES, map_range
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from .axis import decimal_ticks
from .canvas import Drawing
from .heatmap import BAR_HEIGHT, colour_bar, fitted
from .look import Look
from .marks import Mark, Picture, text_lines
from .overlay import overlay, scale_colours, spanning
from .style import TITLE, theme, wrapped

LEFT, RIGHT = 18.0, 442.8  # points, of the picture; the margins are alike
LEAST_HEIGHT, GREATEST_HEIGHT = 86, 576  # of the picture
LEADING = 14
BELOW = 68  # room for the colour bar and what is written below it
SMALL_PHOTO = 400  # pixels; the pixels of a narrower photo are drawn as squares


def map_drawing(trace: Trace, layer: str, look: Look = Look(), compared: Sequence[Trace] = ()) -> Drawing:
    """The overlay with a colour bar that says what the colours span and has marks at this map's own least and
    greatest. ``compared`` are the traces that the scale "shown" spans too. Raises ValueError if there is no
    spatial map."""
    picture = overlay(trace, layer, look, compared)
    attention, colours = trace.layers[layer], theme(look.dark)
    cells = f"{attention.shape[1]} × {attention.shape[2]} cells"
    lines = wrapped(f"Spatial attention of {layer}: {cells}").split("\n")
    top = 14.0 + LEADING * len(lines)
    height = (RIGHT - LEFT) * picture.height / picture.width
    bottom = top + float(np.clip(height, LEAST_HEIGHT, GREATEST_HEIGHT))
    place = fitted((picture.height, picture.width), (LEFT, top, RIGHT, bottom))
    span = map_range(trace, layer, look.scale, compared)
    drawing = Drawing(LEFT + RIGHT, bottom + BELOW, colours.ground)
    drawing.marks += [
        *text_lines(lines, (LEFT, 18.0), TITLE, colours.ink, LEADING),
        Picture(place, picture, cells=picture.width < SMALL_PHOTO),
        *_colour_bar(attention, bottom + 8, span, look, colours.ink),
    ]
    return drawing


def _colour_bar(
    attention: LayerAttention, top: float, span: tuple[float, float], look: Look, ink: str
) -> Iterator[Mark]:
    """The colour bar, with marks at the least and the greatest of the map."""
    values = np.asarray(attention.map)
    ends = [float(np.nanmin(values)), float(np.nanmax(values))] if np.isfinite(values).any() else []
    box = LEFT, top, RIGHT, top + BAR_HEIGHT
    notes = (_own_range(attention, ends, span[1]), f"{spanning(look)}: {SCALES[look.scale]}")
    ticks, colours = decimal_ticks(*span), scale_colours(look, span)
    return colour_bar(box, span, look.colormap, ink, ticks, notes, marked=ends, colours=colours)


def _own_range(attention: LayerAttention, ends: Sequence[float], high: float) -> str:
    """The quantity of the map, and its own range in words; ``high`` is the greatest number of the colours."""
    digits = 3 if high >= 0.1 else 5
    own_range = " to ".join(f"{end:.{digits}f}" for end in ends)
    words = [f"{_quantity(attention)} at each position"]
    if ends:
        words.append(f"this map: {own_range} (marks)")
    if np.isnan(np.asarray(attention.map)).any():
        words.append("grey: undefined")
    return " · ".join(words)


def _quantity(attention: LayerAttention) -> str:
    if attention.spatial is None:
        return "share of the context"
    return "mean factor over channels" if attention.averaged else "factor"
