"""One channel at a layer's gate: its features before, what they are multiplied by, and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image

from .capture import Trace
from .paper import blank, heading
from .render import UNDEFINED, Look

SIGNED = "coolwarm"   # the colours of signed numbers, its grey middle at zero
FINE = 400            # points of a picture that is blended between its cells' centres, at least, along each side


@dataclass(frozen=True, eq=False)
class Channel:
    """One channel's features: float32 (h, w) before and after a layer's gate."""

    layer: str
    index: int
    before: np.ndarray
    after: np.ndarray

    @property
    def name(self) -> str:
        """What its arrays are called, before ``.before`` and ``.after``."""
        return f"{self.layer}.channel-{self.index}"


def channel_figure(trace: Trace, channel: Channel, look: Look) -> Figure:
    """Before, the gate, after, side by side. Before and after are on one scale, around zero if any of them is negative; the gate spans
    all that the factor can be, or is one number."""
    layer = trace.layers[channel.layer]
    factor = layer.factor()[channel.index]   # (h, w)
    known = np.concatenate([values[np.isfinite(values)] for values in (channel.before, channel.after)])
    reach, signed = float(np.abs(known).max(initial=0)) or 1.0, bool((known < 0).any())
    span, colours = (-reach if signed else 0.0, reach), SIGNED if signed else look.colormap
    figure, ink = blank(9.6, 1.5 + float(np.clip(2.9 * factor.shape[0] / factor.shape[1], 0.6, 5.8)), look.dark)
    title = heading(trace.network, channel.layer, f"channel {channel.index}", trace.photo.name, width=100)
    figure.suptitle(title, color=ink, fontsize=11)
    before, gate, after = figure.subplots(1, 3)
    for axes, name, values in ((before, "before", channel.before), (after, "after", channel.after)):
        _draw(axes, name, values, span, colours, look.smooth, ink, "one scale before and after")
    if factor.size > 1 and not (factor == factor.flat[0]).all() and np.isfinite(factor).any():
        _draw(gate, "the gate", factor, layer.limits, look.colormap, look.smooth, ink, "all that a factor can be")
    else:
        number = f"× {factor.flat[0]:.4g}" if np.isfinite(factor.flat[0]) else "undefined"
        for height, text, size in ((0.6, number, 16), (0.4, "the gate, the same at each position", 10)):
            gate.text(0.5, height, text, transform=gate.transAxes, ha="center", va="center", color=ink, fontsize=size)
        gate.set_axis_off()
    return figure


def _draw(axes: Axes, name: str, values: np.ndarray, span: tuple[float, float], colours: str, smooth: bool, ink: str, what: str) -> None:
    known = values[np.isfinite(values)]
    own = f"{known.min():.4g} to {known.max():.4g}".replace("-", "−") if known.size else "undefined"
    palette = colormaps[colours].with_extremes(bad=str(UNDEFINED / 255))
    drawn = axes.imshow(_fine(values) if smooth else values, cmap=palette, norm=Normalize(*span), interpolation="none")
    axes.set_title(name, color=ink, fontsize=10)
    axes.set_axis_off()
    bar = axes.figure.colorbar(drawn, ax=axes, location="bottom", fraction=0.05, pad=0.03)
    ticks = np.linspace(*span, 5).tolist()
    bar.set_ticks(ticks, labels=[f"{tick:.4g}".replace("-", "−") for tick in ticks])
    bar.set_label(f"{own}\ncolours: {what}", color=ink, fontsize=8)
    bar.ax.tick_params(colors=ink, labelsize=8)
    bar.outline.set_edgecolor(ink)   # type: ignore[operator]


def _fine(values: np.ndarray) -> np.ndarray:
    """A map blended between its cells' centres, each cell in equally many points."""
    times = -(-FINE // max(values.shape))
    height, width = (times * count for count in values.shape)
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR))
