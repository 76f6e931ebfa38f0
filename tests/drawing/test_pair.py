"""Two photos' weights are dots at their numbers, and those that differ most are named."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.drawings import left_ticks, marks_of, outside, scale_of, svg_text, texts
from helpers.made_traces import layer, trace_of

from attnviz.drawing.canvas import Drawing
from attnviz.drawing.marks import Dot, Text
from attnviz.drawing.pair import Pair, pair_drawing
from attnviz.drawing.style import DARK, LIGHT

SQUARE_LEFT, TABLE_LEFT = 64, 416


def weights_of_two_photos() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(0.2, 0.6, 64).astype(np.float32) for _ in range(2))
    a[5], b[5], a[9] = 0.1, 0.9, np.nan
    return a, b


def pair_of(a: np.ndarray, b: np.ndarray, scale: str = "fixed") -> Pair:
    first = trace_of(layer(None, "se", a), name="$a$.png")
    return Pair("layer4.1", first, trace_of(layer(None, "se", b), name="b.png"), scale)


def ticks_below(drawing: Drawing) -> list[tuple[float, float]]:
    labels = [mark for mark in marks_of(drawing, Text) if (mark.anchor, mark.rise) == ("middle", "top")]
    return [(mark.at[0], float(mark.text)) for mark in labels if "." in mark.text[:2]]


@pytest.mark.parametrize("scale", ["fixed", "map"])
def test_weights_are_dots_where_the_axes_say_and_the_most_different_are_on_top(scale):
    a, b = weights_of_two_photos()
    drawing, most = pair_drawing(pair_of(a, b, scale)), pair_of(a, b).most_different
    assert most[0] == 5 and most == np.argsort(-np.abs(np.nan_to_num(b - a)), kind="stable")[:10].tolist()
    dots = marks_of(drawing, Dot)
    assert len(dots) == 63  # one channel is unknown
    assert {dot.colour for dot in dots[-10:]} == {LIGHT.ink}
    assert LIGHT.ink not in {dot.colour for dot in dots[:-10]}
    across, up = scale_of(ticks_below(drawing)), scale_of(left_ticks(drawing))
    np.testing.assert_allclose(across([dot.at[0] for dot in dots[-10:]]), a[most], atol=0.006)
    np.testing.assert_allclose(up([dot.at[1] for dot in dots[-10:]]), b[most], atol=0.006)
    low, high = left_ticks(drawing)[0][1], left_ticks(drawing)[-1][1]
    assert (low, high) == (0, 1) if scale == "fixed" else (low, high) == (0.2, 0.8)


def test_the_most_different_are_named_beside_their_dots_and_in_the_table():
    pair = pair_of(*weights_of_two_photos())
    drawing = pair_drawing(pair)
    written = marks_of(drawing, Text)
    table = [mark.text for mark in written if mark.at[0] > TABLE_LEFT]
    assert [text for text in table if text.isdigit()] == [str(channel) for channel in pair.most_different]
    assert "5" in [mark.text for mark in written if SQUARE_LEFT < mark.at[0] < TABLE_LEFT - 16]
    assert {"0.100", "0.900", "0.800"} <= set(table) and not outside(drawing)


def test_the_axes_say_which_photo_is_which():
    drawn = pair_drawing(pair_of(*weights_of_two_photos())).svg()
    assert "photo A · $a$.png" in svg_text(drawn) and "photo B · b.png" in svg_text(drawn)


def test_a_photo_beside_itself_lies_on_the_diagonal_in_either_theme():
    weights, _ = weights_of_two_photos()
    for dark, colours in ((False, LIGHT), (True, DARK)):
        drawing = pair_drawing(pair_of(weights, weights, "map"), dark)
        dots = marks_of(drawing, Dot)
        assert [dot.at[0] - 64 for dot in dots] == pytest.approx([344 - dot.at[1] for dot in dots])
        assert drawing.ground == colours.ground and colours.accent in {dot.colour for dot in dots}
        assert "The 10 channels that differ most" in texts(drawing)


@pytest.mark.parametrize("spread", [0.02, 0.2])
def test_no_number_lies_on_a_dot_or_on_another_number(spread):
    rng = np.random.default_rng(1)
    a = rng.normal(0.5, 0.1, 256).astype(np.float32)
    drawing = pair_drawing(pair_of(a, (a + rng.normal(0, spread, 256)).astype(np.float32), "map"))
    names = [
        mark
        for mark in marks_of(drawing, Text)
        if (mark.anchor, mark.rise) == ("middle", "middle") and not mark.turned
    ]
    assert len(names) >= 8
    dots = np.array([dot.at for dot in marks_of(drawing, Dot)])
    for mark in names:
        away = np.abs(dots - mark.at) - (2.6 * len(mark.text), 4.0)
        assert (away.max(1) > 0).all(), mark.text
        for other in names:
            apart = np.abs(np.subtract(other.at, mark.at))
            assert other is mark or apart[0] > 2.6 * (len(mark.text) + len(other.text)) or apart[1] > 8
