from __future__ import annotations

import base64
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers.made_traces import GREY, layer, trace_of
from matplotlib import colormaps
from PIL import Image

from attnviz import LayerAttention, Photo, Recipe, Region, Trace
from attnviz.analysis import map_range, stage_of
from attnviz.drawing.canvas import Bars, Dot, Drawing, Picture, Text
from attnviz.drawing.channel import Channel, channel_drawing
from attnviz.drawing.heatmap import painted
from attnviz.drawing.overlay import Look, map_drawing, overlay
from attnviz.drawing.overview import overview_drawing
from attnviz.drawing.pair import Pair, pair_csv, pair_drawing
from attnviz.drawing.steps import steps_drawing
from attnviz.photos.geometry import crop


def texts(drawing: Drawing) -> list[str]:
    return [mark.text for mark in drawing.marks if isinstance(mark, Text)]


def pictures(drawing: Drawing) -> list[Image.Image]:
    """All but the colour bars."""
    return [mark.image for mark in drawing.marks if isinstance(mark, Picture) and mark.image.size != (256, 1)]


def same(one: Image.Image, other: Image.Image) -> bool:
    return np.array_equal(np.asarray(one), np.asarray(other))


def one_hot(rows: int, columns: int, row: int, column: int) -> np.ndarray:
    values = np.zeros((rows, columns), np.float32)
    values[row, column] = 1
    return values


def lit(drawn: Image.Image) -> tuple[int, int, int, int]:
    """The box of the pixels that have the colour of 1."""
    hot = np.rint(np.array(colormaps["viridis"](1.0)[:3]) * 255)
    rows, columns = np.nonzero((np.abs(np.asarray(drawn).astype(int) - hot) <= 1).all(-1))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


OPAQUE = Look(opacity=1.0)


def test_a_cell_lights_exactly_its_rectangle_of_the_whole_photo():
    square = trace_of(layer(one_hot(8, 8, 2, 5)))
    assert lit(overlay(square, "layer4.1", OPAQUE)) == (280, 112, 336, 168)
    wide = trace_of(
        layer(one_hot(8, 11, 3, 10)), width=1364, height=1024
    )  # input 256 × 341, the last column hangs over
    assert lit(overlay(wide, "layer4.1", OPAQUE)) == (1280, 384, 1364, 512)


def test_a_crops_map_lies_on_the_crop_and_the_rest_of_the_photo_stays_as_it_is():
    trace = trace_of(layer(one_hot(7, 7, 0, 0)), width=640, height=512, view=crop)
    left, top, right, bottom = trace.region.box
    assert (left, top, right, bottom) == (96, 32, 544, 480)
    drawn = np.asarray(overlay(trace, "layer4.1", OPAQUE))
    assert lit(Image.fromarray(drawn)) == (96, 32, 160, 96)
    outside = drawn.copy()
    outside[32:480, 96:544] = GREY
    assert (outside == GREY).all() and not (drawn[32:480, 96:544] == GREY).all(-1).any()


def test_smoothing_peaks_inside_the_cell_and_never_leaves_the_maps_range():
    values = np.random.default_rng(0).uniform(0.2, 0.6, (7, 7)).astype(np.float32)
    values[4, 2] = 0.9
    trace = trace_of(layer(values), view=crop)
    drawn = np.asarray(overlay(trace, "layer4.1", Look(1.0, smooth=True, colormap="viridis")))
    table = np.rint(colormaps["viridis"](np.linspace(0, 1, 256))[:, :3] * 255)
    seen = drawn[28:420, 28:420].astype(int)
    level = np.abs(seen[:, :, None, :] - table[None, None]).sum(-1).argmin(-1) / 255
    row, column = np.unravel_index(level.argmax(), level.shape)
    assert 4 * 56 <= row < 5 * 56 and 2 * 56 <= column < 3 * 56
    assert level.min() >= values.min() - 0.01 and level.max() <= 0.9 + 0.01


def test_a_constant_map_is_one_flat_colour_on_its_own_scale_too():
    for scale in ("fixed", "map", "shown"):
        drawn = np.asarray(
            overlay(trace_of(layer(np.full((7, 7), 0.5, np.float32))), "layer4.1", Look(1.0, scale=scale))
        )
        assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 1
        np.testing.assert_allclose(drawn[0, 0], np.array(colormaps["viridis"](0.5)[:3]) * 255, atol=1)


