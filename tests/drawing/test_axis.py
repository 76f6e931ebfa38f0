"""Scales are linear, and ticks stand at the numbers that they name."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.drawings import number

from attnviz.drawing.axis import (
    Scale,
    TickStyle,
    decimal_ticks,
    short,
    short_ticks,
    spread,
    ticks_below,
    ticks_left,
)


@pytest.mark.parametrize(("low", "high", "start", "end"), [(0, 1, 240, 24), (-3, 5, 18, 442.8), (1, 2, 0, 7)])
def test_a_scale_is_linear_and_meets_both_ends(low, high, start, end):
    scale, numbers = Scale(low, high, start, end), np.linspace(low, high, 9)
    np.testing.assert_allclose(scale.places(numbers), np.linspace(start, end, 9))
    assert [scale.at(number) for number in numbers.tolist()] == pytest.approx(np.linspace(start, end, 9))


def test_a_flat_range_has_places_and_an_unknown_number_has_none():
    assert Scale(0.5, 0.5, 10, 20).at(0.5) == 10 and Scale(0.5, 0.5, 10, 20).places(np.array([0.5])) == [10]
    places = Scale(0, 1, 0, 8).places(np.array([0.5, np.nan], np.float32))
    assert places[0] == 4 and np.isnan(places[1]) and places.dtype == np.float32


def test_ticks_begin_at_the_axis_and_labels_lie_beyond_them():
    scale, style = Scale(0, 1, 100, 200), TickStyle(length=4, distance=6, size=7, width=2)
    for (line, text), (place, label) in zip(
        ticks_left(scale, [(0.25, "a"), (1.0, "b")], 50, "#123456", style), [(125, "a"), (200, "b")]
    ):
        assert (line.start, line.end, text.at) == ((46, place), (50, place), (44, place))
        assert (text.text, text.size, text.anchor, line.width) == (label, 7, "end", 2)
    ((line, text),) = ticks_below(scale, [(0.5, "c")], 50, "#123456", style)
    assert (line.start, line.end, text.at, text.rise) == ((150, 50), (150, 54), (150, 56), "top")
    assert line.colour == text.colour == "#123456"


def test_labels_say_the_numbers_of_their_ticks():
    for ticks in (decimal_ticks(0, 1), decimal_ticks(0.501, 0.521), short_ticks(-0.25, 4e5, 5)):
        reach = ticks[-1][0] - ticks[0][0]
        for value, label in ticks:
            assert number(label) == pytest.approx(value, abs=0.005 * reach)
    assert [label for _, label in decimal_ticks(0.501, 0.521, 2)] == ["0.5010", "0.5210"]
    assert short(-0.123456) == "−0.1235" and spread(1, 2, 3) == [1, 1.5, 2]
