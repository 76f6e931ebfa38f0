"""How much the gates of a network vary: over channels, photos and positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace

LIMITS = {
    "across_channels": 0.05,
    "across_photos": 0.02,
    "across_positions": 0.1,
}  # at least; alive from there


@dataclass(frozen=True)
class Liveliness:
    """How much one layer's gates vary over many photos; None where the layer has no such gate."""

    layer: str
    kind: str
    mean: float  # of all factors over photos (channel gates; BAM: of the joint factor)
    across_channels: float | None  # standard deviation over channels, mean over photos
    across_photos: float | None  # standard deviation over photos, mean over channels
    across_positions: float | None  # greatest minus least over positions, mean over photos

    @property
    def alive(self) -> dict[str, bool]:
        """Which measures reach their limit: 0.05 across channels, 0.02 across photos, 0.1 across
        positions."""
        measured = {name: getattr(self, name) for name in LIMITS}
        return {name: value >= LIMITS[name] for name, value in measured.items() if value is not None}


def liveliness(traces: Iterable[Trace]) -> list[Liveliness]:
    """One row a layer, in running order, over all traces of one network.

    An SE or CBAM network's channel gates, a CBAM or BAM network's spatial factors; BAM's channel means count
    as its channel gates."""
    gates: dict[str, _Gates] = {}
    for trace in traces:
        for layer in trace.layers.values():
            gates.setdefault(layer.name, _Gates(layer.name, layer.kind)).add(layer)
    return [layer.measured() for layer in gates.values()]


@dataclass(eq=False)
class _Gates:
    """One layer's gates, photo by photo."""

    layer: str
    kind: str
    channels: list[np.ndarray] = field(default_factory=list)  # (C,) a photo
    spans: list[float] = field(default_factory=list)  # greatest minus least spatial factor, a photo

    def add(self, layer: LayerAttention) -> None:
        if layer.channel is not None:
            self.channels.append(layer.channel)
        if layer.spatial is not None:
            self.spans.append(float(np.nanmax(layer.spatial) - np.nanmin(layer.spatial)))

    def measured(self) -> Liveliness:
        across_positions = float(np.mean(self.spans)) if self.spans else None
        if not self.channels:
            return Liveliness(self.layer, self.kind, float("nan"), None, None, across_positions)
        channels = np.array(self.channels, dtype=np.float64)  # (photos, C)
        return Liveliness(
            self.layer,
            self.kind,
            float(np.nanmean(channels)),
            float(np.nanstd(channels, 1).mean()),
            float(np.nanmean(np.nanstd(channels, 0))),
            across_positions,
        )
