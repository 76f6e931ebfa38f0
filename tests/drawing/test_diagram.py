"""The diagram of a mechanism as a drawing: every node, the channel's numbers, the formulas and the paper."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.drawings import marks_of, outside, pictures, same, svg_text, texts
from helpers.small_networks import stirred

import attnviz
from attnviz.drawing.channel import Channel
from attnviz.drawing.diagram import diagram_drawing
from attnviz.drawing.heatmap import painted
from attnviz.drawing.look import Look
from attnviz.drawing.marks import Bars
from attnviz.mechanisms.choosing import diagram_of
from attnviz.mechanisms.numbers import numbers_of

CHANNEL = 3


@pytest.fixture(params=["se", "cbam", "bam"])
def drawn(request):
    return drawn_of(request.param)


def drawn_of(attention: str) -> tuple:
    """A trace, the layer's name, its channel, and the drawing."""
    network, x = stirred(18, attention), torch.randn(3, 64, 96)
    trace = attnviz.trace(network, x)
    name = list(trace.layers)[-1]
    features = attnviz.features(network, x, name)
    channel = Channel(name, CHANNEL, features.before[CHANNEL], features.after[CHANNEL])
    return trace, name, channel, diagram_drawing(trace, name, Look(), channel)


def test_every_kept_step_is_drawn_with_the_channels_number(drawn):
    trace, name, _, drawing = drawn
    layer, written = trace.layers[name], set(texts(drawing))
    channels = layer.shape[0]
    vectors = [step.values for step in layer.steps if step.values.ndim == 1]
    for values in (each for each in vectors if len(each) == channels):
        assert f"{values[CHANNEL]:.3f}".replace("-", "−") in written
    drawn_vectors = {len(bars.heads) for bars in marks_of(drawing, Bars)}
    assert {len(values) for values in vectors} <= drawn_vectors
    assert outside(drawing) == []
    assert "2018" in svg_text(drawing.svg()) and "σ" in svg_text(drawing.svg())


def test_the_features_before_and_behind_the_gate_are_the_networks(drawn):
    trace, name, channel, _ = drawn
    layer = trace.layers[name]
    known = numbers_of(layer, diagram_of(layer), CHANNEL, channel.before)
    np.testing.assert_allclose(known["output"].values, channel.after, atol=1e-5)
    assert known["output"].at(CHANNEL, (1, 1)) == pytest.approx(channel.after[1, 1], abs=1e-5)


def test_maps_are_in_the_colours_of_their_numbers():
    trace, name, _, drawing = drawn_of("cbam")  # the others have no map of their own in the diagram
    layer = trace.layers[name]
    low, high = layer.limits
    assert any(same(picture, painted(layer.spatial, low, high, "viridis")) for picture in pictures(drawing))


def test_without_a_channel_what_is_known_of_all_is_drawn():
    trace = attnviz.trace(stirred(18, "bam"), torch.randn(3, 64, 96))
    drawing = diagram_drawing(trace, "bam3", Look(dark=True))
    assert len(pictures(drawing)) == 1 and outside(drawing) == []
