"""A map on a page of its own says what its colours span."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.drawings import colour_bars, marks_of, outside, pictures, same, texts
from helpers.made_traces import layer, trace_of

from attnviz.drawing.look import Look
from attnviz.drawing.marks import Line, Picture
from attnviz.drawing.overlay import overlay
from attnviz.drawing.spatial_map import map_drawing


@pytest.mark.parametrize(
    ("scale", "ends", "words"),
    [("fixed", ("0.00", "1.00"), "can be"), ("map", ("0.25", "0.75"), "own range")],
)
def test_the_colour_bar_carries_the_scale_and_the_maps_own_range(scale, ends, words):
    trace = trace_of(layer(np.array([[0.25, 0.75]], np.float32)))
    drawing = map_drawing(trace, "layer4.1", Look(scale=scale))
    title, low, *_, high, own_range, colours = texts(drawing)
    assert "1 × 2 cells" in title and (low, high) == ends
    assert "0.250 to 0.750" in own_range and words in colours
    assert same(pictures(drawing)[0], overlay(trace, "layer4.1", Look(scale=scale)))
    assert len(colour_bars(drawing)) == 1


def test_marks_stand_at_the_maps_least_and_greatest():
    drawing = map_drawing(trace_of(layer(np.array([[0.25, 0.75]], np.float32))), "layer4.1")
    bar = marks_of(drawing, Picture)[-1].box
    marks = [line.start[0] for line in marks_of(drawing, Line) if line.colour == "#000000"]
    assert marks == pytest.approx([bar[0] + share * (bar[2] - bar[0]) for share in (0.25, 0.75)])


def test_unknown_numbers_are_said_to_be_grey_and_a_map_of_them_is_still_drawn():
    some = map_drawing(trace_of(layer(np.array([[0.25, np.nan]], np.float32))), "layer4.1")
    assert any("grey: undefined" in text for text in texts(some))
    none = map_drawing(trace_of(layer(np.full((2, 2), np.nan, np.float32))), "layer4.1")
    assert "factor at each position · grey: undefined" in texts(none) and not outside(none)
    assert none.files().keys() == {"png", "svg"}


@pytest.mark.parametrize(("width", "height"), [(1024, 40), (40, 1024), (1, 1)])
def test_a_photo_of_any_shape_is_drawn_without_stretching(width, height):
    trace = trace_of(layer(np.ones((2, 32), np.float32)), width, height)
    drawing = map_drawing(trace, "layer4.1")
    left, top, right, bottom = marks_of(drawing, Picture)[0].box
    assert (right - left) / (bottom - top) == pytest.approx(width / height) and not outside(drawing)
    assert drawing.image(72).size == (round(drawing.width), round(drawing.height))
