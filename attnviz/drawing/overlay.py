"""Arrays in, pictures out: the map over the photo, all layers on one page. Computes nothing.

A colour means a number, and the range that the colours span stands on the colour bar, see
``analysis.map_range``. ``shown`` are the traces that are looked at beside this one: the scale "shown" spans
them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..analysis import SCALES, map_range
from ..capture.trace import Trace
from .canvas import Drawing, Picture, Text
from .heatmap import BAR, colour_bar, fitted, painted, spread
from .style import ground_and_ink, wrapped


@dataclass(frozen=True)
class Look:
    """How a map is drawn. It changes no number."""

    opacity: float = 0.6  # of the map over the photo, 0 to 1
    colormap: str = "viridis"  # one of COLORMAPS
    scale: str = "fixed"  # one of SCALES: what the colours span
    smooth: bool = False  # blend between the centres of the cells, or show each cell as one square
    dark: bool = False  # light ink on a dark ground, for a dark page


def overlay(trace: Trace, layer: str, look: Look = Look(), shown: Sequence[Trace] = ()) -> Image.Image:
    """The photo, RGB in its own size, with this layer's spatial map laid exactly on the part of it that the
    map covers.

    Without ``look.smooth`` each cell is one flat rectangle; with it, values are blended bilinearly between
    the cells' centres and never leave the map's range. What the network did not see stays as it is. Raises
    ValueError if there is no spatial map."""
    attention = trace.layers[layer]
    if attention.map is None:
        raise ValueError(f"{layer} has no spatial map: {attention.title} weighs channels only")
    rows, columns = _inside(trace)
    picture = trace.photo.image()
    if rows.size == 0 or columns.size == 0:
        return picture
    seen = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    size, cells = (seen[2] - seen[0], seen[3] - seen[1]), _cells_of(trace, layer, seen)
    low, high = map_range(trace, layer, look.scale, shown)
    if look.smooth:
        colours = painted(attention.map, low, high, look.colormap, size, cells)
    else:
        colours = painted(attention.map, low, high, look.colormap).resize(
            size, Image.Resampling.NEAREST, cells
        )
    picture.paste(Image.blend(picture.crop(seen), colours, look.opacity), seen)
    return picture


def map_drawing(trace: Trace, layer: str, look: Look = Look(), shown: Sequence[Trace] = ()) -> Drawing:
    """The overlay with its colour bar, which carries the scale, and a mark at this map's own least and
    greatest."""
    attention = trace.layers[layer]
    picture = overlay(trace, layer, look, shown)  # raises if there is no map
    spatial = np.asarray(attention.map)
    low, high = map_range(trace, layer, look.scale, shown)
    least, greatest = float(np.nanmin(spatial)), float(np.nanmax(spatial))
    lines = wrapped(f"Spatial attention of {layer}: {attention.shape[1]} × {attention.shape[2]} cells").split(
        "\n"
    )
    left, right, top = 18.0, 442.8, 14.0 + 14 * len(lines)
    bottom = top + float(np.clip((right - left) * picture.height / picture.width, 86, 576))
    ground, ink = ground_and_ink(look.dark)
    drawing = Drawing(left + right, bottom + 68, ground)
    place = fitted((picture.height, picture.width), (left, top, right, bottom))
    drawing.marks += [Text((left, 18.0 + 14 * row), line, 10, ink) for row, line in enumerate(lines)]
    drawing.marks.append(Picture(place, picture, cells=picture.width < 400))
    ticks = [(tick, f"{tick:.{2 if high - low >= 0.1 else 4}f}") for tick in spread(low, high, 6)]
    what = (
        "share of the context"
        if attention.spatial is None
        else "mean factor over channels"
        if attention.averaged
        else "factor"
    )
    digits = 3 if high >= 0.1 else 5
    grey = " · grey: undefined" if np.isnan(spatial).any() else ""
    own = f"{what} at each position · this map: {least:.{digits}f} to {greatest:.{digits}f} (marks){grey}"
    said = (own, f"colours: {SCALES[look.scale]}")
    box = left, bottom + 8, right, bottom + 8 + BAR
    drawing.marks.extend(
        colour_bar(box, (low, high), look.colormap, ink, ticks, said, marked=(least, greatest))
    )
    return drawing


def _inside(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """The photo's rows and columns whose centres the network saw."""
    left, top, right, bottom = trace.region.box
    rows, columns = np.arange(trace.photo.height) + 0.5, np.arange(trace.photo.width) + 0.5
    return np.flatnonzero((rows >= top) & (rows < bottom)), np.flatnonzero(
        (columns >= left) & (columns < right)
    )


def _cells_of(trace: Trace, layer: str, seen: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    """Where in the map, in cells with fractions, a part of the photo lies: left, top, right, bottom."""
    left, top, right, bottom = trace.box(layer)
    height, width = trace.layers[layer].shape[1:]
    across = [min(max((x - left) / (right - left), 0.0), 1.0) * width for x in seen[::2]]
    down = [min(max((y - top) / (bottom - top), 0.0), 1.0) * height for y in seen[1::2]]
    return across[0], down[0], across[1], down[1]
