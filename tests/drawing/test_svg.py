"""An SVG file holds text as text, pictures in their own pixels, and the same shapes as the drawing."""

from __future__ import annotations

import base64
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers.drawings import svg_text
from helpers.made_traces import GREY, layer, random_map, trace_of
from PIL import Image

from attnviz.drawing.canvas import Drawing
from attnviz.drawing.marks import Bars, Dot, Line, Picture, Text
from attnviz.drawing.spatial_map import map_drawing


def elements(drawing: Drawing, tag: str) -> list[ElementTree.Element]:
    return [element for element in ElementTree.fromstring(drawing.svg()) if element.tag.endswith(tag)]


def embedded(element: ElementTree.Element) -> Image.Image:
    data = element.attrib["{http://www.w3.org/1999/xlink}href"].partition(",")[2]
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_text_is_text_whatever_is_in_it():
    drawing = Drawing(100, 100, "#ffffff", [Text((1, 2), '<b>$x_1^{$ & "q"', 9, "#000000", turned=True)])
    assert svg_text(drawing.svg()).strip() == '<b>$x_1^{$ & "q"'
    assert elements(drawing, "text")[0].attrib["transform"] == "rotate(-90 1.00 2.00)"


def test_a_photo_is_a_jpeg_in_its_own_pixels_unless_they_are_finer_than_a_print():
    trace = trace_of(layer(random_map()), width=448, height=448)
    (photo,) = elements(map_drawing(trace, "layer4.1"), "image")
    assert embedded(photo).format == "JPEG" and embedded(photo).size == (448, 448)
    np.testing.assert_allclose(np.asarray(embedded(photo)), GREY, atol=2)
    fine = Drawing(72, 72, "#ffffff", [Picture((0, 0, 72, 72), Image.new("RGB", (900, 900)))])
    assert embedded(elements(fine, "image")[0]).size == (300, 300)


def test_cells_are_rectangles_of_their_colours_cut_where_they_are_not_to_be_seen():
    image = Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8))
    cells = Picture((0, 0, 40, 20), image, cells=True, opacity=0.5, within=(10, 0, 40, 10))
    drawing = Drawing(72, 72, "#ffffff", [cells])
    (group,) = elements(drawing, "g")
    assert group.attrib["opacity"] == "0.5" and not elements(drawing, "image")
    found = [[float(rect.attrib[name]) for name in ("x", "y", "width", "height")] for rect in group]
    assert found == [[10, 0, 10.25, 10], [20, 0, 20, 10]]  # the next cell covers what reaches below it
    assert [rect.attrib["fill"] for rect in group] == ["#ff0000", "#00ff00"]


def test_bars_are_outlines_from_foot_to_head_without_the_unknown():
    heads = np.array([20, 60, np.nan, 80.125])
    drawing = Drawing(100, 100, "#ffffff", [Bars(10, 50, np.full(4, 90.0), heads, "#4458c8")])
    (path,) = elements(drawing, "path")
    outlines = path.attrib["d"].removesuffix("Z").removeprefix("M").split("ZM")
    corners = [outline.replace("V", " ").replace("H", " ").split() for outline in outlines]
    assert [[float(number) for number in outline] for outline in corners] == [
        [10, 90, 20, 20, 90],
        [20, 90, 60, 30, 90],
        [40, 90, pytest.approx(80.125, abs=0.01), 50, 90],
    ]


def test_lines_and_dots_are_where_they_are_in_the_drawing():
    marks = [Line((1, 2), (3, 4), "#000000", 0.8, (3.2, 2.4)), Dot((5, 6), 4.2, "#e69f00", 0.55)]
    drawing = Drawing(10, 10, "#ffffff", marks)
    line, dot = elements(drawing, "line")[0].attrib, elements(drawing, "circle")[0].attrib
    assert [float(line[name]) for name in ("x1", "y1", "x2", "y2")] == [1, 2, 3, 4]
    assert line["stroke-dasharray"] == "3.2 2.4"
    assert (float(dot["cx"]), float(dot["cy"]), float(dot["r"])) == (5, 6, 2.1)
