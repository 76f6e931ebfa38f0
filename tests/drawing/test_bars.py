"""Channel weights as bars: as high as the numbers, on the scale that is printed, in every kind of file."""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers.made_traces import layer
from matplotlib.colors import to_rgb
from PIL import Image

from attnviz.capture.layer_attention import LayerAttention
from attnviz.drawing.bars import PATHS, bars_drawing
from attnviz.drawing.canvas import Bars, Drawing, Line, Text
from attnviz.drawing.style import ACCENT, DARK_ACCENT, DARK_GROUND


def texts(drawing: Drawing) -> list[str]:
    return [mark.text for mark in drawing.marks if isinstance(mark, Text)]


def scale_of(drawing: Drawing):
    """What turns a height on the drawing into a number, from the numbers beside the axis."""
    written = [mark for mark in drawing.marks if isinstance(mark, Text)]
    ticks = [(mark.at[1], float(mark.text)) for mark in written if mark.anchor == "end"]
    (y0, v0), (y1, v1) = ticks[0], ticks[-1]
    return lambda y: v0 + (np.asarray(y) - y0) / (y1 - y0) * (v1 - v0)


def numbers(attention: LayerAttention, **named) -> tuple[np.ndarray, float]:
    """The heads of the bars and their foot, read off the axis."""
    drawing = bars_drawing(attention, **named)
    bars = next(mark for mark in drawing.marks if isinstance(mark, Bars))
    feet = scale_of(drawing)(bars.feet)
    assert np.ptp(feet) < 1e-9
    return scale_of(drawing)(bars.heads), float(feet[0])


def test_the_bars_are_as_high_as_the_weights():
    weights = np.random.default_rng(0).random(256).astype(np.float32)
    by_index, foot = numbers(layer(None, "se", weights))
    np.testing.assert_allclose(by_index, weights, atol=1e-6)
    assert foot == pytest.approx(0)
    by_size, _ = numbers(layer(None, "se", weights), order="size")
    np.testing.assert_allclose(by_size, np.sort(weights)[::-1], atol=1e-6)
    surprising, _ = numbers(layer(None, "se", weights), order="surprise")
    assert (np.diff(np.abs(surprising - weights.mean())) <= 1e-6).all()
    np.testing.assert_allclose(np.sort(surprising), np.sort(weights), atol=1e-6)
    _, foot = numbers(layer(np.ones((2, 2), np.float32), "bam", weights + 1))
    assert foot == pytest.approx(1)


def test_bars_on_another_scale_stand_on_their_mean_over_their_own_range():
    weights = np.array([0.25, 0.5, np.nan, 0.75, 0.7], np.float32)
    for scale in ("map", "stage", "network", "shown"):
        heads, foot = numbers(layer(None, "se", weights), scale=scale)
        said = texts(bars_drawing(layer(None, "se", weights), scale=scale))
        np.testing.assert_allclose(heads, weights, atol=1e-6)
        assert foot == pytest.approx(np.nanmean(weights), abs=1e-6)
        assert {"0.25", "0.75", "bars from their mean, over their own range"} <= set(said)
    flat = layer(None, "se", np.full(8, 0.5, np.float32))
    assert numbers(flat, scale="map")[1] == pytest.approx(0) and not any(
        "from their mean" in said for said in texts(bars_drawing(flat))
    )


def test_paths_share_a_channel_one_upon_the_other():
    paths = replace(
        layer(None, "sk"),
        channel=None,
        paths=np.array([[0.25, 0.5], [0.75, 0.5]], np.float32),
        formula="none",
    )
    first, second = (mark for mark in bars_drawing(paths).marks if isinstance(mark, Bars))
    assert (
        np.array_equal(first.heads, second.feet)
        and first.colour == PATHS[0]
        and {"path 1", "path 2"} <= set(texts(bars_drawing(paths)))
    )
    np.testing.assert_allclose(scale_of(bars_drawing(paths))(second.heads), 1)
    heads, foot = numbers(paths, scale="map")
    np.testing.assert_allclose(heads, [0.25, 0.5])
    assert foot == pytest.approx(0.375)


