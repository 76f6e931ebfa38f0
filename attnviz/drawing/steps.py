"""How the gates of a layer came about: every step that was kept, those of channels as bars and those of
positions as maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ..analysis import SCALES, map_range, ranked, weights_of
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from .axis import Scale, TickStyle, short_ticks, ticks_left
from .canvas import Drawing
from .heatmap import colour_bar, fitted, painted
from .look import Look
from .marks import Bars, Box, Line, Mark, Picture, Text, text_lines
from .style import AXIS_LINE, HEADING, LABEL, NOTE, ORANGE, SIGNED, Theme, theme, wrapped

COLUMNS = 4  # panels in a row
PANEL_WIDTH, PANEL_HEIGHT = 214.0, 128.0  # points, the title among them
GAP = 16.0  # between two panels
TITLE_HEIGHT = 16.0  # above a panel
BELOW_BARS, BELOW_MAPS = 30.0, 54.0  # room for what is written below them
AXIS_WIDTH = 34.0  # left of bars
HEADROOM = 0.05  # of the range, above and below bars
BAR_MARGIN, BAR_TOP, BAR_BOTTOM = 14.0, 6.0, 13.0  # of a colour bar, from the map above it
TICKS = TickStyle(size=NOTE)


@dataclass(frozen=True, eq=False)
class Panel:
    """One step as it is drawn: (C,) as bars, (h, w) as a map. Bars and colours span ``low`` to ``high``."""

    title: str
    values: np.ndarray
    low: float
    high: float
    base: float = 0.0  # the number that bars stand on
    colormap: str = SIGNED
    meaning: str = "as far below zero as above"  # of the range of the colours

    @property
    def is_map(self) -> bool:
        return self.values.ndim == 2

    @property
    def height(self) -> float:
        return PANEL_HEIGHT + (BELOW_MAPS if self.is_map else BELOW_BARS)


def steps_drawing(
    trace: Trace, layer: str, look: Look, order: str = "index", compared: Sequence[Trace] = ()
) -> Drawing:
    """How this layer's attention came about. Above: what led to the channel weights, and the weights, as
    bars, all in the ``order`` of the weights. Below: what led to the map, and the map. Signed numbers are
    drawn around zero, each step on a scale of its own. ``compared`` are the traces that the scale "shown"
    spans too.

    Raises ValueError if the layer has neither weights nor a map."""
    attention = trace.layers[layer]
    panels = [*_steps(attention), *_gates(trace, attention, look, compared)]
    if not panels:
        raise ValueError(f"{layer} has neither channel weights nor a map")
    rows = [*_rows(panels, is_map=False), *_rows(panels, is_map=True)]
    columns = max(2, *(len(row) for row in rows))
    heading = wrapped(trace.network, layer, f"{trace.photo.name}: how it got here", width=40 * columns)
    lines = heading.split("\n")
    colours, ranking = theme(look.dark), _ranking(attention, order)
    width, top = columns * (PANEL_WIDTH + GAP) + GAP, 18.0 + 15 * len(lines)
    drawing = Drawing(width, top + sum(row[0].height for row in rows), colours.ground)
    drawing.marks += text_lines(lines, (width / 2, 18.0), HEADING, colours.ink, 15, "middle")
    for row in rows:
        for column, panel in enumerate(row):
            left = GAP + column * (PANEL_WIDTH + GAP)
            place = left, top, left + PANEL_WIDTH, top + PANEL_HEIGHT
            drawing.marks += _panel(panel, place, ranking, colours)
        top += row[0].height
    return drawing


def _rows(panels: Sequence[Panel], is_map: bool) -> list[list[Panel]]:
    """The maps among the panels, or the others, in rows of COLUMNS."""
    alike = [panel for panel in panels if panel.is_map == is_map]
    return [alike[start : start + COLUMNS] for start in range(0, len(alike), COLUMNS)]


def _ranking(attention: LayerAttention, order: str) -> np.ndarray:
    """The order of the layer's channels, (C,); of none if it has no weights."""
    if attention.channel is None and attention.paths is None:
        return np.empty(0, int)
    return ranked(weights_of(attention), order)


