"""A layer's spatial map over the photo. Computes no number: what the colours span comes from
``analysis.map_range``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from ..analysis import map_range
from ..capture.trace import Trace
from .heatmap import painted
from .look import Look
from .marks import Box


def overlay(trace: Trace, layer: str, look: Look = Look(), compared: Sequence[Trace] = ()) -> Image.Image:
    """The photo, RGB in its own size, with this layer's spatial map laid exactly on the part of it that the
    map covers. ``compared`` are the traces that the scale "shown" spans too.

    Without ``look.smooth`` each cell is one flat rectangle; with it, values are blended bilinearly between
    the cells' centres and never leave the map's range. The part that the network did not see stays as it is.
    Raises ValueError if there is no spatial map."""
    attention = trace.layers[layer]
    if attention.map is None:
        raise ValueError(f"{layer} has no spatial map: {attention.title} weighs channels only")
    picture = trace.photo.image()
    pixels = _seen_pixels(trace)
    if pixels is None:
        return picture
    left, top, right, bottom = pixels
    cells, size = _cells(trace, layer, pixels), (right - left, bottom - top)
    low, high = map_range(trace, layer, look.scale, compared)
    if look.smooth:
        colours = painted(attention.map, low, high, look.colormap, size, cells)
    else:
        squares = painted(attention.map, low, high, look.colormap)
        colours = squares.resize(size, Image.Resampling.NEAREST, cells)
    picture.paste(Image.blend(picture.crop(pixels), colours, look.opacity), pixels)
    return picture


def _seen_pixels(trace: Trace) -> tuple[int, int, int, int] | None:
    """The box of the photo's pixels whose centres the network saw; None if there are none."""
    left, top, right, bottom = trace.region.box
    y, x = np.arange(trace.photo.height) + 0.5, np.arange(trace.photo.width) + 0.5
    rows = np.flatnonzero((y >= top) & (y < bottom))
    columns = np.flatnonzero((x >= left) & (x < right))
    if rows.size == 0 or columns.size == 0:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _cells(trace: Trace, layer: str, pixels: tuple[int, int, int, int]) -> Box:
    """Where a box of the photo's pixels lies in the map, in cells with fractions."""
    left, top, right, bottom = trace.box(layer)
    height, width = trace.layers[layer].grid
    x0, x1 = (_clipped((x - left) / (right - left)) * width for x in (pixels[0], pixels[2]))
    y0, y1 = (_clipped((y - top) / (bottom - top)) * height for y in (pixels[1], pixels[3]))
    return x0, y0, x1, y1


def _clipped(share: float) -> float:
    return min(max(share, 0.0), 1.0)
