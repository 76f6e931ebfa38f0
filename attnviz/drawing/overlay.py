"""A layer's spatial map over the photo. Computes no number: what the colours span comes from
``analysis.map_range``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageChops

from ..analysis import brightness_range, map_range
from ..capture.trace import Trace
from .heatmap import blended_colours, painted
from .look import Look
from .marks import Box
from .style import UNDEFINED

Span: TypeAlias = tuple[float, float]  # least, greatest

BRIGHTNESS = "gray"  # matplotlib's colormap from black to white
PALE = 0.72  # of white over what the network did not see, where a dark one would look held back


def overlay(trace: Trace, layer: str, look: Look = Look(), compared: Sequence[Trace] = ()) -> Image.Image:
    """The photo, RGB in its own size, with this layer's spatial map laid exactly on the part of it that the
    map covers, in one of WAYS. ``compared`` are the traces that the scale "shown" spans too.

    In colours, the photo below is grey (from half of the opacity on), so that each colour is one of the
    colour bar's. Dimmed, it is multiplied by the factor; see ``brightness_range``. Without ``look.smooth``
    each cell is one flat rectangle; with it, values are blended bilinearly between the cells' centres and
    never leave the map's range. The part that the network did not see stays as it is, or is pale beside a
    dimmed one. Raises ValueError if there is no spatial map."""
    attention = trace.layers[layer]
    if attention.map is None:
        raise ValueError(f"{layer} has no spatial map: {attention.title} weighs channels only")
    picture = trace.photo.image()
    pixels = _seen_pixels(trace)
    if pixels is None:
        return picture
    seen, cells = picture.crop(pixels), _cells(trace, layer, pixels)
    span = map_range(trace, layer, look.scale, compared)
    if look.way == "dim":
        picture = Image.blend(picture, Image.new("RGB", picture.size, "white"), PALE)
        picture.paste(_dimmed(seen, attention.map, span, look, cells), pixels)
    else:
        picture.paste(_coloured(seen, attention.map, span, look, cells), pixels)
    return picture


def scale_colours(look: Look, span: tuple[float, float]) -> Image.Image:
    """The colours of a map's ``span`` from left to right as they look on the photo, 256 pixels by 1: on grey,
    or of a white photo that is dimmed."""
    if look.way == "colours":
        return blended_colours(look.colormap, look.opacity)
    return painted(np.linspace(*span, 256)[None], *brightness_range(span, look.scale), BRIGHTNESS)


def spanning(look: Look) -> str:
    """What spans a scale, in words."""
    return "colours" if look.way == "colours" else "brightness"


def _coloured(seen: Image.Image, values: np.ndarray, span: Span, look: Look, cells: Box) -> Image.Image:
    grey = Image.blend(seen, seen.convert("L").convert("RGB"), min(1.0, 2 * look.opacity))
    colours = _stretched(values, span, look.colormap, look.smooth, seen.size, cells)
    return Image.blend(grey, colours, look.opacity)


def _dimmed(seen: Image.Image, values: np.ndarray, span: Span, look: Look, cells: Box) -> Image.Image:
    """The photo times the brightness; grey where the factor is undefined."""
    reach = brightness_range(span, look.scale)
    brightness = _stretched(values, reach, BRIGHTNESS, look.smooth, seen.size, cells)
    dimmed = ImageChops.multiply(seen, brightness)
    if np.isnan(values).any():
        unknown = Image.fromarray(np.isnan(values).astype(np.uint8) * 255)
        mask = unknown.resize(seen.size, Image.Resampling.NEAREST, cells)
        dimmed.paste((UNDEFINED,) * 3, mask=mask)
    return dimmed


def _stretched(
    values: np.ndarray, span: Span, colormap: str, smooth: bool, size: tuple[int, int], cells: Box
) -> Image.Image:
    """The cells of a map in their colours, over a picture of a size."""
    if smooth:
        return painted(values, *span, colormap, size, cells)
    return painted(values, *span, colormap).resize(size, Image.Resampling.NEAREST, cells)


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
