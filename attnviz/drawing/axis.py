"""Linear scales, and the axes that show them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .marks import Line, Text
from .style import AXIS_LINE, LABEL

Tick = tuple[float, str]  # a number and how it is written


@dataclass(frozen=True)
class Scale:
    """A linear scale: numbers from ``low`` to ``high`` lie between two places, ``start`` and ``end``, in
    points. Where the range is flat, it counts as 1."""

    low: float
    high: float
    start: float
    end: float

    # A label goes to the next whole pixel, and many lie just between two of them, where the last bit of a
    # number decides. So the two ways to compute a place differ in order, and neither is to be changed.

    def at(self, number: float) -> float:
        """The place of one number."""
        return self.start + (self.end - self.start) * (number - self.low) / ((self.high - self.low) or 1)

    def places(self, numbers: np.ndarray) -> np.ndarray:
        """The places of many numbers, with the precision that these have; NaN stays NaN."""
        return self.start + (numbers - self.low) / ((self.high - self.low) or 1) * (self.end - self.start)


@dataclass(frozen=True)
class TickStyle:
    """How ticks are drawn, in points."""

    length: float = 3.0  # of the line
    distance: float = 5.0  # from the axis to the label
    size: float = LABEL  # of the label
    width: float = AXIS_LINE  # of the line


def ticks_left(
    scale: Scale, ticks: Sequence[Tick], x: float, ink: str, style: TickStyle = TickStyle()
) -> Iterator[tuple[Line, Text]]:
    """The ticks of an upright axis at ``x``, with labels left of it."""
    for number, label in ticks:
        y = scale.at(number)
        line = Line((x - style.length, y), (x, y), ink, style.width)
        yield line, Text((x - style.distance, y), label, style.size, ink, "end", "middle")


def ticks_below(
    scale: Scale, ticks: Sequence[Tick], y: float, ink: str, style: TickStyle = TickStyle()
) -> Iterator[tuple[Line, Text]]:
    """The ticks of a level axis at ``y``, with labels below it."""
    for number, label in ticks:
        x = scale.at(number)
        line = Line((x, y), (x, y + style.length), ink, style.width)
        yield line, Text((x, y + style.distance), label, style.size, ink, "middle", "top")


def short(number: float) -> str:
    """A number with four digits, and with a minus as people write it."""
    return f"{number:.4g}".replace("-", "−")


def decimal(number: float, low: float, high: float) -> str:
    """A number of a range with two decimals, or with four if the range is narrow."""
    return f"{number:.{2 if high - low >= 0.1 else 4}f}"


def nice_ticks(low: float, high: float, most: int = 6) -> list[Tick]:
    """Ticks at round numbers from ``low`` to ``high``, 1, 2 or 5 times a power of ten apart: as many as there
    can be, but at most so many. Of a flat range its number alone."""
    if not high > low:
        return [(low, short(low))]
    power, digit = _round_step(low, high, most)
    step, decimals = digit * 10.0**power, max(0, -power)
    first, last = _multiples(low, high, step)
    numbers = [round(index * step, decimals) for index in range(first, last + 1)]
    return [(number, f"{number + 0.0:.{decimals}f}".replace("-", "−")) for number in numbers]


def _round_step(low: float, high: float, most: int) -> tuple[int, int]:
    """The power of ten and the digit of the smallest round step with at most so many multiples in a range; a
    smaller one where there would be only one."""
    lowest = math.floor(math.log10(high - low)) - 2
    steps = [(power, digit) for power in range(lowest, lowest + 5) for digit in (1, 2, 5)]
    counts = [_count(low, high, digit * 10.0**power) for power, digit in steps]
    place = next(index for index, count in enumerate(counts) if count <= most)
    while counts[place] < 2:
        place -= 1
    return steps[place]


def _count(low: float, high: float, step: float) -> int:
    first, last = _multiples(low, high, step)
    return last - first + 1


def _multiples(low: float, high: float, step: float) -> tuple[int, int]:
    """Which multiple of a step is the first in a range, and which the last; an end counts though rounding
    put it just outside."""
    return math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
