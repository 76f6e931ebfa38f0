"""A figure for a paper is as wide as a column or a page, and holds what was chosen."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers.drawings import marks_of, outside, svg_text, texts
from helpers.made_traces import layer, random_map, trace_of
from PIL import Image

from attnviz import Trace
from attnviz.capture.layer_attention import Step
from attnviz.drawing.canvas import Drawing
from attnviz.drawing.channel import Channel
from attnviz.drawing.look import Look
from attnviz.drawing.marks import Bars, Line, Picture, Text
from attnviz.drawing.paper import PANELS, PAPER_DPI, WIDTHS, Paper, paper_drawing
from attnviz.drawing.style import MINE


def trace_of_three() -> Trace:
    steps = (Step("average", np.linspace(-1, 1, 16, dtype=np.float32)), Step("mean_map", random_map(4, 6)))
    first = replace(layer(random_map(4, 6), name="layer3.0"), steps=steps)
    second, third = layer(random_map(2, 3), name="layer4.0"), layer(None, "se", name="layer4.1")
    layers = {one.name: one for one in (first, second, third)}
    return replace(trace_of(first, 300, 200), layers=layers)


def features(of_layer: str = "layer3.0") -> Channel:
    before = random_map(4, 6)
    return Channel(of_layer, 5, before, before * 0.5)


def titles(drawing: Drawing) -> list[str]:
    return [text for text in texts(drawing) if text.startswith("(")]


@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_as_wide_as_was_asked_to_the_tenth_of_a_millimetre_and_of_300_dots_an_inch(width):
    drawing = paper_drawing(trace_of_three(), Paper(("photo", "map"), ("layer3.0",), width), Look())
    root = ElementTree.fromstring(drawing.svg())
    assert float(root.attrib["width"].removesuffix("pt")) * 25.4 / 72 == pytest.approx(width, abs=0.05)
    box = re.search(rb"/MediaBox \[0 0 (\S+)", drawing.pdf())
    assert float(box[1]) * 25.4 / 72 == pytest.approx(width, abs=0.05)
    picture = Image.open(io.BytesIO(drawing.png(PAPER_DPI)))
    assert (
        picture.width / 300 * 25.4 == pytest.approx(width, abs=0.1) and round(picture.info["dpi"][0]) == 300
    )
    assert not outside(drawing)


def test_a_row_a_layer_with_letters_and_the_photo_once():
    paper = Paper(("photo", "map", "channels"), ("layer3.0", "layer4.0"), 170, features())
    drawing = paper_drawing(trace_of_three(), paper, Look())
    assert [title[:3] for title in titles(drawing)] == ["(a)", "(b)", "(c)", "(d)", "(e)"]
    maps = [mark for mark in marks_of(drawing, Picture) if mark.cells and mark.opacity < 1]
    assert [mark.image.size for mark in maps] == [(6, 4), (3, 2)] and maps[0].box[0] == maps[1].box[0]
    assert len(marks_of(drawing, Bars)) == 2
    assert len([line for line in marks_of(drawing, Line) if line.colour == MINE]) == 1  # its own layer's


def test_what_a_layer_does_not_have_is_left_out():
    drawing = paper_drawing(trace_of_three(), Paper(PANELS, ("layer4.1",), 85), Look())
    assert not [mark for mark in marks_of(drawing, Picture) if mark.cells]
    with pytest.raises(ValueError, match="none of the panels"):
        paper_drawing(trace_of_three(), Paper(("map",), ("layer4.1",)), Look())


def test_all_panels_of_all_layers_in_either_width_lie_within_the_page_and_on_no_other():
    paper = Paper(PANELS, ("layer3.0", "layer4.0", "layer4.1"), 170, features())
    for width in WIDTHS:
        drawing = paper_drawing(trace_of_three(), replace(paper, width=width), Look(scale="map"), "index")
        assert not outside(drawing)
        boxes = [mark.box for mark in marks_of(drawing, Picture) if mark.image.size != (256, 1)]
        for place, one in enumerate(boxes):
            for other in boxes[place + 1 :]:
                apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
                assert apart or one == other  # a map lies on its photo


def test_its_text_is_text_and_its_only_pictures_are_the_photo():
    paper = Paper(("photo", "map", "channels", "channel"), ("layer3.0",), 85, features())
    drawn = paper_drawing(trace_of_three(), paper, Look()).svg()
    images = [one for one in ElementTree.fromstring(drawn).iter() if one.tag.endswith("image")]
    assert len(images) == 2  # alone, and below the map
    assert "Where: layer3.0 (4 × 6)" in svg_text(drawn).replace("\n", " ")


def test_ticks_are_round_numbers():
    before = np.full((4, 6), 0.3595, np.float32)
    paper = Paper(("channel",), ("layer3.0",), 85, Channel("layer3.0", 5, -before, before))
    written = [mark.text for mark in marks_of(paper_drawing(trace_of_three(), paper, Look()), Text)]
    assert "0.2" in written and not any("3595" in text for text in written)
