"""Arrays in, pictures out: the map over the photo, all layers on one page. Computes nothing.

A colour means a number, and the range that the colours span stands on the colour bar, see ``analysis.map_range``. ``shown`` are the
traces that are looked at beside this one: the scale "shown" spans them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from .analysis import SCALES, map_range, ranked, weights_of
from .bars import bars_of
from .capture import Trace
from .drawing import Bars, Drawing, Line, Mark, Picture, Text
from .geometry import Region
from .images import Photo
from .layers import LayerAttention
from .panels import BAR, Box, colour_bar, fitted, painted, spread
from .paper import ground_and_ink, wrapped

COLORMAPS = ("viridis", "magma", "inferno", "cividis", "turbo", "jet", "coolwarm")


@dataclass(frozen=True)
class Look:
    """How a map is drawn. It changes no number."""

    opacity: float = 0.6         # of the map over the photo, 0 to 1
    colormap: str = "viridis"    # one of COLORMAPS
    scale: str = "fixed"         # one of SCALES: what the colours span
    smooth: bool = False         # blend between the centres of the cells, or show each cell as one square
    dark: bool = False           # light ink on a dark ground, for a dark page


def overlay(trace: Trace, layer: str, look: Look = Look(), shown: Sequence[Trace] = ()) -> Image.Image:
    """The photo, RGB in its own size, with this layer's spatial map laid exactly on the part of it that the map covers.

    Without ``look.smooth`` each cell is one flat rectangle; with it, values are blended bilinearly between the cells' centres
    and never leave the map's range. What the network did not see stays as it is. Raises ValueError if there is no spatial map.
    """
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
        colours = painted(attention.map, low, high, look.colormap).resize(size, Image.Resampling.NEAREST, cells)
    picture.paste(Image.blend(picture.crop(seen), colours, look.opacity), seen)
    return picture


def map_drawing(trace: Trace, layer: str, look: Look = Look(), shown: Sequence[Trace] = ()) -> Drawing:
    """The overlay with its colour bar, which carries the scale, and a mark at this map's own least and greatest."""
    attention = trace.layers[layer]
    picture = overlay(trace, layer, look, shown)   # raises if there is no map
    spatial = np.asarray(attention.map)
    low, high = map_range(trace, layer, look.scale, shown)
    least, greatest = float(np.nanmin(spatial)), float(np.nanmax(spatial))
    lines = wrapped(f"Spatial attention of {layer}: {attention.shape[1]} × {attention.shape[2]} cells").split("\n")
    left, right, top = 18.0, 442.8, 14.0 + 14 * len(lines)
    bottom = top + float(np.clip((right - left) * picture.height / picture.width, 86, 576))
    ground, ink = ground_and_ink(look.dark)
    drawing = Drawing(left + right, bottom + 68, ground)
    place = fitted((picture.height, picture.width), (left, top, right, bottom))
    drawing.marks += [Text((left, 18.0 + 14 * row), line, 10, ink) for row, line in enumerate(lines)]
    drawing.marks.append(Picture(place, picture, cells=picture.width < 400))
    ticks = [(tick, f"{tick:.{2 if high - low >= 0.1 else 4}f}") for tick in spread(low, high, 6)]
    what = "share of the context" if attention.spatial is None else "mean factor over channels" if attention.averaged else "factor"
    digits = 3 if high >= 0.1 else 5
    grey = " · grey: undefined" if np.isnan(spatial).any() else ""
    own = f"{what} at each position · this map: {least:.{digits}f} to {greatest:.{digits}f} (marks){grey}"
    said = (own, f"colours: {SCALES[look.scale]}")
    box = left, bottom + 8, right, bottom + 8 + BAR
    drawing.marks.extend(colour_bar(box, (low, high), look.colormap, ink, ticks, said, marked=(least, greatest)))
    return drawing


WIDE, SMALL = 200.0, 62.0   # points: a layer of the overview, and the height of its bars


