"""Numbers about gates. Nothing here draws."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .choices import ORDERS, SCALES

if TYPE_CHECKING:
    from .capture.layer_attention import LayerAttention
    from .capture.trace import Trace

HIGH, LOW = 0.9, 0.1  # a gate beyond these is called saturated


@dataclass(frozen=True)
class GateSummary:
    """Statistics of one map, or of one set of channel weights. Shares are of the gate, so BAM's factor counts
    from 1. Undefined values (NaN) are left out and counted; if there are no others, the numbers are NaN."""

    mean: float
    std: float
    least: float
    greatest: float
    high_share: float  # share of gates above 0.9
    low_share: float  # share of gates below 0.1
    undefined: int = 0  # how many values can't be known


def summary(values: np.ndarray, kind: str) -> GateSummary:
    """Mean, standard deviation, range and saturation of the factors of one layer; ``kind`` is the layer's."""
    finite = values[np.isfinite(values)]
    undefined = values.size - finite.size
    if not finite.size:
        nothing = float("nan")
        return GateSummary(nothing, nothing, nothing, nothing, nothing, nothing, undefined)
    gate = finite - 1 if kind == "bam" else finite
    return GateSummary(
        float(finite.mean(dtype=np.float64)),
        float(finite.std(dtype=np.float64)),
        float(finite.min()),
        float(finite.max()),
        float((gate > HIGH).mean()),
        float((gate < LOW).mean()),
        undefined,
    )


def ranked(values: np.ndarray, order: str) -> np.ndarray:
    """The indices of channel weights (C,) in one of ORDERS, ties by index, what is undefined last. Raises
    ValueError for another order."""
    if order == "index":
        return np.arange(len(values))
    if order == "size":
        return np.argsort(-values, kind="stable")
    if order == "surprise":
        finite = values[np.isfinite(values)]
        return np.argsort(
            -np.abs(values - (finite.mean(dtype=np.float64) if finite.size else 0)), kind="stable"
        )
    raise ValueError(f"order is {order!r}; it can be {' or '.join(map(repr, ORDERS))}")


def map_range(trace: Trace, layer: str, scale: str, shown: Sequence[Trace] = ()) -> tuple[float, float]:
    """The numbers that the first and the last colour of a layer's map stand for: what the factor can be
    ("fixed"), or the least and the greatest that it is in this map, in all maps of its stage, of its network,
    or of that and of the traces ``shown`` beside it.

    A flat range gives way to the fixed one. Factors are never mixed with shares of a context. Raises
    ValueError for another scale."""
    own = trace.layers[layer]
    everything = [
        other
        for each in (trace, *(other for other in shown if other is not trace))
        for other in each.layers.values()
    ]
    spanned = {
        "fixed": [],
        "map": [own],
        "stage": [
            own,
            *(other for other in trace.layers.values() if _stage(other.name) == _stage(layer) != ""),
        ],
        "network": list(trace.layers.values()),
        "shown": everything,
    }
    if scale not in spanned:
        raise ValueError(f"scale is {scale!r}; it can be {' or '.join(map(repr, SCALES))}")
    maps = [
        np.asarray(other.map)
        for other in spanned[scale]
        if other.map is not None and (other.spatial is None) == (own.spatial is None)
    ]
    finite = np.concatenate([values[np.isfinite(values)] for values in maps] or [np.empty(0)])
    return (
        (float(finite.min()), float(finite.max()))
        if finite.size and finite.max() > finite.min()
        else own.map_limits
    )


def brightness_range(span: tuple[float, float], scale: str) -> tuple[float, float]:
    """The numbers that black and full brightness stand for where a photo is dimmed by a map whose ``span``
    ``map_range`` gives: on the scale "fixed" from 0, so that what is seen is the photo times the factor, as a
    share of the greatest that it can be; on any other the span itself."""
    low, high = span
    return (min(0.0, low), high) if scale == "fixed" else span


def telling_layers(trace: Trace) -> tuple[str, ...]:
    """The layers that tell most of a photo, in running order: the one whose map varies most from position to
    position, and the one whose weights vary most from channel to channel (by standard deviation, of factors);
    the same one may be both. A layer without either, which can only be listed, is never one of them."""
    maps = {name: _deviation(layer.map) for name, layer in trace.layers.items() if layer.map is not None}
    weights = {
        name: _deviation(weights_of(layer))
        for name, layer in trace.layers.items()
        if layer.channel is not None or layer.paths is not None
    }
    most = {max(numbers, key=numbers.__getitem__) for numbers in (maps, weights) if numbers}
    return tuple(name for name in trace.layers if name in most)


def _deviation(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.std(dtype=np.float64)) if finite.size else -1.0


def weights_of(layer: LayerAttention) -> np.ndarray:
    """The channel weights of a layer, (C,): the factor on each channel; of a layer with paths, the first
    path's share of each channel."""
    return np.asarray(layer.channel) if layer.channel is not None else np.asarray(layer.paths)[0]


def weights_range(layers: Sequence[LayerAttention], scale: str) -> tuple[float, float]:
    """The numbers that the channel weights of layers, drawn together, span: on the scale "fixed" what the
    factor can be, 0 to 1 for shares of paths; on any other the least and the greatest that they are. A flat
    range gives way to the fixed one."""
    weights = np.concatenate([weights_of(layer) for layer in layers])
    finite = weights[np.isfinite(weights)]
    if scale != "fixed" and finite.size and finite.max() > finite.min():
        return float(finite.min()), float(finite.max())
    limits = [layer.limits if layer.channel is not None else (0.0, 1.0) for layer in layers]
    return min(low for low, _ in limits), max(high for _, high in limits)


def stage_of(layer: str) -> str:
    """The stage that a layer stands in, as its name tells: "stage 3" for ``layer3.1`` or
    ``features.stage3.unit2.se``, "after stage 3" for ``bam3``; "" for a name that does not tell."""
    match = re.search(r"(?:^|\.)(bam|layer|stages?\.?|blocks?\.?)(\d+)", layer)
    if match is None:
        return ""
    return f"after stage {match[2]}" if match[1] == "bam" else f"stage {match[2]}"


def _stage(layer: str) -> str:
    """The same for a layer in a stage and one after it."""
    return stage_of(layer).removeprefix("after ")
