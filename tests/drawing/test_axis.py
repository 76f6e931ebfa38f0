"""Scales are linear, and ticks stand at the numbers that they name."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.drawings import number

from attnviz.drawing.axis import (
    Scale,
    TickStyle,
    nice_ticks,
    short,
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


RANGES = [
    (0, 1),
    (1, 2),
    (-0.3595, 0.3595),
    (0.501, 0.521),
    (0, 0.3595),
    (-0.25, 4e5),
    (0.1, 0.1004),
    (0, 1.99),
]


@pytest.mark.parametrize("most", [3, 5, 6])
@pytest.mark.parametrize(("low", "high"), RANGES)
def test_ticks_are_round_numbers_within_the_range_and_their_labels_say_them(low, high, most):
    ticks = nice_ticks(low, high, most)
    numbers = np.array([value for value, _ in ticks])
    assert 2 <= len(ticks) <= max(most, 5) and numbers.min() >= low - 1e-9 and numbers.max() <= high + 1e-9
    assert [number(label) for _, label in ticks] == pytest.approx(numbers, abs=1e-12)
    if len(ticks) > 1:
        (step,) = set(np.diff(numbers).round(12))
        assert f"{step:e}"[0] in "125" and set(f"{step:e}"[1:8]) <= {".", "0"}


def test_ticks_are_those_that_people_would_choose():
    labels = [label for _, label in nice_ticks(-0.3595, 0.3595, 3)]
    assert labels == ["−0.2", "0.0", "0.2"]
    assert len(nice_ticks(-0.45, 0.45, 3)) == 5  # one number alone says nothing
    assert [label for _, label in nice_ticks(0, 1)] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert nice_ticks(0.5, 0.5) == [(0.5, "0.5")] and short(-0.123456) == "−0.1235"