def overview_drawing(trace: Trace, look: Look = Look(), shown: Sequence[Trace] = ()) -> Drawing:
    """Every layer of a trace on one page: its map on the photo above its channel weights, sorted by size."""
    layers = list(trace.layers.values())
    columns = min(4, max(1, len(layers)))
    rows = -(-len(layers) // columns)
    ground, ink = ground_and_ink(look.dark)
    best = [f"{label} {probability:.0%}" for label, probability in trace.top(1)]
    lines = wrapped(trace.network, trace.photo.name, *best).split("\n")
    width = max(460.0, columns * (WIDE + 16) + 16)
    high, top = WIDE * float(np.clip(trace.photo.height / trace.photo.width, 0.25, 2)), 16.0 + 15 * len(lines)
    row_high = high + SMALL + 58
    ranges = {map_range(trace, layer.name, look.scale, shown) for layer in layers if layer.map is not None}
    drawing = Drawing(width, top + rows * row_high + (46 if ranges else 8), ground)
    drawing.marks += [Text((width / 2, 18.0 + 15 * row), line, 12, ink, "middle") for row, line in enumerate(lines)]
    seen = trace.photo.image()
    seen.thumbnail((round(2 * WIDE), round(4 * WIDE)))   # finer than a printer shows it
    small = replace(trace, source=Photo(np.asarray(seen), trace.photo.name), region=_shrunk(trace, seen.size))
    for index, layer in enumerate(layers):
        row, column = divmod(index, columns)
        left, above = 16 + column * (WIDE + 16), top + row * row_high
        title = wrapped(layer.name, layer.title, f"{layer.shape[1]} × {layer.shape[2]}", width=34).split("\n")[0]
        drawing.marks.append(Text((left + WIDE / 2, above + 14), title, 9, ink, "middle"))
        place = fitted((seen.height, seen.width), (left, above + 20, left + WIDE, above + 20 + high))
        if layer.map is None:
            drawing.marks.append(Picture(place, Image.blend(Image.new("RGB", seen.size, ground), seen, 0.25)))
            middle = left + WIDE / 2, above + 20 + high / 2
            drawing.marks.append(Text(middle, "weighs channels only", 9, ink, "middle", "middle"))
        else:
            drawing.marks.append(Picture(place, overlay(small, layer.name, look, (trace, *shown))))
        drawing.marks.extend(_small_bars(layer, (left, above + 28 + high, left + WIDE, above + 28 + high + SMALL), ink, look.dark))
    if ranges:
        box = 0.2 * width, top + rows * row_high, 0.8 * width, top + rows * row_high + 8
        drawing.marks.extend(_bar_of_all(box, ranges, look, ink))
    return drawing


def _shrunk(trace: Trace, size: tuple[int, int]) -> Region:
    """The region that the network saw, on a photo made smaller."""
    across, down = size[0] / trace.photo.width, size[1] / trace.photo.height
    left, top, right, bottom = trace.region.box
    return replace(trace.region, box=(left * across, top * down, right * across, bottom * down))


def _inside(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """The photo's rows and columns whose centres the network saw."""
    left, top, right, bottom = trace.region.box
    rows, columns = np.arange(trace.photo.height) + 0.5, np.arange(trace.photo.width) + 0.5
    return np.flatnonzero((rows >= top) & (rows < bottom)), np.flatnonzero((columns >= left) & (columns < right))


def _cells_of(trace: Trace, layer: str, seen: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    """Where in the map, in cells with fractions, a part of the photo lies: left, top, right, bottom."""
    left, top, right, bottom = trace.box(layer)
    height, width = trace.layers[layer].shape[1:]
    across = [min(max((x - left) / (right - left), 0.0), 1.0) * width for x in seen[::2]]
    down = [min(max((y - top) / (bottom - top), 0.0), 1.0) * height for y in seen[1::2]]
    return across[0], down[0], across[1], down[1]


def _bar_of_all(box: Box, ranges: set[tuple[float, float]], look: Look, ink: str) -> Iterator[Mark]:
    """One colour bar for the maps of all layers: with numbers if they share one range."""
    low, high = next(iter(ranges))
    ticks = [(low, "least"), (high, "greatest")]
    if len(ranges) == 1:
        ticks = [(tick, f"{tick:.{2 if high - low >= 0.1 else 4}f}") for tick in spread(low, high, 6)]
    one = "" if len(ranges) > 1 else ", one scale for all maps"
    yield from colour_bar(box, (low, high), look.colormap, ink, ticks, [f"factor at each position{one} · colours: {SCALES[look.scale]}"], 8)


def _small_bars(layer: LayerAttention, box: Box, ink: str, dark: bool) -> Iterator[Mark]:
    if layer.channel is None and layer.paths is None:
        return
    least, most = (0.0, 1.0) if layer.channel is None else layer.limits
    weights = weights_of(layer)
    left, top, right, bottom = box[0] + 24, *box[1:]
    for feet, heads, colour in bars_of(layer, weights, ranked(weights, "size"), least, dark):
        from_foot, to_head = (bottom - (values - least) / (most - least) * (bottom - top) for values in (feet, heads))
        yield Bars(left, right, from_foot, to_head, colour)
    yield Line((left, top), (left, bottom), ink, 0.8)
    yield Line((left, bottom), (right, bottom), ink, 0.8)
    for value, y in zip(spread(least, most, 3), spread(bottom, top, 3)):
        yield Line((left - 3, y), (left, y), ink, 0.8)
        yield Text((left - 5, y), f"{value:g}", 7, ink, "end", "middle")
    yield Text(((left + right) / 2, bottom + 5), f"{len(weights)} channels, mean {np.nanmean(weights):.2f}", 8, ink, "middle", "top")
