"""The channel weights of one layer as bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..analysis import ORDERS, ranked, weights_of, weights_range
from ..capture.layer_attention import LayerAttention
from .canvas import Bars, Drawing, Line, Text
from .style import ACCENT, DARK_ACCENT, ground_and_ink

NAMED_BARS = 5
PATHS = ("#4458c8", "#e69f00", "#009e73", "#cc79a7")  # told apart by the colour-blind too
WIDTH, HEIGHT = 460.8, 288.0
LEFT, RIGHT, TOP, BOTTOM = (
    52.0,
    424.0,
    24.0,
    240.0,
)  # of the bars' field; room for the names of the strongest is in it
ROOM = 1.12  # times the range, so that the names stand above the bars
GAP = 0.065  # of the field's width, the least between two names


def bars_drawing(
    attention: LayerAttention, order: str = "index", dark: bool = False, title: str = "", scale: str = "fixed"
) -> Drawing:
    """The channel weights of one layer as bars, in one of ORDERS, the strongest ones named, or the most
    surprising ones.

    On the scale "fixed" bars stand on the least that the factor can be: 0 for SE and CBAM, 1 for BAM; on any
    other on their mean, and their own range is spanned. Raises ValueError for a layer without them."""
    if attention.channel is None and attention.paths is None:
        raise ValueError(f"{attention.name} has no channel weights")
    values = weights_of(attention)
    shown = ranked(values, order)
    least, most = weights_range([attention], scale)
    own = (least, most) != weights_range([attention], "fixed")
    mean, digits = float(np.nanmean(values)), 2 if most - least >= 0.1 else 4
    lines = title.split("\n") if title else []
    down = 14.0 * max(0, len(lines) - 1)  # a title of several lines takes room of its own
    ground, ink = ground_and_ink(dark)
    drawing = Drawing(WIDTH, HEIGHT + down, ground)

    def height(value: np.ndarray | float) -> np.ndarray:
        return BOTTOM + down - (np.asarray(value, float) - least) / (ROOM * (most - least)) * (BOTTOM - TOP)

    add = drawing.marks.append
    for feet, heads, colour in bars_of(attention, values, shown, mean if own else least, dark, own):
        add(Bars(LEFT, RIGHT, height(feet), height(heads), colour))
    for row, line in enumerate(lines):
        add(Text((LEFT, 15 + 14 * row), line, 10, ink))
    for value in np.linspace(least, most, 6).tolist():
        y = float(height(value))
        add(Line((LEFT - 3.5, y), (LEFT, y), ink, 0.8))
        add(Text((LEFT - 7, y), f"{value:.{digits}f}", 9, ink, "end", "middle"))
    add(Line((LEFT, float(height(least))), (LEFT, float(TOP + down)), ink, 0.8))
    add(Line((LEFT, float(height(least))), (RIGHT, float(height(least))), ink, 0.8))
    add(Line((LEFT, float(height(mean))), (RIGHT, float(height(mean))), ink, 0.8, (3.2, 2.4)))
    add(Text((RIGHT + 3, float(height(mean)) - 1.5), "mean", 8, ink))
    add(Text((RIGHT + 3, float(height(mean)) + 8), f"{mean:.{digits}f}", 8, ink))
    what = "share of the first path" if own and attention.channel is None else what_of(attention)
    add(Text((14, (TOP + BOTTOM) / 2 + down), what, 10, ink, "middle", "middle", turned=True))
    note = "bars from their mean, over their own range" if own else ""
    for row, line in enumerate((f"{len(values)} channels by {ORDERS[order]}", note)):
        add(Text(((LEFT + RIGHT) / 2, BOTTOM + down + 27 + 12 * row), line, 10, ink, "middle"))
    for place in range(0, len(values), _step(len(values))):
        x = _middle(place, len(values))
        add(Line((x, BOTTOM + down), (x, BOTTOM + down + 3), ink, 0.8))
        add(Text((x, BOTTOM + down + 5), str(place), 8, ink, "middle", "top"))
    if attention.channel is None and not own:
        for index in range(len(np.asarray(attention.paths))):
            add(
                Text(
                    (RIGHT + 3, TOP + down + 8 + 11 * index),
                    f"path {index + 1}",
                    8,
                    PATHS[index % len(PATHS)],
                )
            )
    named = ranked(values, "surprise" if order == "surprise" else "size")[
        : min(NAMED_BARS, int(np.isfinite(values).sum()))
    ]
    drawing.marks.extend(_names(values, shown, named, height, TOP + down, ink))
    return drawing


def what_of(attention: LayerAttention) -> str:
    """What the bars of a layer are."""
    if attention.channel is None:
        return f"share of each of {len(np.asarray(attention.paths))} paths"
    return "factor, mean over positions" if attention.averaged else "factor"


def bars_of(
    attention: LayerAttention,
    values: np.ndarray,
    shown: np.ndarray,
    base: float,
    dark: bool,
    first: bool = False,
) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
    """Feet, heads and colour of bars in the order in which they are ``shown``: the factors from ``base``; of
    paths, their shares one upon the other, or only the ``first`` one's from ``base``."""
    if attention.channel is not None or first:
        yield np.full(len(values), base), values[shown], DARK_ACCENT if dark else ACCENT
        return
    feet = np.zeros(len(values))
    for index, path in enumerate(np.asarray(attention.paths)[:, shown]):
        yield feet, feet + path, PATHS[index % len(PATHS)]
        feet = feet + path


def _names(
    values: np.ndarray, shown: np.ndarray, named: np.ndarray, height: Callable, top: float, ink: str
) -> Iterator[Line | Text]:
    """The numbers of channels above their bars, pushed apart from left to right, so that no two lie on each
    other."""
    places = {int(channel): place for place, channel in enumerate(shown)}
    spots = sorted((_middle(places[int(channel)], len(values)), int(channel)) for channel in named)
    gap, at = GAP * (RIGHT - LEFT), LEFT - 4.0
    for x, channel in spots:
        at = max(x, at + gap)
        label = min(at, RIGHT - 4.0)
        yield Text((label, top), str(channel), 8, ink, "middle", "top")
        yield Line((label, top + 9.5), (x, float(height(values[channel])) - 1), ink, 0.5)


def _middle(place: int, count: int) -> float:
    return LEFT + (place + 0.5) * (RIGHT - LEFT) / count


def _step(count: int) -> int:
    """Between the numbers below the bars: round, and at most nine of them."""
    return next(
        step for power in range(9) for step in (10**power, 2 * 10**power, 5 * 10**power) if count <= 9 * step
    )
