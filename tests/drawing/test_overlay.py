"""The map lies exactly on the part of the photo that it covers, in the colours of its numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.drawings import lit
from helpers.made_traces import GREY, layer, one_hot, trace_of
from matplotlib import colormaps
from PIL import Image

from attnviz import Photo, Recipe, Region, Trace
from attnviz.drawing.look import Look
from attnviz.drawing.overlay import overlay, scale_colours
from attnviz.drawing.style import UNDEFINED
from attnviz.photos.geometry import crop

OPAQUE = Look(opacity=1.0)


def test_a_cell_lights_exactly_its_rectangle_of_the_whole_photo():
    square = trace_of(layer(one_hot(8, 8, 2, 5)))
    assert lit(overlay(square, "layer4.1", OPAQUE)) == (280, 112, 336, 168)
    # the input is 256 × 341, so the last column hangs over
    wide = trace_of(layer(one_hot(8, 11, 3, 10)), width=1364, height=1024)
    assert lit(overlay(wide, "layer4.1", OPAQUE)) == (1280, 384, 1364, 512)


def test_a_crops_map_lies_on_the_crop_and_the_rest_of_the_photo_stays_as_it_is():
    trace = trace_of(layer(one_hot(7, 7, 0, 0)), width=640, height=512, view=crop)
    assert trace.region.box == (96, 32, 544, 480)
    drawn = np.asarray(overlay(trace, "layer4.1", OPAQUE))
    assert lit(Image.fromarray(drawn)) == (96, 32, 160, 96)
    outside = drawn.copy()
    outside[32:480, 96:544] = GREY
    assert (outside == GREY).all() and not (drawn[32:480, 96:544] == GREY).all(-1).any()


@pytest.mark.slow
def test_smoothing_peaks_inside_the_cell_and_never_leaves_the_maps_range():
    values = np.random.default_rng(0).uniform(0.2, 0.6, (7, 7)).astype(np.float32)
    values[4, 2] = 0.9
    trace = trace_of(layer(values), view=crop)
    drawn = np.asarray(overlay(trace, "layer4.1", Look(1.0, smooth=True, colormap="viridis")))
    table = np.rint(colormaps["viridis"](np.linspace(0, 1, 256))[:, :3] * 255)
    inner = drawn[28:420, 28:420].astype(int)
    level = np.abs(inner[:, :, None, :] - table[None, None]).sum(-1).argmin(-1) / 255
    row, column = np.unravel_index(level.argmax(), level.shape)
    assert 4 * 56 <= row < 5 * 56 and 2 * 56 <= column < 3 * 56
    assert level.min() >= values.min() - 0.01 and level.max() <= 0.9 + 0.01


@pytest.mark.parametrize("scale", ["fixed", "map", "shown"])
def test_a_constant_map_is_one_flat_colour_on_its_own_scale_too(scale):
    trace = trace_of(layer(np.full((7, 7), 0.5, np.float32)))
    drawn = np.asarray(overlay(trace, "layer4.1", Look(1.0, scale=scale)))
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 1
    np.testing.assert_allclose(drawn[0, 0], np.array(colormaps["viridis"](0.5)[:3]) * 255, atol=1)


def test_opacity_blends_photo_and_colour():
    trace = trace_of(layer(np.ones((7, 7), np.float32)))
    colour = 255 * np.array(colormaps["viridis"](1.0)[:3])
    half = np.asarray(overlay(trace, "layer4.1", Look(opacity=0.5)))
    np.testing.assert_allclose(half[0, 0], 0.5 * GREY + 0.5 * colour, atol=1)
    assert (np.asarray(overlay(trace, "layer4.1", Look(opacity=0))) == GREY).all()


def coloured_trace(values: np.ndarray, kind: str = "cbam") -> Trace:
    """A trace of a photo of one colour that is no grey."""
    trace = trace_of(layer(values, kind))
    pixels = np.empty_like(trace.photo.pixels)
    pixels[:] = (200, 120, 40)
    return replace(trace, source=Photo(pixels, "colour.png"))


def test_the_photo_below_colours_is_grey_so_that_each_colour_is_the_bars():
    trace = coloured_trace(np.full((7, 7), 0.25, np.float32))
    look = Look(opacity=0.6)
    drawn = np.asarray(overlay(trace, "layer4.1", look)).astype(int)
    bar = np.asarray(scale_colours(look, (0.0, 1.0))).astype(int)[0]
    away = drawn[0, 0] - bar[64]  # of 256 colours; the photo's grey is not the middle one
    assert np.ptp(away) <= 2
    assert (np.asarray(overlay(trace, "layer4.1", Look(opacity=0))) == trace.photo.pixels).all()


@pytest.mark.parametrize(("kind", "factor", "share"), [("cbam", 0.25, 0.25), ("bam", 1.5, 0.75)])
def test_a_dimmed_photo_is_the_photo_times_the_factor_as_a_share_of_the_greatest(kind, factor, share):
    trace = coloured_trace(np.full((7, 7), factor, np.float32), kind)
    drawn = np.asarray(overlay(trace, "layer4.1", Look(way="dim")))
    np.testing.assert_allclose(drawn, share * trace.photo.pixels, atol=1.5)


def test_the_scale_of_a_dimmed_photo_is_what_becomes_of_white():
    for span in ((0.0, 1.0), (1.0, 2.0)):
        bar = np.asarray(scale_colours(Look(way="dim"), span))[0, :, 0]
        assert bar[-1] == 255 and abs(int(bar[0]) - 255 * span[0] / span[1]) <= 1
    own = np.asarray(scale_colours(Look(way="dim", scale="map"), (0.4, 0.6)))[0, :, 0]
    assert own[0] == 0 and own[-1] == 255


def test_of_a_dimmed_photo_what_can_not_be_known_is_grey_and_what_was_not_seen_is_pale():
    values = np.full((7, 7), 0.5, np.float32)
    values[0, 0] = np.nan
    trace = trace_of(layer(values), width=640, height=512, view=crop)
    drawn = np.asarray(overlay(trace, "layer4.1", Look(way="dim")))
    assert (drawn[40, 100] == UNDEFINED).all() and (drawn[300, 300] == GREY // 2).all()
    assert (drawn[0, 0] > GREY + 0.5 * (255 - GREY)).all()


def test_a_layer_without_a_map_is_an_error():
    with pytest.raises(ValueError, match="no spatial map"):
        overlay(trace_of(layer(None, "se")), "layer4.1")


def test_a_region_that_no_pixel_centre_lies_in_leaves_the_photo():
    attention = layer(np.ones((1, 1), np.float32))
    photo = Photo(np.full((1, 1, 3), GREY, np.uint8), "one.png")
    region = Region((0.1, 0.1, 0.4, 0.4), (224, 224))
    trace = Trace("toy", photo, Recipe(), region, np.zeros(1, np.float32), ("a",), {"layer4.1": attention})
    assert np.asarray(overlay(trace, "layer4.1", OPAQUE)).tolist() == [[[GREY] * 3]]
