"""How much the gates of a network say, over many photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace


@dataclass(frozen=True)
class Liveliness:
    """How much one layer's gates say, over many photos; None where the layer has no such gate."""

    layer: str
    kind: str
    mean: float  # of all factors over photos (channel gates; BAM: of the joint factor)
    across_channels: float | None  # standard deviation over channels, mean over photos
    across_photos: float | None  # standard deviation over photos, mean over channels
    across_positions: float | None  # greatest minus least over positions, mean over photos

    @property
    def alive(self) -> dict[str, bool]:
        """Which of the three pass: 0.05 across channels, 0.02 across photos, 0.1 across positions."""
        limits = {"across_channels": 0.05, "across_photos": 0.02, "across_positions": 0.1}
        measured = {name: getattr(self, name) for name in limits}
        return {name: value >= limits[name] for name, value in measured.items() if value is not None}


def liveliness(traces: Iterable[Trace]) -> list[Liveliness]:
    """One row a layer, in running order, over all traces of one network. An SE or CBAM network's channel
    gates, a CBAM or BAM network's spatial factors; BAM's channel means count as its channel gates."""
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
    channels = np.array(
        [channel for channel, _ in seen if channel is not None], dtype=np.float64
    )  # (photos, C)
    spans = [span for _, span in seen if span is not None]
    measured = len(channels) > 0
    return Liveliness(
        name,
        kind,
        float(np.nanmean(channels)) if measured else float("nan"),
        float(np.nanstd(channels, 1).mean()) if measured else None,
        float(np.nanmean(np.nanstd(channels, 0))) if measured else None,
        float(np.mean(spans)) if spans else None,
    )
