"""How a layer's gates came about: every step that was kept, the channels' in one row of pictures and the
places' in another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..analysis import SCALES, map_range, ranked, weights_of
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from .canvas import Bars, Drawing, Line, Mark, Picture, Text
from .heatmap import SIGNED, Box, colour_bar, fitted, painted, short, spread
from .overlay import Look
from .style import ACCENT, DARK_ACCENT, ORANGE, ground_and_ink, wrapped

COLUMNS = 4  # pictures in a row
WIDE, HIGH = 214.0, 128.0  # points, of a picture's place
GAP = 16.0  # between two of them
BELOW = {1: 30.0, 2: 54.0}  # for what is written below bars, and below maps


@dataclass(frozen=True, eq=False)
class Panel:
    """One step as it is drawn: (C,) as bars, (h, w) as a map. Colours and bars span ``low`` to ``high``."""

    title: str
    values: np.ndarray
    low: float
    high: float
    base: float = 0.0  # what bars stand on
    colormap: str = SIGNED
    spans: str = "as far below zero as above"  # what the colours span, in words


def steps_drawing(
    trace: Trace, layer: str, look: Look, order: str = "index", shown: Sequence[Trace] = ()
) -> Drawing:
    """How this layer's attention got here. Above, what led to the channels' weights, and these, as bars, all
    in the ``order`` of the weights; below, what led to the map, and the map itself. Signed numbers are drawn
    around zero, each step on a scale of its own.

    Raises ValueError if the layer has neither weights nor a map.
    """
    attention = trace.layers[layer]
    panels = [*_before(attention), *_gates(trace, attention, look, shown)]
    if not panels:
        raise ValueError(f"{layer} has neither channel weights nor a map")
    rows = [[panel for panel in panels if panel.values.ndim == dimensions] for dimensions in (1, 2)]
    rows = [row[start : start + COLUMNS] for row in rows for start in range(0, len(row), COLUMNS)]
    columns = max(2, *(len(row) for row in rows))
    ground, ink = ground_and_ink(look.dark)
    lines = wrapped(trace.network, layer, f"{trace.photo.name}: how it got here", width=40 * columns).split(
        "\n"
    )
    width, top = columns * (WIDE + GAP) + GAP, 18.0 + 15 * len(lines)
    drawing = Drawing(width, top + sum(HIGH + BELOW[row[0].values.ndim] for row in rows), ground)
    drawing.marks += [
        Text((width / 2, 18.0 + 15 * row), line, 11, ink, "middle") for row, line in enumerate(lines)
    ]
    places = (
        ranked(weights_of(attention), order)
        if attention.channel is not None or attention.paths is not None
        else np.empty(0, int)
    )
    for row in rows:
        for column, panel in enumerate(row):
            left = GAP + column * (WIDE + GAP)
            box = left, top + 16, left + WIDE, top + HIGH
            drawing.marks.append(Text((left + WIDE / 2, top + 10), panel.title, 9, ink, "middle"))
            if panel.values.ndim == 2:
                drawing.marks.extend(_map(panel, box, ink))
            else:
                ordered = panel.values[places] if len(panel.values) == len(places) else panel.values
                drawing.marks.extend(_bars(panel, ordered, box, ink, look.dark))
        top += HIGH + BELOW[row[0].values.ndim]
    return drawing


def _before(attention: LayerAttention) -> Iterator[Panel]:
    """What led to the gates: the steps that were kept, and the signed branches of a joint gate."""
    branches = (
        ("signed channel branch", attention.channel_logits),
        ("signed spatial branch", attention.spatial_logits),
    )
    steps = [(step.name.replace("_", " "), step.values) for step in attention.steps]
    for title, values in (*steps, *((title, values) for title, values in branches if values is not None)):
        known = values[np.isfinite(values)]
        reach = float(np.abs(known).max(initial=0)) or 1.0
        negative = values.ndim == 2 or known.min(initial=0) < 0
        yield Panel(wrapped(title, width=34), values, -reach if negative else 0.0, reach)


def _gates(trace: Trace, attention: LayerAttention, look: Look, shown: Sequence[Trace]) -> Iterator[Panel]:
    mean = "mean factor" if attention.averaged else "factor"
    if attention.channel is not None:
        low, high = attention.limits
        yield Panel(f"{mean} of each channel", attention.channel, low, high, low, look.colormap)
    elif attention.paths is not None:
        yield Panel("share of the first path", attention.paths[0], 0.0, 1.0, 0.0, look.colormap)
    if attention.map is not None:
        what = "share" if attention.spatial is None else mean
        span = map_range(trace, attention.name, look.scale, shown)
        yield Panel(f"{what} of each place", attention.map, *span, 0.0, look.colormap, SCALES[look.scale])


def _bars(panel: Panel, values: np.ndarray, box: Box, ink: str, dark: bool) -> Iterator[Mark]:
    left, top, right, bottom = box[0] + 34, *box[1:]
    room = 0.05 * (panel.high - panel.low)
    least, most = panel.low - (room if panel.low < panel.base else 0), panel.high + room

    def height(value: np.ndarray | float) -> np.ndarray:
        return bottom - (np.asarray(value, float) - least) / (most - least) * (bottom - top)

    for heads, colour in (
        (np.maximum(values, panel.base), DARK_ACCENT if dark else ACCENT),
        (np.minimum(values, panel.base), ORANGE),
    ):
        yield Bars(left, right, height(np.full(len(values), panel.base)), height(heads), colour)
    yield Line((left, top), (left, bottom), ink, 0.8)
    for tick in spread(panel.low, panel.high, 3):
        y = float(height(tick))
        yield Line((left - 3, y), (left, y), ink, 0.8)
        yield Text((left - 5, y), short(tick), 8, ink, "end", "middle")
    yield Line((left, float(height(panel.base))), (right, float(height(panel.base))), ink, 0.8)
    yield Text(((left + right) / 2, bottom + 6), f"{len(values)} values", 8, ink, "middle", "top")


def _map(panel: Panel, box: Box, ink: str) -> Iterator[Mark]:
    left, _, right, bottom = box
    yield Picture(
        fitted(panel.values.shape, box),
        painted(panel.values, panel.low, panel.high, panel.colormap),
        cells=True,
    )  # type: ignore[arg-type]
    ticks = [(tick, short(tick)) for tick in spread(panel.low, panel.high, 3)]
    bar = left + 14, bottom + 6, right - 14, bottom + 13
    yield from colour_bar(
        bar, (panel.low, panel.high), panel.colormap, ink, ticks, [f"colours: {panel.spans}"], 8
    )
