"""A drawing becomes files: the same each time, without metadata, in any number of threads."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from helpers.made_traces import layer, random_map, trace_of
from PIL import Image

from attnviz.drawing.canvas import Drawing
from attnviz.drawing.spatial_map import map_drawing


def test_files_are_the_same_each_time_and_hold_no_metadata():
    trace = trace_of(layer(random_map()))
    files = map_drawing(trace, "layer4.1").files()
    assert files == map_drawing(trace, "layer4.1").files() and set(files) == {"png", "svg"}
    assert set(Image.open(io.BytesIO(files["png"])).info) <= {"dpi"}


def test_the_picture_is_as_large_as_the_resolution_says():
    drawing = Drawing(72, 36, "#102030")
    for dpi, size in ((72, (72, 36)), (150, (150, 75))):
        picture = Image.open(io.BytesIO(drawing.png(dpi)))
        assert picture.size == size and round(picture.info["dpi"][0]) == dpi
    assert (np.asarray(drawing.image()) == (0x10, 0x20, 0x30)).all()


def test_many_threads_can_draw_at_once():
    trace = trace_of(layer(random_map()))
    alone = map_drawing(trace, "layer4.1").files()
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(lambda _: map_drawing(trace, "layer4.1").files(), range(8)))
    assert all(files == alone for files in drawn)
