"""Every step is drawn, with its numbers, on the way to the gates."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.drawings import left_ticks, marks_of, outside, pictures, same, scale_of, texts
from helpers.made_traces import layer, trace_of

from attnviz.drawing.heatmap import painted
from attnviz.drawing.look import Look
from attnviz.drawing.marks import Bars, Line, Picture, Text
from attnviz.drawing.steps import steps_drawing
from attnviz.drawing.style import MINE
from attnviz.drawing.words import said


def test_a_step_is_drawn_around_zero_and_in_the_order_of_the_weights():
    weights, signed = np.array([0.25, 0.75, 0.5], np.float32), np.array([-1.0, 2.0, 0.5], np.float32)
    places = np.array([[-4.0, 1.0]], np.float32)
    gate = layer(np.array([[1.25, 1.5]], np.float32), "bam", weights + 1)
    attention = replace(gate, channel_logits=signed, spatial_logits=places)
    drawing = steps_drawing(trace_of(attention), "layer4.1", Look(), "size")
    above, below, factor, _ = marks_of(drawing, Bars)
    ticks = left_ticks(drawing)
    assert [tick for _, tick in ticks] == [-2, 0, 2, 1, 1.5, 2]
    branch_scale, factor_scale = scale_of(ticks[:3]), scale_of(ticks[3:])
    for bars, read, heads, base in (
        (above, branch_scale, [2, 0.5, 0], 0),
        (below, branch_scale, [0, 0, -1], 0),
        (factor, factor_scale, [1.75, 1.5, 1.25], 1),
    ):
        np.testing.assert_allclose(read(bars.heads), heads, atol=1e-6)
        np.testing.assert_allclose(read(bars.feet), [base] * 3, atol=1e-6)
    branch, gate_map = pictures(drawing)
    assert same(branch, painted(places, -4, 4, "coolwarm"))
    assert same(gate_map, painted(attention.spatial, 1, 2, "viridis"))


def test_the_steps_that_were_kept_are_drawn_whatever_their_shapes():
    steps = (
        SimpleNamespace(name="hidden_units", values=np.ones(2)),
        SimpleNamespace(name="mean", values=np.zeros((2, 3))),
    )
    attention = replace(layer(np.ones((2, 3), np.float32)), steps=steps)
    drawing = steps_drawing(trace_of(attention), "layer4.1", Look(dark=True))
    titles = [mark.text for mark in marks_of(drawing, Text) if mark.size == 9]
    assert titles == ["hidden units", said("step_channel_gate"), "mean", said("step_spatial_gate")]
    assert {"2 values", "16 values"} <= set(texts(drawing)) and not outside(drawing)


def test_more_panels_than_a_row_holds_go_on_below():
    steps = tuple(SimpleNamespace(name=f"step {index}", values=np.ones(2)) for index in range(6))
    drawing = steps_drawing(trace_of(replace(layer(None, "se"), steps=steps)), "layer4.1", Look())
    places = {(bars.left, float(bars.feet[0])) for bars in marks_of(drawing, Bars)}
    assert len(places) == 7 and len({left for left, _ in places}) == 4
    assert len({foot for _, foot in places}) == 2 and not outside(drawing)


def test_the_chosen_channel_is_marked_where_there_is_a_number_a_channel():
    weights = np.array([0.25, 0.75, 0.5], np.float32)
    steps = (
        SimpleNamespace(name="average", values=np.array([1.0, -2.0, 4.0])),
        SimpleNamespace(name="average_hidden", values=np.ones(2)),
    )
    attention = replace(layer(None, "cbam", weights), steps=steps)
    drawing = steps_drawing(trace_of(attention), "layer4.1", Look(), "size", channel=1)
    marked = [line for line in marks_of(drawing, Line) if line.colour == MINE]
    assert len(marked) == 2 and {"3 values", "channel 1: −2.000"} <= set(texts(drawing))
    places = [bars.left + (bars.right - bars.left) / 6 for bars in marks_of(drawing, Bars)[::2]]
    assert marked[0].start[0] == pytest.approx(places[0])  # the greatest weight is first
    assert "2 values" in texts(drawing)


def test_what_is_never_negative_is_drawn_from_zero_in_the_maps_own_colours():
    steps = (SimpleNamespace(name="maximum_map", values=np.array([[0.12, 0.64]], np.float32)),)
    drawing = steps_drawing(trace_of(replace(layer(None, "se"), steps=steps)), "layer4.1", Look())
    assert same(pictures(drawing)[0], painted(steps[0].values, 0, steps[0].values.max(), "viridis"))


def test_cells_are_squares_of_one_colour():
    values = np.array([[0.0, 1.0], [1.0, 0.5]], np.float32)
    drawing = steps_drawing(trace_of(layer(values)), "layer4.1", Look())
    place = next(mark for mark in marks_of(drawing, Picture) if mark.image.size == (2, 2))
    left, top, right, bottom = (round(edge * 150 / 72) for edge in place.box)
    drawn = np.asarray(drawing.image())[top:bottom, left:right]
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 3
    middle = drawn.shape[1] // 2
    assert (drawn[5, : middle - 2] == drawn[5, 0]).all() and (drawn[5, middle + 2 :] == drawn[5, -1]).all()


def test_a_layer_with_nothing_to_draw_is_an_error():
    with pytest.raises(ValueError, match="neither channel weights nor a map"):
        steps_drawing(trace_of(replace(layer(None, "se"), channel=None)), "layer4.1", Look())
