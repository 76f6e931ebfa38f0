"""Marks cover the pixels that they should."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from attnviz.drawing.canvas import Drawing
from attnviz.drawing.marks import Bars, Dot, Line, Mark, Picture, Text
from attnviz.drawing.style import DARK, LIGHT


def ink(*marks: Mark) -> np.ndarray:
    """How much of each pixel black marks cover on a white ground of 100 × 100 points, a pixel each."""
    picture = Drawing(100, 100, "#ffffff", list(marks)).image(72)
    return 1 - np.asarray(picture.convert("L"), float) / 255


def centre(covered: np.ndarray) -> tuple[float, float]:
    rows, columns = np.indices(covered.shape) + 0.5
    return float((columns * covered).sum() / covered.sum()), float((rows * covered).sum() / covered.sum())


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("count", [4, 64, 700, 2048])
def test_a_pixel_has_as_much_of_the_colour_as_the_bars_cover(count, colours):
    heads = 200 * np.random.default_rng(count).random(count)
    bars = Bars(52, 424, np.full(count, 240.0), heads, colours.accent)
    first = Drawing(460, 288, colours.ground, [bars])  # on a ground of one colour, and on another mark
    later = Drawing(460, 288, colours.ground, [Text((0, 0), "", 9, colours.ink), bars])
    ground, colour = (255 * np.array(to_rgb(name)) for name in (colours.ground, colours.accent))
    scale = 150 / 72
    for drawing in (first, later):
        pixels = np.asarray(drawing.image(), float)
        share = ((pixels - ground) @ (colour - ground)) / ((colour - ground) @ (colour - ground))
        area = (240 - heads).sum() * 372 / count * scale**2
        assert share.sum() == pytest.approx(area, rel=0.004)
        if count == 4:  # wide enough to be alone in a pixel
            column = round((52 + 372 / 8) * scale)
            assert share[:, column].sum() == pytest.approx((240 - heads[0]) * scale, abs=0.5)


def test_an_unknown_bar_covers_nothing():
    covered = ink(Bars(10, 40, np.full(3, 90.0), np.array([10, np.nan, 50.0]), "#000000"))
    assert covered[10:90, 10:20].all() and covered[50:90, 30:40].all()
    assert covered.sum() == pytest.approx(800 + 400)
    assert not ink(Bars(10, 40, np.full(3, 90.0), np.full(3, np.nan), "#000000")).any()


def test_a_slanted_line_is_as_dark_as_it_is_long():
    assert ink(Line((10, 10), (70, 90), "#000000", 1.0)).sum() == pytest.approx(100, rel=0.15)


@pytest.mark.parametrize(("start", "end"), [((10, 50), (90, 50)), ((50, 90), (50, 10))])
def test_a_straight_line_is_whole_pixels_and_a_dashed_one_leaves_gaps(start, end):
    assert set(np.unique(ink(Line(start, end, "#000000", 2.0)))) == {0, 1}
    assert ink(Line(start, end, "#000000", 2.0)).sum() == 160
    assert ink(Line(start, end, "#000000", 2.0, (3, 2))).sum() == 96


def test_a_dot_is_a_disc_around_its_point():
    covered = ink(Dot((40.25, 60.5), 20, "#000000"))
    assert covered.sum() == pytest.approx(np.pi * 100, rel=0.01)
    assert centre(covered) == pytest.approx((40.25, 60.5), abs=0.15)
    half = ink(Dot((40.25, 60.5), 20, "#000000", 0.5))
    assert half.sum() == pytest.approx(covered.sum() / 2, rel=0.02)


def test_cells_are_squares_and_a_photo_is_blended():
    image = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("RGB")
    cells = ink(Picture((10, 10, 90, 90), image, cells=True))[10:90, 10:90]
    assert set(np.unique(cells)) == {0, 1} and (cells[:40, :40] == 1).all() and (cells[:40, 40:] == 0).all()
    assert len(np.unique(ink(Picture((10, 10, 90, 90), image)))) > 10


@pytest.mark.parametrize("turned", [False, True])
def test_text_lies_at_its_anchor(turned):
    for anchor, rise in (("start", "base"), ("middle", "middle"), ("end", "top")):
        rows, columns = np.nonzero(ink(Text((50, 50), "HHHH", 10, "#000000", anchor, rise, turned)) > 0.5)
        along, across = (-rows + 100, columns) if turned else (columns, rows)
        ends = along.min(), along.max() + (0 if turned else 1)
        at = {"start": ends[0], "middle": (ends[0] + ends[1]) / 2, "end": ends[1]}[anchor]
        assert at == pytest.approx(50, abs=2)
        edge = {"base": across.max(), "middle": across.mean(), "top": across.min() - 2}[rise]
        assert edge == pytest.approx(50, abs=2.5)
