"""How graded the gates of a network are, whether they differ from photo to photo, and whether maps show the
photo: measured layer by layer, photo by photo, in memory that hardly grows with the photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

from ..capture.layer_attention import LayerAttention
from ..capture.trace import Trace
from .following import Following, following
from .moments import Moments

END = 0.05  # a gate this near to 0 or 1 is saturated: a switch, not a weight
HIDDEN = ("hidden", "average_hidden", "maximum_hidden")  # steps: the units of a gate's hidden layer


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    part: int = 0
    whole: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(self.part + other.part, self.whole + other.whole)

    @property
    def value(self) -> float:
        """From 0 to 1; NaN of nothing."""
        return self.part / self.whole if self.whole else float("nan")


@dataclass(frozen=True)
class LayerGates:
    """One layer's gates over N photos, g_nc in [0, 1] of photo n and channel c, and its maps m_ni of cell i.
    None, and shares of nothing, where the layer has no such gate.

    Of a gate that can't be taken apart (BAM: its joint gate, the factor − 1) g_nc is the mean over positions
    and m_ni the mean over channels; what is saturated is counted on the joint gate itself."""

    layer: str
    mean: float | None = None  # of all g_nc
    saturated: Share = field(default_factory=Share)  # g_nc < 0.05 or > 0.95
    across_channels: float | None = None  # standard deviation over c, mean over n
    across_photos: float | None = None  # standard deviation over n, mean over c
    all_off: Share = field(default_factory=Share)  # photos on which no hidden unit is on, in no pass
    map_range: float | None = None  # greatest m_ni − least over i, mean over n
    map_saturated: Share = field(default_factory=Share)  # m_ni < 0.05 or > 0.95
    map_explained: float | None = None  # of the variance of m_ni, by the mean map: ``Moments.explained``
    map_following: Following | None = None  # of the photo's class activation map


@dataclass(frozen=True, eq=False)
class _Gates:
    """One layer's gates for one photo, each in [0, 1]; ``joint`` is what ``channel`` and ``map`` are means
    of."""

    channel: np.ndarray | None  # (C,)
    map: np.ndarray | None  # (h, w)
    joint: np.ndarray | None = None  # (C, h, w)


def _gates_of(layer: LayerAttention) -> _Gates:
    if layer.formula == "none":
        return _Gates(None, None)
    if not layer.averaged:
        return _Gates(layer.channel, layer.map)
    joint = layer.factor() - (1 if layer.formula.startswith("bam") else 0)
    plane = joint.mean(0, dtype=np.float64)
    return _Gates(
        joint.reshape(len(joint), -1).mean(1, dtype=np.float64), plane if plane.ndim == 2 else None, joint
    )


class GateMeter:
    """Takes traces of one network in, and tells of each layer how its gates are."""

    def __init__(self) -> None:
        self._layers: dict[str, _LayerMeter] = {}

    def add(self, trace: Trace, activation: np.ndarray | None = None) -> None:
        """Take in one photo, with its class activation map (h, w); the trace has its steps."""
        for layer in trace.layers.values():
            self._layers.setdefault(layer.name, _LayerMeter(layer.name)).add(layer, activation)

    def measured(self) -> list[LayerGates]:
        """One of each layer, in running order."""
        return [layer.measured() for layer in self._layers.values()]


@dataclass(eq=False)
class _LayerMeter:
    """One layer's gates, photo by photo."""

    name: str
    channels: Moments = field(default_factory=Moments)  # of each channel's gate over photos
    deviations: Moments = field(default_factory=Moments)  # of a photo's standard deviation over channels
    ranges: Moments = field(default_factory=Moments)  # of a photo's map
    cells: Moments | None = field(default_factory=Moments)  # of each cell; None: maps of several sizes
    saturated: Share = field(default_factory=Share)
    map_saturated: Share = field(default_factory=Share)
    all_off: Share = field(default_factory=Share)
    # Maps on the grid of the class activation map, which is small: 7 × 7 for a photo of 224 pixels.
    maps: list[np.ndarray] = field(default_factory=list)
    activations: list[np.ndarray] = field(default_factory=list)

    def add(self, layer: LayerAttention, activation: np.ndarray | None) -> None:
        gates = _gates_of(layer)
        if gates.channel is not None:
            self.channels.add(gates.channel)
            self.deviations.add(np.nanstd(gates.channel, keepdims=True, dtype=np.float64))
            self.saturated += _saturated(gates.channel if gates.joint is None else gates.joint)
        if gates.map is not None:
            self._add_map(gates.map, activation)
            self.map_saturated += _saturated(gates.map if gates.joint is None else gates.joint)
        hidden = [step.values for step in layer.steps if step.name in HIDDEN]
        if hidden:
            self.all_off += Share(int(not any(values.any() for values in hidden)), 1)

    def _add_map(self, plane: np.ndarray, activation: np.ndarray | None) -> None:
        known = _known(plane)
        self.ranges.add(np.array([np.ptp(known) if known.size else np.nan], float))
        if self.cells is not None and self.cells.counts.size and self.cells.counts.shape != plane.shape:
            self.cells = None
        if self.cells is not None:
            self.cells.add(plane)
        if activation is not None:
            whole = torch.from_numpy(np.nan_to_num(plane).astype(np.float64))[None]
            self.maps.append(adaptive_avg_pool2d(whole, activation.shape)[0].numpy().ravel())
            self.activations.append(activation.ravel())

    def measured(self) -> LayerGates:
        return LayerGates(
            self.name,
            mean=_mean_of(self.channels),
            saturated=self.saturated,
            across_channels=_mean_of(self.deviations),
            across_photos=_mean(np.sqrt(self.channels.variances)),
            all_off=self.all_off,
            map_range=_mean_of(self.ranges),
            map_saturated=self.map_saturated,
            map_explained=None if self.cells is None else self.cells.explained,
            map_following=self._following(),
        )

    def _following(self) -> Following | None:
        sizes = {len(values) for values in self.activations}
        return following(np.array(self.maps), np.array(self.activations)) if len(sizes) == 1 else None


def saturated_in(layers: Sequence[LayerGates]) -> tuple[Share, Share]:
    """The saturated channel gates, and cells of maps, of a whole network: each number counts the same."""
    return (
        sum((layer.saturated for layer in layers), Share()),
        sum((layer.map_saturated for layer in layers), Share()),
    )


def _saturated(gates: np.ndarray) -> Share:
    known = _known(gates)
    return Share(int(((known < END) | (known > 1 - END)).sum()), known.size)


def _known(values: np.ndarray) -> np.ndarray:
    """The numbers that are not NaN, which is a factor that can't be known."""
    return values[~np.isnan(values)]


def _mean_of(moments: Moments) -> float | None:
    """The mean of the means of all numbers that were ever known."""
    return _mean(moments.means[moments.counts > 0])


def _mean(values: np.ndarray) -> float | None:
    known = _known(values)
    return float(known.mean()) if known.size else None
