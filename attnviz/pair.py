"""One layer's channel weights for two photos, against each other."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .analysis import ranked, weights_of, weights_range
from .capture import Trace
from .paper import ACCENT, DARK_ACCENT, blank, heading, inked

NAMED = 10               # channels that differ most
NAMED_DOT = "#e69f00"


@dataclass(frozen=True, eq=False)
class Pair:
    """Two traces whose weights of one layer are compared, channel by channel, on the scale "fixed" or over their own range."""

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


def pair_figure(pair: Pair, dark: bool = False) -> Figure:
    """Each channel as a dot, its weight for A across and for B up; those that differ most are orange, named, and in a table beside. On the
    line both photos give a channel the same weight."""
    (a, b), away, most = pair.weights, pair.difference, pair.most_different
    low, high = weights_range([each.layers[pair.layer] for each in (pair.a, pair.b)], pair.scale)
    figure, ink = blank(9.0, 5.4, dark)
    figure.suptitle(heading(pair.a.network, pair.layer, f"{len(a)} channels, two photos", width=90), color=ink, fontsize=11)
    axes, beside = figure.subplots(1, 2, width_ratios=(5, 3))
    axes.plot([low, high], [low, high], color=ink, linewidth=0.8, linestyle=(0, (4, 3)))
    others = np.setdiff1d(np.arange(len(a)), most)
    axes.scatter(a[others], b[others], s=14, color=DARK_ACCENT if dark else ACCENT, alpha=0.55, linewidths=0)
    axes.scatter(a[most], b[most], s=30, color=NAMED_DOT, linewidths=0, zorder=3)
    _name_dots(axes, a, b, most, high - low, ink)
    room = 0.02 * (high - low)
    axes.set(xlim=(low - room, high + room), ylim=(low - room, high + room), aspect="equal")
    axes.set_xlabel(heading("photo A", pair.a.photo.name), color=ink)
    axes.set_ylabel(heading("photo B", pair.b.photo.name), color=ink)
    inked(axes, ink, 9)
    beside.set_axis_off()
    beside.set_title(f"The {len(most)} channels that differ most", color=ink, fontsize=10, loc="left")
    rows = [(str(index), *(f"{values[index]:.3f}" for values in (a, b, away))) for index in most]
    for column, words in enumerate(zip(("channel", "A", "B", "B − A"), *rows)):
        for line, word in enumerate(words):
            beside.text(0.22 + 0.25 * column, 0.97 - 0.07 * line, word.replace("-", "−"), transform=beside.transAxes, color=ink,
                        fontsize=9, ha="right", va="top")
    return figure


def pair_csv(pair: Pair) -> bytes:
    """One row a channel: channel, a, b, difference (b − a); empty where one can't be known."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("channel", "a", "b", "difference"))
    for index, values in enumerate(zip(*pair.weights, pair.difference)):
        rows.writerow((index, *(repr(float(value)) if np.isfinite(value) else "" for value in values)))
    return text.getvalue().encode()


def _name_dots(axes: Axes, a: np.ndarray, b: np.ndarray, most: list[int], span: float, ink: str) -> None:
    """The channel beside its dot, towards the line, where no other of these dots and no name stands; the table names them all."""
    taken = [(float(a[index]), float(b[index])) for index in most]
    for index in most:
        side = 1 if b[index] > a[index] else -1
        x, y = float(a[index]) + side * 0.05 * span, float(b[index])   # the middle of the name
        if all(abs(x - left) > 0.045 * span or abs(y - below) > 0.03 * span for left, below in taken):
            taken.append((x, y))
            axes.annotate(str(index), (x, y), fontsize=8, color=ink, ha="center", va="center")
