"""A PDF file is one page of the drawing's size: text is text, cells are rectangles, a photo is a JPEG."""

from __future__ import annotations

import io
import re
import zlib

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from helpers.made_traces import layer, random_map, trace_of
from PIL import Image

from attnviz.drawing.canvas import Drawing
from attnviz.drawing.marks import Bars, Dot, Line, Picture, Text
from attnviz.drawing.spatial_map import map_drawing

STREAM = re.compile(rb"(\d+) 0 obj\n<<((?:(?!endobj).)*?)>>\nstream\n(.*?)\nendstream", re.S)


def streams(content: bytes) -> dict[int, tuple[bytes, bytes]]:
    """What each stream of a PDF file says of itself, and what it holds, by its number."""
    found = {}
    for number, about, body in STREAM.findall(content):
        found[int(number)] = about, zlib.decompress(body) if b"FlateDecode" in about else body
    return found


def operators(drawing: Drawing) -> str:
    """What the page is drawn by."""
    return streams(drawing.pdf())[4][1].decode()


def text_of(content: bytes) -> list[str]:
    """The texts of a page, read as a reader of PDF files does: by the font's character map."""
    parts = streams(content)
    pairs = re.findall(rb"<(\w{4})> <(\w+)>", parts[9][1])
    letters = {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs}
    written = re.findall(r"<(\w+)> Tj", parts[4][1].decode())
    return [
        "".join(letters[int(codes[place : place + 4], 16)] for place in range(0, len(codes), 4))
        for codes in written
    ]


def test_text_is_text_in_a_font_that_the_file_holds():
    marks = [
        Text((10, 20), "σ(2.5) · é", 9, "#222222"),
        Text((30, 40), "x (y) \\ z", 8, "#222222", turned=True),
    ]
    content = Drawing(100, 50, "#ffffff", marks).pdf()
    assert text_of(content) == ["σ(2.5) · é", "x (y) \\ z"]
    font = TTFont(io.BytesIO(streams(content)[8][1]))
    assert set(map(ord, "σ(2.5) · éxyz\\")) <= set(font.getBestCmap()) and len(font.getGlyphOrder()) < 30


@pytest.mark.parametrize(("anchor", "share"), [("start", 0), ("middle", 0.5), ("end", 1)])
def test_text_begins_where_its_anchor_says(anchor, share):
    found = re.findall(
        r"1 0 0 1 (\S+) (\S+) Tm",
        operators(Drawing(100, 50, "#ffffff", [Text((50, 20), "HHHH", 10, "#000000", anchor)])),
    )
    width = 4 * 0.752 * 10  # of an H in DejaVu Sans, in sizes
    assert [float(number) for number in found[0]] == pytest.approx([50 - share * width, 30], abs=0.05)


def test_the_page_has_the_drawings_size_and_every_object_is_where_the_table_says():
    content = Drawing(240.945, 100, "#ffffff", [Text((0, 0), "a", 9, "#000000")]).pdf()
    assert b"/MediaBox [0 0 240.945 100.000]" in content
    start = int(re.search(rb"startxref\n(\d+)", content)[1])
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n", content[start:])]
    for number, place in enumerate(places, 1):
        assert content[place:].startswith(f"{number} 0 obj\n".encode())
    assert (
        b"/Info" not in content
        and content == Drawing(240.945, 100, "#ffffff", [Text((0, 0), "a", 9, "#000000")]).pdf()
    )


def test_only_the_photo_is_a_picture_and_the_maps_cells_are_rectangles():
    content = map_drawing(trace_of(layer(random_map()), 448, 448), "layer4.1").pdf()
    pictures = [body for about, body in streams(content).values() if b"/Image" in about]
    assert [Image.open(io.BytesIO(body)).format for body in pictures] == ["JPEG"]
    groups = [body.decode().count(" re f") for about, body in streams(content).values() if b"/Form" in about]
    assert groups == [7 * 7, 256]  # the map, the colour bar
    assert b"/ca 0.6" in content


def test_marks_are_where_they_are_in_the_drawing():
    marks = [
        Line((1, 2), (3, 4), "#ff0000", 0.8, (3.2, 2.4)),
        Bars(10, 30, np.array([90.0, 90]), np.array([40, np.nan]), "#000000"),
        Dot((50, 60), 4, "#000000", 0.5),
    ]
    drawn = operators(Drawing(100, 100, "#ffffff", marks))
    assert "1 0 0 RG 0.8 w [3.2 2.4] 0 d 1.000 98.000 m 3.000 96.000 l S" in drawn
    assert "10.000 10.000 10.000 50.000 re f" in drawn and drawn.count(" re") == 2
    assert "52.000 40.000 m" in drawn and "/O0 gs" in drawn


def test_a_photo_is_cut_where_it_is_not_to_be_seen():
    photo = Picture((0, 0, 40, 20), Image.new("RGB", (8, 4)), within=(10, 5, 40, 20))
    assert "10.000 80.000 30.000 15.000 re W n 40.000 0 0 20.000 0.000 80.000 cm" in operators(
        Drawing(100, 100, "#ffffff", [photo])
    )
