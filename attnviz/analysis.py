"""Numbers about gates. Nothing here draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .capture import Trace
from .layers import LayerAttention

HIGH, LOW = 0.9, 0.1   # a gate beyond these is called saturated


@dataclass(frozen=True)
class Summary:
    """Of the values of one map or one set of channel weights; shares are of the gate, so BAM's factor counts from 1. What is
    undefined (NaN) is left out and counted; if nothing is defined, the numbers are NaN."""

    mean: float
    std: float
    least: float
    greatest: float
    high_share: float   # share of gates above 0.9
    low_share: float    # share of gates below 0.1
    undefined: int = 0  # how many values can't be known


def summary(values: np.ndarray, kind: str) -> Summary:
    """Mean, standard deviation, range and saturation of the factors of one layer; ``kind`` is the layer's."""
    known = values[np.isfinite(values)]
    undefined = values.size - known.size
    if not known.size:
        nothing = float("nan")
        return Summary(nothing, nothing, nothing, nothing, nothing, nothing, undefined)
    gate = known - 1 if kind == "bam" else known
    return Summary(
        float(known.mean(dtype=np.float64)), float(known.std(dtype=np.float64)), float(known.min()), float(known.max()),
        float((gate > HIGH).mean()), float((gate < LOW).mean()), undefined,
    )


def strongest(channel: np.ndarray, count: int = 5) -> list[tuple[int, float]]:
    """The ``count`` channels with the greatest factors, as (index, factor), the greatest first, ties by index; none undefined."""
    order = np.argsort(-channel, kind="stable")[: min(count, int(np.isfinite(channel).sum()))]
    return [(int(index), float(channel[index])) for index in order]


@dataclass(frozen=True)
class Liveliness:
    """How much one layer's gates say, over many photos; None where the layer has no such gate."""

    layer: str
    kind: str
    mean: float                      # of all factors over photos (channel gates; BAM: of the joint factor)
    across_channels: float | None    # standard deviation over channels, mean over photos
    across_photos: float | None      # standard deviation over photos, mean over channels
    across_positions: float | None   # greatest minus least over positions, mean over photos

    @property
    def alive(self) -> dict[str, bool]:
        """Which of the three pass: 0.05 across channels, 0.02 across photos, 0.1 across positions."""
        limits = {"across_channels": 0.05, "across_photos": 0.02, "across_positions": 0.1}
        measured = {name: getattr(self, name) for name in limits}
        return {name: value >= limits[name] for name, value in measured.items() if value is not None}


def liveliness(traces: Iterable[Trace]) -> list[Liveliness]:
    """One row a layer, in running order, over all traces of one network. An SE or CBAM network's channel gates, a CBAM or BAM
    network's spatial factors; BAM's channel means count as its channel gates."""
    layers: dict[str, list[tuple[np.ndarray | None, float | None]]] = {}
    kinds: dict[str, str] = {}
    for trace in traces:
        for layer in trace.layers.values():
            kinds[layer.name] = layer.kind
            layers.setdefault(layer.name, []).append((layer.channel, _span(layer)))
    return [_row(name, kinds[name], seen) for name, seen in layers.items()]


def _span(layer: LayerAttention) -> float | None:
    return None if layer.spatial is None else float(np.nanmax(layer.spatial) - np.nanmin(layer.spatial))


def _row(name: str, kind: str, seen: list[tuple[np.ndarray | None, float | None]]) -> Liveliness:
    channels = np.array([channel for channel, _ in seen if channel is not None], dtype=np.float64)   # (photos, C)
    spans = [span for _, span in seen if span is not None]
    measured = len(channels) > 0
    return Liveliness(
        name, kind, float(np.nanmean(channels)) if measured else float("nan"),
        float(np.nanstd(channels, 1).mean()) if measured else None,
        float(np.nanmean(np.nanstd(channels, 0))) if measured else None,
        float(np.mean(spans)) if spans else None,
    )
