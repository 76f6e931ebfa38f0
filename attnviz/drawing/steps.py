"""How the gates of a layer came about: every step that was kept, those of channels as bars and those of
positions as maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from ..analysis import map_range, ranked, weights_of
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from .axis import Scale, TickStyle, nice_ticks, ticks_left
from .canvas import Drawing
from .heatmap import colour_bar, fitted, painted
from .look import Look
from .marks import Bars, Box, Line, Mark, Picture, Text, text_lines
from .style import AXIS_LINE, BELOW, HEADING, LABEL, MINE, NOTE, SIGNED, Theme, theme, wrapped
from .words import digits, said, step_name

COLUMNS = 4  # panels in a row
PANEL_WIDTH, PANEL_HEIGHT = 214.0, 128.0  # points, the title among them
GAP = 16.0  # between two panels
TITLE_HEIGHT = 16.0  # above a panel
BELOW_BARS, BELOW_MAPS = 30.0, 54.0  # room for what is written below them
AXIS_WIDTH = 34.0  # left of bars
HEADROOM = 0.05  # of the range, above and below bars
BAR_MARGIN, BAR_TOP, BAR_BOTTOM = 14.0, 6.0, 13.0  # of a colour bar, from the map above it
TICKS = TickStyle(size=NOTE)
CHOSEN_WIDTH = 1.6  # points, of a chosen bar, at least


@dataclass(frozen=True, eq=False)
class Panel:
    """One step as it is drawn: (C,) as bars, (h, w) as a map. Bars and colours span ``low`` to ``high``."""

    title: str
    values: np.ndarray
    low: float
    high: float
    base: float = 0.0  # the number that bars stand on
    colormap: str = SIGNED
    chosen: int | None = None  # the bar that is marked, of a step with a number a channel

    @property
    def is_map(self) -> bool:
        return self.values.ndim == 2

    @property
    def height(self) -> float:
        return PANEL_HEIGHT + (BELOW_MAPS if self.is_map else BELOW_BARS)


def steps_drawing(
    trace: Trace,
    layer: str,
    look: Look,
    order: str = "index",
    compared: Sequence[Trace] = (),
    channel: int | None = None,
) -> Drawing:
    """How this layer's attention came about. Above: what led to the channel weights, and the weights, as
    bars, all in the ``order`` of the weights. Below: what led to the map, and the map. Signed numbers are
    drawn around zero, each step on a scale of its own. ``compared`` are the traces that the scale "shown"
    spans too; the ``channel`` is marked wherever there is a number a channel.

    Raises ValueError if the layer has neither weights nor a map."""
    attention = trace.layers[layer]
    panels = panels_of(trace, layer, look, compared, channel)
    if not panels:
        raise ValueError(f"{layer} has neither channel weights nor a map")
    rows = [*_rows(panels, is_map=False), *_rows(panels, is_map=True)]
    columns = max(2, *(len(row) for row in rows))
    title = said("mechanism_title", kind=attention.title, layer=layer)
    heading = wrapped(title, trace.network, trace.photo.name, width=40 * columns)
    lines = heading.split("\n")
    colours, ranking = theme(look.dark), _ranking(attention, order)
    width, top = columns * (PANEL_WIDTH + GAP) + GAP, 18.0 + 15 * len(lines)
    drawing = Drawing(width, top + sum(row[0].height for row in rows), colours.ground)
    drawing.marks += text_lines(lines, (width / 2, 18.0), HEADING, colours.ink, 15, "middle")
    for row in rows:
        for column, panel in enumerate(row):
            left = GAP + column * (PANEL_WIDTH + GAP)
            place = left, top, left + PANEL_WIDTH, top + PANEL_HEIGHT
            drawing.marks += panel_marks(panel, place, ranking, colours)
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


def panels_of(
    trace: Trace, layer: str, look: Look, compared: Sequence[Trace] = (), channel: int | None = None
) -> list[Panel]:
    """The steps that were kept, and the gates, as they are drawn."""
    attention = trace.layers[layer]
    panels = [*_steps(attention, look), *_gates(trace, attention, look, compared)]
    count = attention.shape[0]
    return [
        replace(panel, chosen=channel) if not panel.is_map and len(panel.values) == count else panel
        for panel in panels
    ]


def _steps(attention: LayerAttention, look: Look) -> Iterator[Panel]:
    """What led to the gates: the steps that were kept, and the signed branches of a joint gate."""
    for step in attention.steps:
        yield _step_panel(step_name(step.name), step.values, look)
    if attention.channel_logits is not None:
        yield _step_panel(step_name("channel_branch"), attention.channel_logits, look)
    if attention.spatial_logits is not None:
        yield _step_panel(step_name("spatial_branch"), attention.spatial_logits, look)


def _step_panel(title: str, values: np.ndarray, look: Look) -> Panel:
    """Around zero if a number is negative, else from zero."""
    known = values[np.isfinite(values)]
    reach = float(np.abs(known).max(initial=0)) or 1.0
    if known.min(initial=0) < 0:
        return Panel(wrapped(title, width=34), values, -reach, reach)
    return Panel(wrapped(title, width=34), values, 0.0, reach, colormap=look.colormap)


def _gates(trace: Trace, attention: LayerAttention, look: Look, compared: Sequence[Trace]) -> Iterator[Panel]:
    """The channel weights and the map."""
    if attention.channel is not None:
        low, high = attention.limits
        title = step_name("bam_mean_bars" if attention.averaged else "channel_gate")
        yield Panel(title, attention.channel, low, high, low, look.colormap)
    elif attention.paths is not None:
        yield Panel("share of the first path", attention.paths[0], 0.0, 1.0, 0.0, look.colormap)
    if attention.map is not None:
        gate = "bam_mean_map" if attention.averaged else "spatial_gate"
        title = step_name("pooling" if attention.spatial is None else gate)
        low, high = map_range(trace, attention.name, look.scale, compared)
        yield Panel(title, attention.map, low, high, 0.0, look.colormap)


def panel_marks(panel: Panel, place: Box, ranking: np.ndarray, colours: Theme) -> Iterator[Mark]:
    """A step in a place, its title at the top; what is written below it lies below the place."""
    left, top, right, bottom = place
    yield Text(((left + right) / 2, top + 10), panel.title, LABEL, colours.ink, "middle")
    box = left, top + TITLE_HEIGHT, right, bottom
    if panel.is_map:
        yield from _map(panel, box, colours.ink)
    else:
        is_of_channels = len(panel.values) == len(ranking)
        places = ranking if is_of_channels else np.arange(len(panel.values))
        yield from _bars(panel, places, box, colours)


def _bars(panel: Panel, ranking: np.ndarray, box: Box, colours: Theme) -> Iterator[Mark]:
    """Bars, ranked, above the base in the accent's colour, those below it in grey, the chosen one in its
    own."""
    values = panel.values[ranking]
    left, top, right, bottom = box[0] + AXIS_WIDTH, *box[1:]
    room = HEADROOM * (panel.high - panel.low)
    low = panel.low - (room if panel.low < panel.base else 0)
    heights = Scale(low, panel.high + room, bottom, top)
    feet = heights.places(np.full(len(values), panel.base))
    above, below = np.maximum(values, panel.base), np.minimum(values, panel.base)
    yield Bars(left, right, feet, heights.places(above.astype(float)), colours.accent)
    yield Bars(left, right, feet, heights.places(below.astype(float)), BELOW)
    yield Line((left, top), (left, bottom), colours.ink, AXIS_LINE)
    ticks = nice_ticks(panel.low, panel.high, 3)
    yield from chain.from_iterable(ticks_left(heights, ticks, left, colours.ink, TICKS))
    base = heights.at(panel.base)
    yield Line((left, base), (right, base), colours.ink, AXIS_LINE)
    notes = [f"{len(values)} values"]
    if panel.chosen is not None and panel.chosen < len(values):
        place, number = int(np.flatnonzero(ranking == panel.chosen)[0]), float(panel.values[panel.chosen])
        notes.append(said("figure_at_channel", channel=panel.chosen, value=digits(number)))
        if np.isfinite(number):
            x = left + (place + 0.5) * (right - left) / len(values)
            width = max(CHOSEN_WIDTH, (right - left) / len(values))
            yield Line((x, base), (x, heights.at(number)), MINE, width)
    below = (left + right) / 2, bottom + 6
    yield from text_lines(notes, below, NOTE, colours.ink, 1.2 * NOTE, "middle", "top")


def _map(panel: Panel, box: Box, ink: str) -> Iterator[Mark]:
    left, _, right, bottom = box
    picture = painted(panel.values, panel.low, panel.high, panel.colormap)
    yield Picture(fitted(panel.values.shape, box), picture, cells=True)
    bar = left + BAR_MARGIN, bottom + BAR_TOP, right - BAR_MARGIN, bottom + BAR_BOTTOM
    ticks = nice_ticks(panel.low, panel.high, 3)
    known = panel.values[np.isfinite(panel.values)]
    span = said("span", low=digits(known.min()), high=digits(known.max())) if known.size else "–"
    yield from colour_bar(bar, (panel.low, panel.high), panel.colormap, ink, ticks, [span], NOTE)
