"""Numbers become the colours that the colour bar says."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from attnviz.drawing.heatmap import colour_bar, fitted, painted
from attnviz.drawing.marks import Line, Picture, Text
from attnviz.drawing.style import COLORMAPS, UNDEFINED


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_a_number_has_the_colour_of_its_share_of_the_range(colormap):
    values = np.linspace(1, 3, 64, dtype=np.float32).reshape(8, 8)
    expected = colormaps[colormap]((values - 1) / 2)[..., :3] * 255
    np.testing.assert_allclose(np.asarray(painted(values, 1, 3, colormap)), expected, atol=0.51)


def test_numbers_beyond_the_range_have_the_colours_of_its_ends_and_unknown_ones_are_grey():
    pixels = np.asarray(painted(np.array([[-1, 5, np.nan]], np.float32), 0, 1, "viridis"))[0]
    ends = np.rint(colormaps["viridis"]([0.0, 1.0])[:, :3] * 255)
    assert pixels.tolist() == [*ends.tolist(), [UNDEFINED] * 3]


def test_with_a_size_numbers_are_blended_between_the_centres_of_cells():
    blended = np.asarray(painted(np.array([[0.0, 1.0]], np.float32), 0, 1, "viridis", (8, 1)))[0]
    table = np.rint(colormaps["viridis"](np.arange(256))[:, :3] * 255).astype(int)
    shares = np.abs(blended[:, None].astype(int) - table).sum(-1).argmin(-1) / 255
    np.testing.assert_allclose(shares, [0, 0, 1 / 8, 3 / 8, 5 / 8, 7 / 8, 1, 1], atol=0.01)


@pytest.mark.parametrize(("shape", "fits"), [((1, 2), (10, 30, 90, 70)), ((4, 1), (40, 10, 60, 90))])
def test_a_box_is_filled_without_stretching(shape, fits):
    assert fitted(shape, (10, 10, 90, 90)) == pytest.approx(fits)


def test_a_colour_bar_has_its_ticks_and_marks_where_the_colours_are():
    ticks, box = [(0.0, "none"), (2.0, "all")], (10, 20, 110, 30)
    marks = list(colour_bar(box, (0.0, 2.0), "magma", "#123456", ticks, ["a", "b"], 8, marked=[0.5]))
    bar, *rest = marks
    assert isinstance(bar, Picture) and bar.box == box
    expected = Image.fromarray(
        np.rint(colormaps["magma"](np.arange(256))[None, :, :3] * 255).astype(np.uint8)
    )
    assert np.array_equal(np.asarray(bar.image), np.asarray(expected))
    texts = {mark.text: mark.at for mark in rest if isinstance(mark, Text)}
    assert (texts["none"][0], texts["all"][0], texts["a"][0]) == (10, 110, 60)
    assert texts["none"][1] < texts["a"][1] < texts["b"][1]
    upon = [mark.start[0] for mark in rest if isinstance(mark, Line) and mark.colour == "#000000"]
    assert upon == [35]
