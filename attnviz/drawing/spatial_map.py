"""A layer's spatial map on a page of its own: the photo with the map on it, above a colour bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..analysis import map_range
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from .axis import nice_ticks
from .canvas import Drawing
from .heatmap import BAR_HEIGHT, colour_bar, fitted
from .look import Look
from .marks import Mark, text_lines
from .overlay import scale_colours
from .photo_map import photo_map
from .style import TITLE, theme, wrapped
from .words import map_legend, said

LEFT, RIGHT = 18.0, 442.8  # points, of the picture; the margins are alike
LEAST_HEIGHT, GREATEST_HEIGHT = 86, 576  # of the picture
LEADING = 14
BELOW = 68  # room for the colour bar and what is written below it


def map_drawing(trace: Trace, layer: str, look: Look = Look(), compared: Sequence[Trace] = ()) -> Drawing:
    """The photo with the map on it, and a colour bar that says what the colours span and has marks at this
    map's own least and greatest. ``compared`` are the traces that the scale "shown" spans too. Raises
    ValueError if there is no spatial map."""
    attention, colours = trace.layers[layer], theme(look.dark)
    if attention.map is None:
        raise ValueError(f"{layer} has no spatial map: {attention.title} weighs channels only")
    rows, columns = attention.grid
    title = said("map_title", layer=layer, height=rows, width=columns)
    lines = wrapped(title, trace.network, trace.photo.name).split("\n")
    picture = trace.photo.image()
    top = 14.0 + LEADING * len(lines)
    height = (RIGHT - LEFT) * picture.height / picture.width
    bottom = top + float(np.clip(height, LEAST_HEIGHT, GREATEST_HEIGHT))
    place = fitted((picture.height, picture.width), (LEFT, top, RIGHT, bottom))
    span = map_range(trace, layer, look.scale, compared)
    drawing = Drawing(LEFT + RIGHT, bottom + BELOW, colours.ground)
    drawing.marks += [
        *text_lines(lines, (LEFT, 18.0), TITLE, colours.ink, LEADING),
        *photo_map(trace, layer, look, compared, place, picture),
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
    ticks, legend, colours = nice_ticks(*span), map_legend(attention, look), scale_colours(look, span)
    return colour_bar(box, span, look.colormap, ink, ticks, legend, marked=ends, colours=colours)
