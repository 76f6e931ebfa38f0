"""One layer's channel weights for two photos, against each other."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..analysis import ranked, weights_of, weights_range
from ..capture.trace import Trace
from .canvas import Dot, Drawing, Line, Text
from .heatmap import spread
from .style import ACCENT, DARK_ACCENT, ORANGE, ground_and_ink, wrapped

NAMED = 10  # channels that differ most
LEFT, BOTTOM, SIDE, TABLE = (
    64.0,
    344.0,
    304.0,
    416.0,
)  # points, of the field of dots, and where the table begins


@dataclass(frozen=True, eq=False)
class Pair:
    """Two traces whose weights of one layer are compared, channel by channel, on the scale "fixed" or over
    their own range."""

    layer: str
    a: Trace
    b: Trace
    scale: str = "fixed"

    @property
    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """(C,) of A and of B."""
        return weights_of(self.a.layers[self.layer]), weights_of(self.b.layers[self.layer])

    @property
    def difference(self) -> np.ndarray:
        """B − A of each channel, (C,)."""
        a, b = self.weights
        return b - a

    @property
    def most_different(self) -> list[int]:
        """The channels that differ most, the most different first; none whose difference can't be known."""
        away = self.difference
        return [int(index) for index in ranked(np.abs(away), "size") if np.isfinite(away[index])][:NAMED]


def pair_drawing(pair: Pair, dark: bool = False) -> Drawing:
    """Each channel as a dot, its weight for A across and for B up; those that differ most are orange, named,
    and in a table beside. On the line both photos give a channel the same weight."""
    (a, b), away, most = pair.weights, pair.difference, pair.most_different
    low, high = weights_range([each.layers[pair.layer] for each in (pair.a, pair.b)], pair.scale)
    ground, ink = ground_and_ink(dark)
    drawing = Drawing(648, 388, ground)
    add = drawing.marks.append
    add(
        Text(
            (324, 18),
            wrapped(pair.a.network, pair.layer, f"{len(a)} channels, two photos", width=90),
            11,
            ink,
            "middle",
        )
    )
    room = 0.02 * (high - low)

    def along(value: float) -> float:
        return (value - low + room) / (high - low + 2 * room) * SIDE

    def at(x: float, y: float) -> tuple[float, float]:
        return LEFT + along(x), BOTTOM - along(y)

    add(Line((LEFT, BOTTOM), (LEFT + SIDE, BOTTOM), ink, 0.8))
    add(Line((LEFT, BOTTOM - SIDE), (LEFT, BOTTOM), ink, 0.8))
    for tick in spread(low, high, 6):
        text = f"{tick:.{2 if high - low >= 0.1 else 4}f}"
        add(Line((LEFT + along(tick), BOTTOM), (LEFT + along(tick), BOTTOM + 3.5), ink, 0.8))
        add(Text((LEFT + along(tick), BOTTOM + 6), text, 9, ink, "middle", "top"))
        add(Line((LEFT - 3.5, BOTTOM - along(tick)), (LEFT, BOTTOM - along(tick)), ink, 0.8))
        add(Text((LEFT - 7, BOTTOM - along(tick)), text, 9, ink, "end", "middle"))
    add(
        Text(
            (LEFT + SIDE / 2, BOTTOM + 22),
            wrapped("photo A", pair.a.photo.name).split("\n")[0],
            10,
            ink,
            "middle",
            "top",
        )
    )
    add(
        Text(
            (18, BOTTOM - SIDE / 2),
            wrapped("photo B", pair.b.photo.name).split("\n")[0],
            10,
            ink,
            "middle",
            "middle",
            turned=True,
        )
    )
    add(Line(at(low, low), at(high, high), ink, 0.6))
    for index in np.setdiff1d(np.arange(len(a)), most):
        if np.isfinite(a[index]) and np.isfinite(b[index]):
            add(Dot(at(float(a[index]), float(b[index])), 4.2, DARK_ACCENT if dark else ACCENT, 0.55))
    for index in most:
        add(Dot(at(float(a[index]), float(b[index])), 6.2, ORANGE))
    for index, place in _names(a, b, most, high - low):
        add(Text(at(*place), str(index), 8, ink, "middle", "middle"))
    add(Text((TABLE, BOTTOM - SIDE), f"The {len(most)} channels that differ most", 10, ink))
    rows = [(str(index), *(f"{values[index]:.3f}" for values in (a, b, away))) for index in most]
    for column, words in enumerate(zip(("channel", "A", "B", "B − A"), *rows)):
        for line, word in enumerate(words):
            add(
                Text(
                    (TABLE + 44 + 52 * column, BOTTOM - SIDE + 22 + 20 * line),
                    word.replace("-", "−"),
                    9,
                    ink,
                    "end",
                )
            )
    return drawing


def pair_csv(pair: Pair) -> bytes:
    """One row a channel: channel, a, b, difference (b − a); empty where one can't be known."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("channel", "a", "b", "difference"))
    for index, values in enumerate(zip(*pair.weights, pair.difference)):
        rows.writerow((index, *(repr(float(value)) if np.isfinite(value) else "" for value in values)))
    return text.getvalue().encode()


def _names(
    a: np.ndarray, b: np.ndarray, most: list[int], span: float
) -> Iterator[tuple[int, tuple[float, float]]]:
    """Where a channel's number stands beside its dot, towards the line, if no other of these dots and no
    number is there; the table names them all."""
    taken = [(float(a[index]), float(b[index])) for index in most]
    for index in most:
        side = 1 if b[index] > a[index] else -1
        x, y = float(a[index]) + side * 0.05 * span, float(b[index])  # the middle of the number
        if all(abs(x - left) > 0.045 * span or abs(y - below) > 0.03 * span for left, below in taken):
            taken.append((x, y))
            yield index, (x, y)
