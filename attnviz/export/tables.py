"""Numbers as CSV files. A number has six digits, which is finer than two machines agree; arrays.npz has all
of them. A cell is empty where a number is unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..analysis import summary, weights_of
from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from ..csv_table import Row, table
from ..drawing.channel import Channel
from ..drawing.pair import Pair
from ..drawing.spread import spread_of


def channels_table(traces: Sequence[tuple[Trace, Sequence[str]]]) -> bytes:
    """One row a channel of each trace's layers: photo, network, layer, channel, weight."""

    def rows() -> Iterator[Row]:
        for trace, layers in traces:
            for name in layers:
                weights = trace.layers[name].channel
                for index, weight in enumerate(() if weights is None else weights):
                    yield trace.photo.name, trace.network, name, index, weight

    return table(("photo", "network", "layer", "channel", "weight"), rows())


def map_table(attention: LayerAttention) -> bytes:
    """One row a cell of a layer's map: row, column, both from 1, and the gate there."""
    values = np.asarray(attention.map)
    rows = ((row + 1, column + 1, value) for (row, column), value in np.ndenumerate(values))
    return table(("row", "column", "gate"), rows)


def weights_table(attention: LayerAttention) -> bytes:
    """One row a channel of a layer: channel, gate."""
    return table(("channel", "gate"), enumerate(weights_of(attention)))


def channel_table(attention: LayerAttention, channel: Channel) -> bytes:
    """One row a position of one channel: row, column, before, gate, after."""
    gate = attention.factor()[channel.index]
    rows = (
        (row + 1, column + 1, before, gate[row, column], channel.after[row, column])
        for (row, column), before in np.ndenumerate(channel.before)
    )
    return table(("row", "column", "before", "gate", "after"), rows)


def steps_table(attention: LayerAttention) -> bytes:
    """One row a number of each step of a layer: step, row and column of a map, or channel (or hidden unit),
    and the number."""

    def rows() -> Iterator[Row]:
        for name, values in _steps(attention):
            for place, value in np.ndenumerate(values):
                yield (
                    (name, "", "", *place, value)
                    if len(place) == 1
                    else (*(name, place[0] + 1, place[1] + 1, "", value),)
                )

    return table(("step", "row", "column", "channel", "value"), rows())


def answers_table(trace: Trace) -> bytes:
    """One row a class, the most like first: class, probability."""
    return table(("class", "probability"), trace.top(len(trace.labels) or len(trace.logits)))


def layers_table(traces: Sequence[tuple[Trace, Sequence[str]]]) -> bytes:
    """One row a layer: photo, network, layer, mean and standard deviation of its channel weights, and the
    least and the greatest of its map."""

    def rows() -> Iterator[Row]:
        for trace, layers in traces:
            for name in layers:
                layer = trace.layers[name]
                has_weights = layer.channel is not None or layer.paths is not None
                weights = weights_of(layer) if has_weights else np.empty(0)
                values = np.empty(0) if layer.map is None else layer.map
                of_weights, of_map = summary(weights, layer.kind), summary(values, layer.kind)
                numbers = (of_weights.mean, of_weights.std, of_map.least, of_map.greatest)
                yield trace.photo.name, trace.network, name, *numbers

    names = (
        "photo",
        "network",
        "layer",
        "weights mean",
        "weights standard deviation",
        "map least",
        "map greatest",
    )
    return table(names, rows())


def photos_table(traces: Sequence[Trace], layer: str) -> bytes:
    """One row a channel of one layer: channel, the mean of its weight over the photos and the standard
    deviation, and its weight for each photo."""
    spread = spread_of(traces, layer)
    weights = zip(*(weights_of(trace.layers[layer]) for trace in traces))
    columns = zip(spread.mean, spread.deviation, weights)
    rows = ((channel, mean, deviation, *own) for channel, (mean, deviation, own) in enumerate(columns))
    return table(("channel", "mean", "standard deviation", *(trace.photo.name for trace in traces)), rows)


def pair_table(pair: Pair) -> bytes:
    """One row a channel: channel, a, b, difference (b − a)."""
    rows = ((channel, *numbers) for channel, numbers in enumerate(zip(*pair.weights, pair.difference)))
    return table(("channel", "a", "b", "difference"), rows)


def _steps(attention: LayerAttention) -> Iterator[tuple[str, np.ndarray]]:
    """The steps that were kept, and the gates."""
    for step in attention.steps:
        yield step.name, step.values
    for name in ("channel_logits", "spatial_logits", "channel", "spatial", "pooling"):
        values = getattr(attention, name)
        if values is not None:
            yield name, values