def _steps(attention: LayerAttention) -> Iterator[Panel]:
    """What led to the gates: the steps that were kept, and the signed branches of a joint gate."""
    for step in attention.steps:
        yield _signed_panel(step.name.replace("_", " "), step.values)
    if attention.channel_logits is not None:
        yield _signed_panel("signed channel branch", attention.channel_logits)
    if attention.spatial_logits is not None:
        yield _signed_panel("signed spatial branch", attention.spatial_logits)


def _signed_panel(title: str, values: np.ndarray) -> Panel:
    known = values[np.isfinite(values)]
    reach = float(np.abs(known).max(initial=0)) or 1.0
    around_zero = values.ndim == 2 or known.min(initial=0) < 0
    return Panel(wrapped(title, width=34), values, -reach if around_zero else 0.0, reach)


def _gates(trace: Trace, attention: LayerAttention, look: Look, compared: Sequence[Trace]) -> Iterator[Panel]:
    """The channel weights and the map."""
    factor = "mean factor" if attention.averaged else "factor"
    if attention.channel is not None:
        low, high = attention.limits
        yield Panel(f"{factor} of each channel", attention.channel, low, high, low, look.colormap)
    elif attention.paths is not None:
        yield Panel("share of the first path", attention.paths[0], 0.0, 1.0, 0.0, look.colormap)
    if attention.map is not None:
        quantity = "share" if attention.spatial is None else factor
        low, high = map_range(trace, attention.name, look.scale, compared)
        meaning = SCALES[look.scale]
        yield Panel(f"{quantity} of each place", attention.map, low, high, 0.0, look.colormap, meaning)


def _panel(panel: Panel, place: Box, ranking: np.ndarray, colours: Theme) -> Iterator[Mark]:
    left, top, right, bottom = place
    yield Text((left + PANEL_WIDTH / 2, top + 10), panel.title, LABEL, colours.ink, "middle")
    box = left, top + TITLE_HEIGHT, right, bottom
    if panel.is_map:
        yield from _map(panel, box, colours.ink)
    else:
        is_of_channels = len(panel.values) == len(ranking)
        yield from _bars(panel, panel.values[ranking] if is_of_channels else panel.values, box, colours)


def _bars(panel: Panel, values: np.ndarray, box: Box, colours: Theme) -> Iterator[Mark]:
    """Bars above the base in the accent's colour, those below it in orange."""
    left, top, right, bottom = box[0] + AXIS_WIDTH, *box[1:]
    room = HEADROOM * (panel.high - panel.low)
    low = panel.low - (room if panel.low < panel.base else 0)
    heights = Scale(low, panel.high + room, bottom, top)
    feet = heights.places(np.full(len(values), panel.base))
    above, below = np.maximum(values, panel.base), np.minimum(values, panel.base)
    yield Bars(left, right, feet, heights.places(above.astype(float)), colours.accent)
    yield Bars(left, right, feet, heights.places(below.astype(float)), ORANGE)
    yield Line((left, top), (left, bottom), colours.ink, AXIS_LINE)
    ticks = short_ticks(panel.low, panel.high, 3)
    yield from chain.from_iterable(ticks_left(heights, ticks, left, colours.ink, TICKS))
    base = heights.at(panel.base)
    yield Line((left, base), (right, base), colours.ink, AXIS_LINE)
    count = f"{len(values)} values"
    yield Text(((left + right) / 2, bottom + 6), count, NOTE, colours.ink, "middle", "top")


def _map(panel: Panel, box: Box, ink: str) -> Iterator[Mark]:
    left, _, right, bottom = box
    picture = painted(panel.values, panel.low, panel.high, panel.colormap)
    yield Picture(fitted(panel.values.shape, box), picture, cells=True)
    bar = left + BAR_MARGIN, bottom + BAR_TOP, right - BAR_MARGIN, bottom + BAR_BOTTOM
    ticks = short_ticks(panel.low, panel.high, 3)
    notes = [f"colours: {panel.meaning}"]
    yield from colour_bar(bar, (panel.low, panel.high), panel.colormap, ink, ticks, notes, NOTE)
