"""One figure as one file: a picture, or the numbers in it as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from ..drawing.bars import bars_drawing
from ..drawing.canvas import Drawing
from ..drawing.channel import Channel, channel_drawing
from ..drawing.diagram import diagram_drawing
from ..drawing.grid import grid_drawing
from ..drawing.overview import overview_drawing
from ..drawing.pair import Pair, pair_drawing
from ..drawing.paper import PAPER_DPI
from ..drawing.spatial_map import map_drawing
from ..drawing.spread import spread_drawing
from ..drawing.style import wrapped
from .pictures import PictureSettings
from .tables import (
    answers_table,
    channel_table,
    layers_table,
    map_table,
    pair_table,
    photos_table,
    steps_table,
    weights_table,
)

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Figure:
    """What a figure is of."""

    traces: Sequence[tuple[Trace, tuple[str, ...]]]  # each with its layers; the first is the one looked at
    settings: PictureSettings
    channel: Channel | None = None
    pair: Pair | None = None

    @property
    def trace(self) -> Trace:
        return self.traces[0][0]

    @property
    def layer(self) -> str:
        """The layer that is looked at. Raises LookupError where there is none."""
        return self.traces[0][1][0]


def figure_file(name: str, suffix: str, figure: Figure) -> bytes:
    """A figure by one of the names of PICTURES, as "png", "svg" or "pdf"; or by one of TABLES, as "csv".
    Raises LookupError for a name that there is not, and where the figure has nothing of that."""
    if suffix == "csv":
        return TABLES[name](figure)
    return PICTURES[name](figure).file(suffix, PAPER_DPI)


def _layer_with_map(figure: Figure) -> LayerAttention:
    attention = figure.trace.layers[figure.layer]
    _has(attention.map)
    return attention


def _layer_with_weights(figure: Figure) -> LayerAttention:
    attention = figure.trace.layers[figure.layer]
    _has(attention.channel if attention.paths is None else attention.paths)
    return attention


def _has(value: Value | None) -> Value:
    """What there is. Raises LookupError for None."""
    if value is None:
        raise LookupError("the figure has nothing of that")
    return value


def _map(figure: Figure) -> Drawing:
    _layer_with_map(figure)
    return map_drawing(figure.trace, figure.layer, figure.settings.look, figure.settings.compared)


def _channels(figure: Figure) -> Drawing:
    attention, settings = _layer_with_weights(figure), figure.settings
    title = wrapped(figure.trace.network, figure.layer, figure.trace.photo.name)
    return bars_drawing(attention, settings.order, False, title, settings.bars_scale)


def _channel(figure: Figure) -> Drawing:
    return channel_drawing(figure.trace, _has(figure.channel), figure.settings.look)


def _steps(figure: Figure) -> Drawing:
    return diagram_drawing(figure.trace, figure.layer, figure.settings.look, figure.channel)


def _overview(figure: Figure) -> Drawing:
    return overview_drawing(figure.trace, figure.settings.look, figure.settings.compared)


def _grid(figure: Figure) -> Drawing:
    return grid_drawing(figure.traces, figure.settings.look)


def _spread(figure: Figure) -> Drawing:
    return spread_drawing(_of_layer(figure), figure.layer)


def _of_layer(figure: Figure) -> list[Trace]:
    """The traces that have weights of the layer."""
    has = [trace for trace, _ in figure.traces if figure.layer in trace.layers]
    _layer_with_weights(figure)
    return has


PICTURES: Mapping[str, Callable[[Figure], Drawing]] = {
    "map": _map,
    "channels": _channels,
    "channel": _channel,
    "steps": _steps,
    "overview": _overview,
    "networks": _grid,
    "photos": _grid,
    "spread": _spread,
    "pair": lambda figure: pair_drawing(_has(figure.pair)),
}

TABLES: Mapping[str, Callable[[Figure], bytes]] = {
    "map": lambda figure: map_table(_layer_with_map(figure)),
    "channels": lambda figure: weights_table(_layer_with_weights(figure)),
    "channel": lambda figure: channel_table(figure.trace.layers[figure.layer], _has(figure.channel)),
    "steps": lambda figure: steps_table(figure.trace.layers[figure.layer]),
    "answer": lambda figure: answers_table(figure.trace),
    "overview": lambda figure: layers_table([(figure.trace, tuple(figure.trace.layers))]),
    "networks": lambda figure: layers_table(figure.traces),
    "photos": lambda figure: layers_table([(trace, tuple(trace.layers)) for trace, _ in figure.traces]),
    "spread": lambda figure: photos_table(_of_layer(figure), figure.layer),
    "pair": lambda figure: pair_table(_has(figure.pair)),
}
