"""What a request says of the screen is read as far as it makes sense."""

from __future__ import annotations

from dataclasses import replace

import pytest

import attnviz
from attnviz.drawing.paper import PANELS
from attnviz.errors import AttnvizError
from attnviz.server.view_state import (
    channels_of,
    format_of,
    layers_of,
    look_of,
    page_of,
    pairs_of,
    paper_of,
    trace_key,
)


@pytest.fixture(scope="module")
def traces(cbam, examples) -> dict[str, attnviz.Trace]:
    photo = examples / "temple.jpg"
    return {"cbam": attnviz.trace(cbam, photo), "plain": attnviz.trace(attnviz.load("resnet18"), photo)}


def test_a_request_names_a_photo_a_network_and_a_view(client, examples):
    photos = client.service.photos
    key = trace_key({"photo": "example:cat", "network": "x", "view": "crop"}, photos)
    assert (key.photo, key.network, key.view) == (examples / "cat.jpg", "x", "crop")
    assert trace_key({"photo": "example:cat", "view": 3}, photos).view == "whole"
    with pytest.raises(AttnvizError, match="no longer here"):
        trace_key({"photo": None}, photos)


def test_a_channel_is_one_that_the_layer_has(traces):
    assert channels_of(traces["cbam"], "layer4.1", 7) == [("layer4.1", 7)]
    for channel in (None, -1, 10**6, True, "7", [7], {}, 7.0):
        assert channels_of(traces["cbam"], "layer4.1", channel) == []
    assert channels_of(traces["cbam"], ["layer4.1"], 7) == []


def test_the_layer_that_is_drawn_is_one_that_the_trace_has(traces):
    assert layers_of(traces["cbam"], "layer2.0") == ("layer2.0",)
    for layer in ({}, None, "layer9.0", ["layer2.0"]):
        assert layers_of(traces["cbam"], layer) == ()


def test_a_figure_for_a_paper_is_one_that_can_be_drawn_whatever_is_asked(traces):
    wrong = {"panels": 3, "layers": "layer2.0", "width": True, "layer": "layer4.1"}
    paper = paper_of(wrong, traces["cbam"], None)
    assert (paper.panels, paper.layers, paper.width) == (PANELS[:3], ("layer4.1",), 170)
    asked = {"panels": ["steps", "none", "map"], "layers": ["layer3.0", "layer1.0", {}], "width": 85}
    paper = paper_of(asked, traces["cbam"], None)
    assert (paper.panels, paper.layers, paper.width) == (("map", "steps"), ("layer1.0", "layer3.0"), 85)


def test_a_file_has_one_of_the_formats():
    assert format_of({"format": "svg"}, ("pdf", "svg")) == "svg"
    for wrong in ("exe", None, [], {}):
        assert format_of({"format": wrong}, ("pdf", "svg")) == "pdf"


def test_a_page_begins_with_what_was_on_the_screen_or_what_a_screen_begins_with():
    state = page_of({"layer": "layer3.0", "channel": 5, "tab": "photos", "look": {"colormap": "magma"}})
    assert (state.layer, state.channel, state.tab) == ("layer3.0", 5, "photos")
    assert state.look.colormap == "magma" and state.for_script()["channel"] == 5
    state = page_of({"layer": {}, "channel": True, "tab": [], "look": 3})
    assert (state.layer, state.channel, state.tab) == (None, None, "explore")


def test_a_map_is_drawn_as_the_screen_shows_it_and_comparisons_in_colours():
    assert look_of({"way": "colours"}, "explore").way == "colours"
    assert [look_of({"way": "dim"}, tab).way for tab in ("explore", "photos", "networks")] == [
        "dim",
        "colours",
        "colours",
    ]
    for nonsense in (None, 3, {}, {"way": "x"}, {"way": []}):
        assert look_of(nonsense, "explore").way == "dim"  # with which a screen begins


def test_two_photos_with_nothing_to_compare_are_no_pair(traces):
    cbam, plain = traces["cbam"], traces["plain"]
    narrow = replace(cbam, layers={"layer3.1": cbam.layers["layer2.1"]})
    for captures in ([], [("a", cbam)], [("a", cbam), ("b", plain)], [("a", cbam), ("b", narrow)]):
        assert pairs_of(captures, "layer3.1", "a", "b", "fixed") == []
    (pair,) = pairs_of([("a", cbam), ("b", narrow), ("c", cbam)], "layer3.1", ["a"], "c", "map")
    assert (pair.a, pair.b, pair.scale) == (cbam, cbam, "map")
