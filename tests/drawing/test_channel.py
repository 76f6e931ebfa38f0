"""A channel's features before and after a gate are on one scale, the gate is on its own."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.drawings import marks_of, outside, pictures, same, texts
from helpers.made_traces import layer, trace_of

from attnviz.drawing.channel import Channel, channel_drawing
from attnviz.drawing.heatmap import painted
from attnviz.drawing.look import Look
from attnviz.drawing.marks import Picture, Text

BEFORE, GATE = np.array([[1.0, 4.0, 2.0]], np.float32), np.array([[0.5, 1.0, 0.25]], np.float32)


def channel(before: np.ndarray, after: np.ndarray, index: int = 3) -> Channel:
    return Channel("layer4.1", index, before.astype(np.float32), after.astype(np.float32))


def test_before_and_after_are_on_one_scale_and_the_gate_spans_all_that_it_can_be():
    trace = trace_of(layer(GATE, channel=np.full(16, 0.5, np.float32)))
    after = BEFORE * GATE / 2
    drawing = channel_drawing(trace, channel(BEFORE, after), Look(colormap="magma"))
    expected = [(BEFORE, (0, 4)), (after, (0, 4)), (GATE / 2, (0, 1))]
    for picture, (values, span) in zip(pictures(drawing), expected, strict=True):
        assert same(picture, painted(values, *span, "magma"))
    written = texts(drawing)
    titles = [text for text in written if text in ("before", "after", "the gate")]
    assert titles == ["before", "after", "the gate"] and not outside(drawing)
    lefts = {mark.text: mark.at[0] for mark in marks_of(drawing, Text) if mark.text in titles}
    assert lefts["before"] < lefts["the gate"] < lefts["after"]
    before, after, gate = (mark.box for mark in marks_of(drawing, Picture) if mark.image.width == 3)
    assert before[2] < gate[0] and gate[2] < after[0]
    assert written[2:9] == ["0", "1", "2", "3", "4", "1 to 4", "colours: one scale before and after"]


def test_signed_features_are_drawn_around_zero():
    trace = trace_of(layer(GATE))
    signed = channel_drawing(trace, channel(-BEFORE, BEFORE), Look())
    for picture, values in zip(pictures(signed), (-BEFORE, BEFORE)):
        assert same(picture, painted(values, -4, 4, "coolwarm"))


def test_a_smooth_picture_is_fine_enough_to_be_blended():
    smooth = channel_drawing(trace_of(layer(GATE)), channel(BEFORE, BEFORE), Look(smooth=True))
    assert all(picture.width >= 400 for picture in pictures(smooth))


@pytest.mark.parametrize(("index", "said"), [(3, "× 0.2"), (4, "undefined")])
def test_a_gate_that_is_one_number_is_written_and_an_unknown_one_said(index, said):
    weights = np.linspace(0, 1, 16, dtype=np.float32)
    weights[4] = np.nan
    trace, features = trace_of(layer(None, "se", weights)), np.zeros((7, 7))
    drawing = channel_drawing(trace, channel(features, features, index), Look())
    assert said in texts(drawing) and len(pictures(drawing)) == 2
