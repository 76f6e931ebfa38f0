"""Channel weights as bars: as high as the numbers, on the scale that is printed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.drawings import left_ticks, marks_of, outside, scale_of, svg_text, texts
from helpers.made_traces import layer

from attnviz.capture.layer_attention import LayerAttention
from attnviz.drawing.bars import bars_drawing
from attnviz.drawing.marks import Bars, Line, Text
from attnviz.drawing.style import DARK, LIGHT, PATHS


def heads_and_foot(attention: LayerAttention, **options) -> tuple[np.ndarray, float]:
    """The heads of the bars and their foot, read off the axis."""
    drawing = bars_drawing(attention, **options)
    (bars,) = marks_of(drawing, Bars)
    read = scale_of(left_ticks(drawing))
    assert np.ptp(read(bars.feet)) < 1e-9
    return read(bars.heads), float(read(bars.feet)[0])


def shares_of_two_paths() -> LayerAttention:
    shares = np.array([[0.25, 0.5], [0.75, 0.5]], np.float32)
    return replace(layer(None, "sk"), channel=None, paths=shares, formula="none")


def test_the_bars_are_as_high_as_the_weights():
    weights = np.random.default_rng(0).random(256).astype(np.float32)
    by_index, foot = heads_and_foot(layer(None, "se", weights))
    np.testing.assert_allclose(by_index, weights, atol=1e-6)
    assert foot == pytest.approx(0)
    by_size, _ = heads_and_foot(layer(None, "se", weights), order="size")
    np.testing.assert_allclose(by_size, np.sort(weights)[::-1], atol=1e-6)
    surprising, _ = heads_and_foot(layer(None, "se", weights), order="surprise")
    assert (np.diff(np.abs(surprising - weights.mean())) <= 1e-6).all()
    np.testing.assert_allclose(np.sort(surprising), np.sort(weights), atol=1e-6)
    _, foot = heads_and_foot(layer(np.ones((2, 2), np.float32), "bam", weights + 1))
    assert foot == pytest.approx(1)


def test_bars_on_another_scale_stand_on_their_mean_over_their_own_range():
    weights = np.array([0.25, 0.5, np.nan, 0.75, 0.7], np.float32)
    for scale in ("map", "stage", "network", "shown"):
        heads, foot = heads_and_foot(layer(None, "se", weights), scale=scale)
        np.testing.assert_allclose(heads, weights, atol=1e-6)
        assert foot == pytest.approx(np.nanmean(weights), abs=1e-6)
        written = set(texts(bars_drawing(layer(None, "se", weights), scale=scale)))
        assert {"0.3", "0.7", "bars from their mean, over their own range"} <= written
    flat = layer(None, "se", np.full(8, 0.5, np.float32))
    assert heads_and_foot(flat, scale="map")[1] == pytest.approx(0)
    assert not any("from their mean" in text for text in texts(bars_drawing(flat)))


def test_the_mean_is_a_dashed_line_at_its_height():
    weights = np.array([0.25, 0.5, 0.9], np.float32)
    drawing = bars_drawing(layer(None, "se", weights))
    (mean,) = [line for line in marks_of(drawing, Line) if line.dash]
    assert scale_of(left_ticks(drawing))(mean.start[1]) == pytest.approx(weights.mean(), abs=1e-6)
    assert mean.start[1] == mean.end[1] and {"mean", "0.55"} <= set(texts(drawing))


def test_paths_share_a_channel_one_upon_the_other():
    paths = shares_of_two_paths()
    drawing = bars_drawing(paths)
    first, second = marks_of(drawing, Bars)
    assert np.array_equal(first.heads, second.feet) and (first.colour, second.colour) == PATHS[:2]
    assert {"path 1", "path 2", "share of each of 2 paths"} <= set(texts(drawing))
    np.testing.assert_allclose(scale_of(left_ticks(drawing))(second.heads), 1)
    heads, foot = heads_and_foot(paths, scale="map")
    np.testing.assert_allclose(heads, [0.25, 0.5])
    assert foot == pytest.approx(0.375)


@pytest.mark.parametrize("order", ["index", "size"])
def test_the_strongest_are_named_and_no_name_lies_on_another(order):
    weights = np.full(64, 0.2, np.float32)
    weights[[3, 17, 18, 40, 63]] = 0.9
    drawing = bars_drawing(layer(None, "se", weights), order)
    names = [mark for mark in marks_of(drawing, Text) if mark.rise == "top" and mark.at[1] < 100]
    assert {mark.text for mark in names} == {"3", "17", "18", "40", "63"}
    assert (np.diff(sorted(mark.at[0] for mark in names)) > 12).all()


@pytest.mark.parametrize(("count", "step"), [(9, 1), (10, 2), (64, 10), (512, 100), (2048, 500)])
def test_round_places_are_named_below_the_bars(count, step):
    drawing = bars_drawing(layer(None, "se", np.linspace(0, 1, count, dtype=np.float32)))
    (bars,) = marks_of(drawing, Bars)
    below = [mark for mark in marks_of(drawing, Text) if mark.rise == "top" and mark.at[1] > 200]
    assert [int(mark.text) for mark in below] == list(range(0, count, step))
    for mark in below:
        middle = bars.left + (int(mark.text) + 0.5) * (bars.right - bars.left) / count
        assert mark.at[0] == pytest.approx(middle)


def test_an_unknown_weight_is_no_bar_and_none_known_no_picture_less():
    weights = np.array([0.5, np.nan, 0.25], np.float32)
    heads, _ = heads_and_foot(layer(None, "se", weights))
    assert np.isnan(heads).tolist() == [False, True, False]
    unknown = bars_drawing(layer(None, "se", np.full(4, np.nan, np.float32)))
    assert "4 channels by index" in texts(unknown) and "mean" not in texts(unknown)
    assert not outside(unknown) and unknown.files().keys() == {"png", "svg"}


def test_no_weights_and_no_such_order_are_errors():
    with pytest.raises(ValueError, match="no channel weights"):
        bars_drawing(replace(layer(None, "se"), channel=None))
    with pytest.raises(ValueError, match="backwards"):
        bars_drawing(layer(None, "se"), order="backwards")


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)])
def test_a_title_of_several_lines_takes_room_of_its_own(dark, colours):
    plain, titled = (bars_drawing(layer(None, "se"), dark=dark, title=title) for title in ("", "a\n<b>\nc"))
    assert titled.height == plain.height + 2 * 14 and not outside(titled)
    assert "<b>" in svg_text(titled.svg()) and "16 channels by index" in svg_text(titled.svg())
    assert titled.ground == colours.ground and marks_of(titled, Bars)[0].colour == colours.accent
