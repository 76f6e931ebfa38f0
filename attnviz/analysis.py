"""Numbers about gates. Nothing here draws."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .capture.layer_attention import LayerAttention
from .capture.trace import Trace

HIGH, LOW = 0.9, 0.1  # a gate beyond these is called saturated
ORDERS = {  # of channels -> in words
    "index": "index",
    "size": "size, the greatest first",
    "surprise": "distance from the mean, the greatest first",
}
SCALES = {  # what the colours of a map span -> in words
    "fixed": "all that a factor can be",
    "map": "this map's own range",
    "stage": "the range of its stage",
    "network": "the range of its network",
    "shown": "the range of all that is compared",
}


@dataclass(frozen=True)
class GateSummary:
    """Of the values of one map or one set of channel weights; shares are of the gate, so BAM's factor counts
    from 1. What is undefined (NaN) is left out and counted; if nothing is defined, the numbers are NaN."""

    mean: float
    std: float
    least: float
    greatest: float
    high_share: float  # share of gates above 0.9
    low_share: float  # share of gates below 0.1
    undefined: int = 0  # how many values can't be known


def summary(values: np.ndarray, kind: str) -> GateSummary:
    """Mean, standard deviation, range and saturation of the factors of one layer; ``kind`` is the layer's."""
    known = values[np.isfinite(values)]
    undefined = values.size - known.size
    if not known.size:
        nothing = float("nan")
        return GateSummary(nothing, nothing, nothing, nothing, nothing, nothing, undefined)
    gate = known - 1 if kind == "bam" else known
    return GateSummary(
        float(known.mean(dtype=np.float64)),
        float(known.std(dtype=np.float64)),
        float(known.min()),
        float(known.max()),
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
        known = values[np.isfinite(values)]
        return np.argsort(
            -np.abs(values - (known.mean(dtype=np.float64) if known.size else 0)), kind="stable"
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
    known = np.concatenate([values[np.isfinite(values)] for values in maps] or [np.empty(0)])
    return (
        (float(known.min()), float(known.max()))
        if known.size and known.max() > known.min()
        else own.map_limits
    )


def weights_of(layer: LayerAttention) -> np.ndarray:
    """What stands in the channel weights' place, (C,): the factor on each channel, or the first path's share
    of it."""
    return np.asarray(layer.channel) if layer.channel is not None else np.asarray(layer.paths)[0]


def weights_range(layers: Sequence[LayerAttention], scale: str) -> tuple[float, float]:
    """The numbers that the channel weights of layers, drawn together, span: on the scale "fixed" what the
    factor can be, 0 to 1 for shares of paths; on any other the least and the greatest that they are. A flat
    range gives way to the fixed one."""
    weights = np.concatenate([weights_of(layer) for layer in layers])
    known = weights[np.isfinite(weights)]
    if scale != "fixed" and known.size and known.max() > known.min():
        return float(known.min()), float(known.max())
    limits = [layer.limits if layer.channel is not None else (0.0, 1.0) for layer in layers]
    return min(low for low, _ in limits), max(high for _, high in limits)


def stage_of(layer: str) -> str:
    """Where a layer stands, if its name tells: "stage 3" for ``layer3.1`` or ``features.stage3.unit2.se``,
    "after stage 3" for ``bam3``; else nothing."""
    found = re.search(r"(?:^|\.)(bam|layer|stages?\.?|blocks?\.?)(\d+)", layer)
    if found is None:
        return ""
    return f"after stage {found[2]}" if found[1] == "bam" else f"stage {found[2]}"


def _stage(layer: str) -> str:
    return stage_of(layer).removeprefix("after ")