def test_opacity_blends_photo_and_colour():
    half = np.asarray(overlay(trace_of(layer(np.ones((7, 7), np.float32))), "layer4.1", Look(opacity=0.5)))[
        0, 0
    ]
    np.testing.assert_allclose(half, 0.5 * GREY + 0.5 * 255 * np.array(colormaps["viridis"](1.0)[:3]), atol=1)
    assert (
        np.asarray(overlay(trace_of(layer(np.ones((7, 7), np.float32))), "layer4.1", Look(opacity=0))) == GREY
    ).all()


def test_each_scale_spans_the_maps_that_it_names():
    def network(**maps: list[float]) -> Trace:
        layers = {name: layer(np.array([values], np.float32), name=name) for name, values in maps.items()}
        return replace(trace_of(layers["bam3"]), layers=layers)

    trace = network(layer2=[0.0, 1.0], layer3=[0.25, 0.5], bam3=[0.375, 0.75])
    other = network(bam3=[0.5, 1.5], layer3=[np.nan, np.nan])
    ranges = {
        scale: map_range(trace, "bam3", scale, [trace, other])
        for scale in ("fixed", "map", "stage", "network", "shown")
    }
    assert ranges == {
        "fixed": (0, 1),
        "map": (0.375, 0.75),
        "stage": (0.25, 0.75),
        "network": (0, 1),
        "shown": (0, 1.5),
    }
    assert map_range(other, "layer3", "map") == (0, 1)
    with pytest.raises(ValueError, match="stretched"):
        map_range(trace, "bam3", "stretched")


def test_shares_of_a_context_are_on_no_scale_with_factors():
    shares = LayerAttention(
        "layer4.0", "gc", (16, 1, 2), pooling=np.array([[0.25, 0.75]], np.float32), formula="none"
    )
    trace = trace_of(layer(np.array([[0.0, 1.0]], np.float32)))
    assert map_range(replace(trace, layers={**trace.layers, "layer4.0": shares}), "layer4.0", "network") == (
        0.25,
        0.75,
    )


def test_a_layers_name_says_its_stage():
    assert [
        stage_of(name) for name in ("layer3.1", "bam3", "features.stage3.unit2.se", "blocks.3.0", "neck")
    ] == ["stage 3", "after stage 3", "stage 3", "stage 3", ""]


def test_the_colour_bar_carries_the_scale_and_the_maps_own_range():
    trace = trace_of(layer(np.array([[0.25, 0.75]], np.float32)))
    for scale, ends, words in (("fixed", ("0.00", "1.00"), "can be"), ("map", ("0.25", "0.75"), "own range")):
        drawing = map_drawing(trace, "layer4.1", Look(scale=scale))
        said = texts(drawing)
        assert "1 × 2 cells" in said[0] and said[1] == ends[0] and said[6] == ends[1]
        assert "0.250 to 0.750" in said[7] and words in said[8]
        assert same(pictures(drawing)[0], overlay(trace, "layer4.1", Look(scale=scale)))
        bar = next(
            mark for mark in drawing.marks if isinstance(mark, Picture) and mark.image.size == (256, 1)
        )
        np.testing.assert_allclose(
            np.asarray(bar.image)[0], colormaps["viridis"](np.arange(256))[:, :3] * 255, atol=0.5
        )


def channel(before: np.ndarray, after: np.ndarray, index: int = 3) -> Channel:
    return Channel("layer4.1", index, before.astype(np.float32), after.astype(np.float32))


def test_a_channel_before_and_after_is_on_one_scale_and_the_gate_on_its_own():
    gate = np.array([[0.5, 1.0, 0.25]], np.float32)
    trace = trace_of(layer(gate, channel=np.full(16, 0.5, np.float32)))
    before = np.array([[1.0, 4.0, 2.0]])
    drawing = channel_drawing(trace, channel(before, before * gate / 2), Look(colormap="magma"))
    expected = [
        painted(values, *span, "magma")
        for values, span in ((before, (0, 4)), (before * gate / 2, (0, 4)), (gate / 2, (0, 1)))
    ]
    assert all(same(one, other) for one, other in zip(pictures(drawing), expected, strict=True))
    said = texts(drawing)
    assert [word for word in said if word in ("before", "after", "the gate")] == [
        "before",
        "after",
        "the gate",
    ]
    assert said[2:9] == ["0", "1", "2", "3", "4", "1 to 4", "colours: one scale before and after"]
    signed = channel_drawing(trace, channel(-before, before), Look())
    for one, values in zip(pictures(signed), (-before, before)):
        assert same(one, painted(values.astype(np.float32), -4, 4, "coolwarm"))
    assert pictures(channel_drawing(trace, channel(before, before), Look(smooth=True)))[0].width >= 400


