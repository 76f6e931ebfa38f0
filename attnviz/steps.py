"""How a layer's gates came about: every step that was kept, the channels' in one row of pictures and the places' in another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from .analysis import SCALES, map_range, ranked, weights_of
from .capture import Trace
from .layers import LayerAttention
from .paper import ACCENT, DARK_ACCENT, blank, heading, inked
from .render import UNDEFINED, Look

SIGNED = "coolwarm"   # the colours of signed numbers, its grey middle at zero
BELOW = "#e69f00"     # bars below zero
COLUMNS = 4           # pictures in a row


@dataclass(frozen=True, eq=False)
class Panel:
    """One step as it is drawn: (C,) as bars, (h, w) as a map. Colours and bars span ``low`` to ``high``."""

    title: str
    values: np.ndarray
    low: float
    high: float
    base: float = 0.0         # what bars stand on
    colormap: str = SIGNED
    spans: str = "as far below zero as above"   # what the colours span, in words


def steps_figure(trace: Trace, layer: str, look: Look, order: str = "index", shown: Sequence[Trace] = ()) -> Figure:
    """How this layer's attention got here. Above, what led to the channels' weights, and these, as bars, all in the ``order`` of the
    weights; below, what led to the map, and the map itself. Signed numbers are drawn around zero, each step on a scale of its own.

    Raises ValueError if the layer has neither weights nor a map.
    """
    attention = trace.layers[layer]
    panels = [*_before(attention), *_gates(trace, attention, look, shown)]
    if not panels:
        raise ValueError(f"{layer} has neither channel weights nor a map")
    rows = [[panel for panel in panels if panel.values.ndim == dimensions] for dimensions in (1, 2)]
    rows = [row[start : start + COLUMNS] for row in rows for start in range(0, len(row), COLUMNS)]
    columns = max(len(row) for row in rows)
    figure, ink = blank(max(6.4, 3.2 * columns), 0.6 + 2.7 * len(rows), look.dark)
    figure.suptitle(heading(trace.network, layer, f"{trace.photo.name}: how it got here"), color=ink, fontsize=11)
    places = ranked(weights_of(attention), order) if attention.channel is not None or attention.paths is not None else np.empty(0, int)
    grid = figure.add_gridspec(len(rows), columns)
    for line, row in enumerate(rows):
        for column, panel in enumerate(row):
            axes = figure.add_subplot(grid[line, column])
            axes.set_title(panel.title, color=ink, fontsize=9)
            if panel.values.ndim == 2:
                _draw_map(axes, panel, ink)
            else:
                _draw_bars(axes, panel, panel.values[places] if len(panel.values) == len(places) else panel.values, ink, look.dark)
    return figure


def _before(attention: LayerAttention) -> Iterator[Panel]:
    """What led to the gates: the steps that were kept, and the signed branches of a joint gate."""
    branches = ("signed channel branch", attention.channel_logits), ("signed spatial branch", attention.spatial_logits)
    steps = [(step.name.replace("_", " "), step.values) for step in attention.steps]
    for title, values in (*steps, *((title, values) for title, values in branches if values is not None)):
        known = values[np.isfinite(values)]
        reach = float(np.abs(known).max(initial=0)) or 1.0
        negative = values.ndim == 2 or known.min(initial=0) < 0
        yield Panel(heading(title, width=34), values, -reach if negative else 0.0, reach)


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


def _draw_bars(axes: Axes, panel: Panel, values: np.ndarray, ink: str, dark: bool) -> None:
    colour = DARK_ACCENT if dark else ACCENT
    axes.stairs(np.maximum(values, panel.base), baseline=panel.base, fill=True, color=colour)
    axes.stairs(np.minimum(values, panel.base), baseline=panel.base, fill=True, color=BELOW)
    axes.set_xlim(0, len(values))
    room = 0.05 * (panel.high - panel.low)
    axes.set_ylim(panel.low - room if panel.low < panel.base else panel.low, panel.high + room)
    axes.set_xticks([])
    axes.set_xlabel(f"{len(values)} values", color=ink, fontsize=8)
    if panel.low < panel.base:
        axes.axhline(panel.base, color=ink, linewidth=0.6)
    inked(axes, ink, 8)


def _draw_map(axes: Axes, panel: Panel, ink: str) -> None:
    colours = colormaps[panel.colormap].with_extremes(bad=str(UNDEFINED / 255))
    drawn = axes.imshow(panel.values, cmap=colours, norm=Normalize(panel.low, panel.high), interpolation="none")
    axes.set_axis_off()
    bar = axes.figure.colorbar(drawn, ax=axes, location="bottom", fraction=0.05, pad=0.03)
    bar.set_label(f"colours: {panel.spans}", color=ink, fontsize=8)
    bar.ax.tick_params(colors=ink, labelsize=8)
    bar.outline.set_edgecolor(ink)   # type: ignore[operator]
