"""A map on a page of its own says what its colours span."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.drawings import colour_bars, marks_of, outside, pictures, same, texts
from helpers.made_traces import layer, random_map, trace_of

from attnviz.drawing.heatmap import painted
from attnviz.drawing.look import Look
from attnviz.drawing.marks import Line, Picture
from attnviz.drawing.spatial_map import map_drawing
from attnviz.photos.geometry import crop
from attnviz.photos.photo import Photo


@pytest.mark.parametrize(
    ("scale", "ends", "words"),
    [("fixed", ("0.0", "1.0"), "can be"), ("map", ("0.3", "0.7"), "own range")],
)
def test_the_colour_bar_carries_the_scale_and_the_maps_own_range(scale, ends, words):
    trace = trace_of(layer(np.array([[0.25, 0.75]], np.float32)))
    drawing = map_drawing(trace, "layer4.1", Look(scale=scale))
    title, low, *_, high, meaning, spans = texts(drawing)
    assert "Where: layer4.1 (1 × 2)" in title and (low, high) == ends
    assert "dark: held back" in meaning and "0.250–0.750" in spans and words in spans
    span = (0, 1) if scale == "fixed" else (0.25, 0.75)
    assert same(pictures(drawing)[1], painted(trace.layers["layer4.1"].map, *span, "viridis"))
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
    assert any("grey: undefined" in text for text in texts(none)) and not outside(none)
    assert none.files().keys() == {"png", "svg"}


@pytest.mark.parametrize(("width", "height"), [(1024, 40), (40, 1024), (1, 1)])
def test_a_photo_of_any_shape_is_drawn_without_stretching(width, height):
    trace = trace_of(layer(np.ones((2, 32), np.float32)), width, height)
    drawing = map_drawing(trace, "layer4.1")
    left, top, right, bottom = marks_of(drawing, Picture)[0].box
    assert (right - left) / (bottom - top) == pytest.approx(width / height) and not outside(drawing)
    assert drawing.image(72).size == (round(drawing.width), round(drawing.height))


def test_a_map_lies_as_cells_on_a_photo_that_is_grey_where_the_network_saw_it():
    photo = np.zeros((60, 120, 3), np.uint8)
    photo[..., 0] = 200
    trace = trace_of(layer(random_map(4, 4)), 120, 60, view=crop)
    trace = replace(trace, source=Photo(photo, "red.png"))
    ground, cells = marks_of(map_drawing(trace, "layer4.1", Look(opacity=0.6)), Picture)[:2]
    pixels = np.asarray(ground.image).astype(int)
    assert np.ptp(pixels[5:55, 40:80], axis=-1).max() == 0 and (pixels[:, :25] == (200, 0, 0)).all()
    assert (cells.opacity, cells.cells, cells.image.size) == (0.6, True, (4, 4))
    left, top, right, _ = ground.box
    points = (right - left) / 120  # of one of the photo's pixels
    seen = [edge * points for edge in trace.region.box]
    assert cells.within == pytest.approx((left + seen[0], top + seen[1], left + seen[2], top + seen[3]))


def test_a_map_without_a_grid_is_an_error():
    with pytest.raises(ValueError, match="no spatial map"):
        map_drawing(trace_of(layer(None, "se")), "layer4.1")
