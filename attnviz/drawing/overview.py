"""Every layer of a trace on one page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from ..analysis import SCALES, map_range, ranked, weights_of
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from ..photos.geometry import Region
from ..photos.photo import Photo
from .bars import bars_of
from .canvas import Bars, Drawing, Line, Mark, Picture, Text
from .heatmap import Box, colour_bar, fitted, spread
from .overlay import Look, overlay
from .style import ground_and_ink, wrapped

WIDE, SMALL = 200.0, 62.0  # points: a layer of the overview, and the height of its bars


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
    drawing.marks += [
        Text((width / 2, 18.0 + 15 * row), line, 12, ink, "middle") for row, line in enumerate(lines)
    ]
    seen = trace.photo.image()
    seen.thumbnail((round(2 * WIDE), round(4 * WIDE)))  # finer than a printer shows it
    small = replace(trace, source=Photo(np.asarray(seen), trace.photo.name), region=_shrunk(trace, seen.size))
    for index, layer in enumerate(layers):
        row, column = divmod(index, columns)
        left, above = 16 + column * (WIDE + 16), top + row * row_high
        title = wrapped(layer.name, layer.title, f"{layer.shape[1]} × {layer.shape[2]}", width=34).split(
            "\n"
        )[0]
        drawing.marks.append(Text((left + WIDE / 2, above + 14), title, 9, ink, "middle"))
        place = fitted((seen.height, seen.width), (left, above + 20, left + WIDE, above + 20 + high))
        if layer.map is None:
            drawing.marks.append(Picture(place, Image.blend(Image.new("RGB", seen.size, ground), seen, 0.25)))
            middle = left + WIDE / 2, above + 20 + high / 2
            drawing.marks.append(Text(middle, "weighs channels only", 9, ink, "middle", "middle"))
        else:
            drawing.marks.append(Picture(place, overlay(small, layer.name, look, (trace, *shown))))
        drawing.marks.extend(
            _small_bars(
                layer, (left, above + 28 + high, left + WIDE, above + 28 + high + SMALL), ink, look.dark
            )
        )
    if ranges:
        box = 0.2 * width, top + rows * row_high, 0.8 * width, top + rows * row_high + 8
        drawing.marks.extend(_bar_of_all(box, ranges, look, ink))
    return drawing


def _shrunk(trace: Trace, size: tuple[int, int]) -> Region:
    """The region that the network saw, on a photo made smaller."""
    across, down = size[0] / trace.photo.width, size[1] / trace.photo.height
    left, top, right, bottom = trace.region.box
    return replace(trace.region, box=(left * across, top * down, right * across, bottom * down))


def _bar_of_all(box: Box, ranges: set[tuple[float, float]], look: Look, ink: str) -> Iterator[Mark]:
    """One colour bar for the maps of all layers: with numbers if they share one range."""
    low, high = next(iter(ranges))
    ticks = [(low, "least"), (high, "greatest")]
    if len(ranges) == 1:
        ticks = [(tick, f"{tick:.{2 if high - low >= 0.1 else 4}f}") for tick in spread(low, high, 6)]
    one = "" if len(ranges) > 1 else ", one scale for all maps"
    yield from colour_bar(
        box,
        (low, high),
        look.colormap,
        ink,
        ticks,
        [f"factor at each position{one} · colours: {SCALES[look.scale]}"],
        8,
    )


def _small_bars(layer: LayerAttention, box: Box, ink: str, dark: bool) -> Iterator[Mark]:
    if layer.channel is None and layer.paths is None:
        return
    least, most = (0.0, 1.0) if layer.channel is None else layer.limits
    weights = weights_of(layer)
    left, top, right, bottom = box[0] + 24, *box[1:]
    for feet, heads, colour in bars_of(layer, weights, ranked(weights, "size"), least, dark):
        from_foot, to_head = (
            bottom - (values - least) / (most - least) * (bottom - top) for values in (feet, heads)
        )
        yield Bars(left, right, from_foot, to_head, colour)
    yield Line((left, top), (left, bottom), ink, 0.8)
    yield Line((left, bottom), (right, bottom), ink, 0.8)
    for value, y in zip(spread(least, most, 3), spread(bottom, top, 3)):
        yield Line((left - 3, y), (left, y), ink, 0.8)
        yield Text((left - 5, y), f"{value:g}", 7, ink, "end", "middle")
    yield Text(
        ((left + right) / 2, bottom + 5),
        f"{len(weights)} channels, mean {np.nanmean(weights):.2f}",
        8,
        ink,
        "middle",
        "top",
    )