def test_a_gate_that_is_one_number_is_written_and_an_unknown_one_said():
    weights = np.linspace(0, 1, 16, dtype=np.float32)
    weights[4] = np.nan
    trace, seen = trace_of(layer(None, "se", weights)), np.zeros((7, 7))
    assert "× 0.2" in texts(channel_drawing(trace, channel(seen, seen, 3), Look()))
    assert "undefined" in texts(channel_drawing(trace, channel(seen, seen, 4), Look()))


@pytest.mark.parametrize("scale", ["fixed", "map"])
def test_two_photos_weights_are_dots_and_those_that_differ_most_are_named(scale):
    rng = np.random.default_rng(0)
    one, other = (rng.uniform(0.2, 0.6, 64).astype(np.float32) for _ in range(2))
    one[5], other[5], one[9] = 0.1, 0.9, np.nan
    traces = [
        trace_of(layer(None, "se", weights), name=name)
        for weights, name in ((one, "$a$.png"), (other, "b.png"))
    ]
    pair = Pair("layer4.1", *traces, scale)
    most = np.argsort(-np.abs(np.nan_to_num(other - one)), kind="stable")[:10].tolist()
    assert pair.most_different == most and most[0] == 5
    drawing = pair_drawing(pair)
    dots = [mark for mark in drawing.marks if isinstance(mark, Dot)]
    rest, named = dots[:-10], dots[-10:]
    assert len(rest) == 53 and {dot.colour for dot in named} != {dot.colour for dot in rest}
    written = [mark for mark in drawing.marks if isinstance(mark, Text)]
    upright = [(mark.at[1], float(mark.text)) for mark in written if mark.anchor == "end" and mark.at[0] < 64]
    level = [
        (mark.at[0], float(mark.text))
        for mark in written
        if mark.anchor == "middle" and mark.rise == "top" and "." in mark.text[:2]
    ]
    for axis, ticks, values in (
        (0, level, one),
        (1, upright, other),
    ):  # where the dots are, in the numbers beside the axes
        (p0, v0), (p1, v1) = ticks[0], ticks[-1]
        found = [v0 + (dot.at[axis] - p0) / (p1 - p0) * (v1 - v0) for dot in named]
        np.testing.assert_allclose(found, values[most], atol=0.006)
    table = [mark.text for mark in written if mark.at[0] > 420]
    assert [word for word in table if word.isdigit()] == [str(index) for index in most]
    assert "5" in [mark.text for mark in written if 64 < mark.at[0] < 400]
    ends = float(upright[0][1]), float(upright[-1][1])
    assert ends == (0, 1) if scale == "fixed" else 0 < ends[0] <= 0.11 and 0.89 < ends[1] < 1
    assert pair_csv(pair).decode().splitlines()[10] == f"9,,{float(other[9])!r},"
    for drawn in (drawing, pair_drawing(Pair("layer4.1", traces[0], traces[0], scale), dark=True)):
        assert drawn.image(60).width > 100


@pytest.mark.parametrize("dark", [False, True])
def test_drawings_become_pictures_whatever_the_shapes(dark):
    attention = layer(np.random.default_rng(0).random((2, 32)).astype(np.float32))
    for width, height in ((1024, 40), (40, 1024), (1, 1)):
        trace = trace_of(attention, width, height, name="<b>$x_1^{$.png")
        assert map_drawing(trace, "layer4.1", Look(dark=dark)).image(60).width > 100
        assert overview_drawing(trace, Look(dark=dark, scale="map")).image(60).width > 100
    assert overview_drawing(trace_of(layer(None, "se")), Look(dark=dark)).image(60).width > 100


def test_a_png_holds_no_metadata():
    again = Image.open(
        io.BytesIO(map_drawing(trace_of(layer(np.ones((2, 2), np.float32))), "layer4.1").png())
    )
    assert set(again.info) <= {"dpi"}


def test_an_svg_is_the_same_each_time_and_holds_text_as_text_and_the_picture_in_its_own_pixels():
    trace = trace_of(layer(np.random.default_rng(0).random((7, 7)).astype(np.float32)), name="<b>$x_1^{$.png")
    drawn = map_drawing(trace, "layer4.1").svg()
    assert drawn == map_drawing(trace, "layer4.1").svg() and b"Spatial attention of layer4.1" in drawn
    inside = next(each for each in ElementTree.fromstring(drawn) if each.tag.endswith("image"))
    data = base64.b64decode(inside.attrib["{http://www.w3.org/1999/xlink}href"].partition(",")[2])
    assert same(Image.open(io.BytesIO(data)), overlay(trace, "layer4.1"))
    assert "<b>$x_1^{$.png" in "".join(ElementTree.fromstring(overview_drawing(trace).svg()).itertext())


