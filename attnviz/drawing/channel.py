"""One channel at a layer's gate: its features before, what they are multiplied by, and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..capture.trace import Trace
from .canvas import Drawing, Mark, Picture, Text
from .heatmap import SIGNED, Box, colour_bar, fitted, painted, short, spread
from .overlay import Look
from .style import ground_and_ink, wrapped

FINE = 400  # points of a picture that is blended between its cells' centres, at least, along each side
WIDE, GAP = 209.0, 16.0  # points, of each of the three


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


def channel_drawing(trace: Trace, channel: Channel, look: Look) -> Drawing:
    """Before, the gate, after, side by side. Before and after are on one scale, around zero if any of them is
    negative; the gate spans all that the factor can be, or is one number."""
    layer = trace.layers[channel.layer]
    factor = layer.factor()[channel.index]  # (h, w)
    known = np.concatenate([values[np.isfinite(values)] for values in (channel.before, channel.after)])
    reach, signed = float(np.abs(known).max(initial=0)) or 1.0, bool((known < 0).any())
    span, colours = (-reach if signed else 0.0, reach), SIGNED if signed else look.colormap
    ground, ink = ground_and_ink(look.dark)
    lines = wrapped(
        trace.network, channel.layer, f"channel {channel.index}", trace.photo.name, width=100
    ).split("\n")
    width, top = 3 * (WIDE + GAP) + GAP, 36.0 + 15 * len(lines)
    bottom = top + float(np.clip(WIDE * factor.shape[0] / factor.shape[1], 43, 2 * WIDE))
    drawing = Drawing(width, bottom + 62, ground)
    drawing.marks += [
        Text((width / 2, 18.0 + 15 * row), line, 11, ink, "middle") for row, line in enumerate(lines)
    ]
    places = [(GAP + turn * (WIDE + GAP), top, (turn + 1) * (WIDE + GAP), bottom) for turn in range(3)]
    for box, name, values in ((places[0], "before", channel.before), (places[2], "after", channel.after)):
        drawing.marks.extend(
            _map(box, name, values, span, colours, look.smooth, ink, "one scale before and after")
        )
    if factor.size > 1 and not (factor == factor.flat[0]).all() and np.isfinite(factor).any():
        drawing.marks.extend(
            _map(
                places[1],
                "the gate",
                factor,
                layer.limits,
                look.colormap,
                look.smooth,
                ink,
                "all that a factor can be",
            )
        )
    else:
        number = f"× {factor.flat[0]:.4g}" if np.isfinite(factor.flat[0]) else "undefined"
        middle = (top + bottom) / 2
        for y, text, size in (
            (middle - 8, number, 16),
            (middle + 14, "the gate, the same at each position", 10),
        ):
            drawing.marks.append(Text((width / 2, y), text, size, ink, "middle", "middle"))
    return drawing


def _map(
    box: Box,
    name: str,
    values: np.ndarray,
    span: tuple[float, float],
    colours: str,
    smooth: bool,
    ink: str,
    what: str,
) -> Iterator[Mark]:
    left, top, right, bottom = box
    known = values[np.isfinite(values)]
    own = f"{short(known.min())} to {short(known.max())}" if known.size else "undefined"
    times = -(-FINE // max(values.shape))  # of each cell, the points across
    fine = (times * values.shape[1], times * values.shape[0]) if smooth else None
    yield Text(((left + right) / 2, top - 7), name, 10, ink, "middle")
    yield Picture(fitted(values.shape, box), painted(values, *span, colours, fine), cells=not smooth)  # type: ignore[arg-type]
    ticks = [(tick, short(tick)) for tick in spread(*span, 5)]
    yield from colour_bar(
        (left + 14, bottom + 6, right - 14, bottom + 14),
        span,
        colours,
        ink,
        ticks,
        [own, f"colours: {what}"],
        8,
    )
