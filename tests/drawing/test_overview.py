"""Every layer is on the page: its map, made smaller, above its channel weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.drawings import (
    colour_bars,
    left_ticks,
    lit,
    marks_of,
    outside,
    pictures,
    scale_of,
    svg_text,
    texts,
)
from helpers.made_traces import layer, one_hot, random_map, trace_of

from attnviz.drawing.look import Look
from attnviz.drawing.marks import Bars, Picture
from attnviz.drawing.overview import overview_drawing
from attnviz.drawing.style import DARK


def test_the_maps_are_those_of_the_photo_made_smaller():
    trace = trace_of(layer(one_hot(8, 8, 2, 5)), width=1600, height=1600)
    drawing = overview_drawing(trace, Look(opacity=1.0))
    photo, cells = marks_of(drawing, Picture)[:2]
    assert photo.image.size == (400, 400) and photo.box == cells.box
    assert lit(cells.image) == (5, 2, 6, 3)


def test_every_layer_has_its_weights_by_size_below_its_name():
    weights = np.array([0.25, 1.0, 0.5, 0.75], np.float32)
    names = [f"layer{number}" for number in range(6)]
    layers = {name: layer(random_map(), "cbam", weights, name) for name in names}
    drawing = overview_drawing(replace(trace_of(layers["layer0"]), layers=layers))
    assert [text.split(" ·")[0] for text in texts(drawing) if text.startswith("layer")] == names
    read = scale_of(left_ticks(drawing)[:3])
    np.testing.assert_allclose(read(marks_of(drawing, Bars)[0].heads), [1, 0.75, 0.5, 0.25], atol=1e-6)
    assert len(marks_of(drawing, Bars)) == 6 and texts(drawing).count("4 channels, mean 0.62") == 6
    assert not outside(drawing)


def test_a_layer_without_a_map_is_a_pale_photo_that_says_so():
    drawing = overview_drawing(trace_of(layer(None, "se")))
    assert "weighs channels only" in texts(drawing) and not colour_bars(drawing)
    assert (np.asarray(pictures(drawing)[0]) == round(255 + 0.25 * (100 - 255))).all()


def test_one_colour_bar_has_numbers_if_all_maps_share_a_range():
    one = layer(np.array([[0.0, 0.5]], np.float32), name="layer1")
    other = layer(np.array([[0.25, 1.0]], np.float32), name="layer2")
    trace = replace(trace_of(one), layers={"layer1": one, "layer2": other})
    shared, own = (overview_drawing(trace, Look(scale=scale)) for scale in ("network", "map"))
    assert any("one scale for all maps" in text for text in texts(shared)) and "1.0" in texts(shared)
    assert {"least", "greatest"} <= set(texts(own))
    assert len(colour_bars(shared)) == len(colour_bars(own)) == 1


@pytest.mark.parametrize(("width", "height"), [(1024, 40), (40, 1024), (1, 1)])
def test_a_photo_of_any_shape_is_drawn_without_stretching(width, height):
    trace = trace_of(layer(random_map()), width, height, name="<b>$x_1^{$.png")
    drawing = overview_drawing(trace, Look(dark=True, scale="map"))
    left, top, right, bottom = marks_of(drawing, Picture)[0].box
    small = pictures(drawing)[0]
    assert (right - left) / (bottom - top) == pytest.approx(small.width / small.height)
    assert not outside(drawing) and drawing.ground == DARK.ground
    assert drawing.image(72).size == (round(drawing.width), round(drawing.height))
    assert "<b>$x_1^{$.png" in svg_text(drawing.svg())