def test_cells_are_squares_in_the_picture_and_in_the_svg():
    values = np.array([[0.0, 1.0], [1.0, 0.5]], np.float32)
    drawing = steps_drawing(trace_of(layer(values)), "layer4.1", Look())
    place = next(mark for mark in drawing.marks if isinstance(mark, Picture) and mark.image.size == (2, 2))
    left, top, right, bottom = (round(each * 150 / 72) for each in place.box)
    drawn = np.asarray(drawing.image())[top:bottom, left:right]
    assert (
        len(np.unique(drawn.reshape(-1, 3), axis=0)) == 3
        and drawing.svg().count(b"image-rendering:pixelated") == 2
    )
    middle = drawn.shape[1] // 2
    assert (drawn[5, : middle - 2] == drawn[5, 0]).all() and (drawn[5, middle + 2 :] == drawn[5, -1]).all()


def test_the_overviews_maps_are_those_of_the_photo_made_smaller():
    trace = trace_of(layer(one_hot(8, 8, 2, 5)), width=1600, height=1600)
    drawn = pictures(overview_drawing(trace, OPAQUE))[0]
    assert drawn.size == (400, 400) and lit(drawn) == (250, 100, 300, 150)


def test_many_threads_can_draw_at_once():
    trace = trace_of(layer(np.random.default_rng(0).random((7, 7)).astype(np.float32)))
    alone = map_drawing(trace, "layer4.1").files()
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(lambda _: map_drawing(trace, "layer4.1").files(), range(8)))
    assert all(each == alone for each in drawn)


def test_a_step_is_drawn_around_zero_and_in_the_order_of_the_weights():
    weights, signed = np.array([0.25, 0.75, 0.5], np.float32), np.array([-1.0, 2.0, 0.5], np.float32)
    places = np.array([[-4.0, 1.0]], np.float32)
    attention = replace(
        layer(np.array([[1.25, 1.5]], np.float32), "bam", weights + 1),
        channel_logits=signed,
        spatial_logits=places,
    )
    drawing = steps_drawing(trace_of(attention), "layer4.1", Look(), "size")
    above, below, factor, _ = (mark for mark in drawing.marks if isinstance(mark, Bars))
    ticks = [
        (mark.at[1], float(mark.text.replace("−", "-")))
        for mark in drawing.marks
        if isinstance(mark, Text) and mark.anchor == "end"
    ]
    for bars, scale, heads, base in (
        (above, ticks[:3], [2, 0.5, 0], 0),
        (below, ticks[:3], [0, 0, -1], 0),
        (factor, ticks[3:], [1.75, 1.5, 1.25], 1),
    ):
        (y0, v0), (y1, v1) = scale[0], scale[-1]
        for values, expected in ((bars.heads, heads), (bars.feet, [base] * 3)):
            np.testing.assert_allclose(v0 + (values - y0) / (y1 - y0) * (v1 - v0), expected, atol=1e-6)
    assert [tick for _, tick in ticks] == [-2, 0, 2, 1, 1.5, 2]
    branch, gate = pictures(drawing)
    assert same(branch, painted(places, -4, 4, "coolwarm")) and same(
        gate, painted(attention.spatial, 1, 2, "viridis")
    )


def test_the_steps_that_were_kept_are_drawn_whatever_their_shapes():
    steps = (
        SimpleNamespace(name="hidden_units", values=np.ones(2)),
        SimpleNamespace(name="mean", values=np.zeros((2, 3))),
    )
    attention = replace(layer(np.ones((2, 3), np.float32)), steps=steps)
    drawing = steps_drawing(trace_of(attention), "layer4.1", Look(dark=True))
    titles = [mark.text for mark in drawing.marks if isinstance(mark, Text) and mark.size == 9]
    assert titles == ["hidden units", "factor of each channel", "mean", "factor of each place"]


def test_what_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="no spatial map"):
        overlay(trace_of(layer(None, "se")), "layer4.1")


def test_pyplot_and_its_global_state_are_not_used():
    code = "import sys, attnviz.export; sys.exit(bool({'matplotlib.pyplot', 'matplotlib.figure'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_region_that_no_pixel_centre_lies_in_leaves_the_photo():
    attention = layer(np.ones((1, 1), np.float32))
    photo = Photo(np.full((1, 1, 3), GREY, np.uint8), "one.png")
    region = Region((0.1, 0.1, 0.4, 0.4), (224, 224))
    trace = Trace("toy", photo, Recipe(), region, np.zeros(1, np.float32), ("a",), {"layer4.1": attention})
    assert np.asarray(overlay(trace, "layer4.1", OPAQUE)).tolist() == [[[GREY] * 3]]