@pytest.mark.parametrize("order", ["index", "size"])
def test_the_strongest_are_named_and_no_name_lies_on_another(order):
    weights = np.full(64, 0.2, np.float32)
    weights[[3, 17, 18, 40, 63]] = 0.9
    names = [
        mark
        for mark in bars_drawing(layer(None, "se", weights), order).marks
        if isinstance(mark, Text) and mark.rise == "top"
    ]
    above = [mark for mark in names if mark.at[1] < 100]
    assert {mark.text for mark in above} == {"3", "17", "18", "40", "63"}
    assert (np.diff(sorted(mark.at[0] for mark in above)) > 12).all()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("count", [4, 64, 700, 2048])
def test_a_pixel_has_as_much_of_the_colour_as_the_bars_cover(count, dark):
    weights = np.random.default_rng(count).random(count).astype(np.float32)
    drawing = bars_drawing(layer(None, "se", weights), dark=dark)
    bars = next(mark for mark in drawing.marks if isinstance(mark, Bars))
    alone = Drawing(drawing.width, drawing.height, drawing.ground, [bars])
    pixels = np.asarray(alone.image(), float)
    ground, colour = (
        255 * np.array(to_rgb(each))
        for each in (DARK_GROUND if dark else "white", DARK_ACCENT if dark else ACCENT)
    )
    share = ((pixels - ground) @ (colour - ground)) / ((colour - ground) @ (colour - ground))
    scale = 150 / 72
    area = np.abs(bars.heads - bars.feet).sum() * (bars.right - bars.left) / count * scale**2
    assert share.sum() == pytest.approx(area, rel=0.004)
    column = round((bars.left + (bars.right - bars.left) * (0.5 / count)) * scale)
    if count == 4:  # wide enough to be alone in a pixel
        assert share[:, column].sum() == pytest.approx(abs(bars.heads[0] - bars.feet[0]) * scale, abs=0.5)


def test_an_unknown_weight_is_no_bar_and_none_known_no_picture_less():
    weights = np.array([0.5, np.nan, 0.25], np.float32)
    bars = next(mark for mark in bars_drawing(layer(None, "se", weights)).marks if isinstance(mark, Bars))
    pixels = np.asarray(Drawing(460, 288, "#ffffff", [bars]).image())
    middle = round((bars.left + bars.right) / 2 * 150 / 72)
    assert (pixels[:, middle] == 255).all() and (pixels[:, middle // 2 + 100] != 255).any()
    with pytest.raises(ValueError, match="no channel weights"):
        bars_drawing(replace(layer(None, "se"), channel=None))
    with pytest.raises(ValueError, match="backwards"):
        bars_drawing(layer(None, "se"), order="backwards")


def test_files_hold_text_as_text_and_no_metadata():
    title = "<b>$x_1^{$.png\nand more"
    files = bars_drawing(layer(None, "se"), title=title).files()
    assert files == bars_drawing(layer(None, "se"), title=title).files()
    assert set(Image.open(io.BytesIO(files["png"])).info) <= {"dpi"}
    said = "".join(ElementTree.fromstring(files["svg"]).itertext())
    assert "<b>$x_1^{$.png" in said and "and more" in said and "16 channels by index" in said


def test_a_picture_as_an_svg_draws_it(tmp_path):
    weights = np.array([1, 0.5, 0, 0.25], np.float32)
    drawing = bars_drawing(layer(None, "se", weights))
    bars = next(mark for mark in drawing.marks if isinstance(mark, Bars))
    path = next(each for each in ElementTree.fromstring(drawing.svg()) if each.tag.endswith("path")).attrib[
        "d"
    ]
    boxes = [
        piece.replace("V", " ").replace("H", " ").split()
        for piece in path.removesuffix("Z").removeprefix("M").split("ZM")
    ]
    assert [float(box[2]) for box in boxes] == pytest.approx(bars.heads.tolist(), abs=0.01) and float(
        boxes[-1][3]
    ) == bars.right


def test_a_slanted_line_is_as_dark_as_it_is_long():
    drawing = Drawing(100, 100, "#ffffff", [Line((10, 10), (70, 90), "#000000", 1.0)])
    dark = (1 - np.asarray(drawing.image(72).convert("L"), float) / 255).sum()
    assert dark == pytest.approx(100, rel=0.15)
