"""The steps of a mechanism are drawn as what they are."""

from __future__ import annotations

import re

import numpy as np
import pytest
from helpers.browser_actions import pixels
from helpers.made_traces import trace_of
from playwright.sync_api import Page, expect

from attnviz import LayerAttention
from attnviz.viewer.standalone import html

HEIGHT = 64  # px, of a picture of bars
MAP = np.linspace(0.2, 0.9, 20, dtype=np.float32).reshape(4, 5)


def float32(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@pytest.fixture
def mechanism_of(open_file, tmp_path):
    """Opens a file with one layer, and gives the cards of its steps."""

    def cards(layer: LayerAttention) -> Page:
        path = tmp_path / "page.html"
        path.write_text(html([trace_of(layer)]), encoding="utf-8")
        return open_file(path).locator(".av-step")

    return cards


def bars_of(cards, title: str, count: int) -> list[tuple[int, int]]:
    """Where the bars of a step begin and end, in pixels from the picture's foot; a channel each."""
    card = cards.filter(has=cards.page.locator(".av-step-title", has_text=re.compile(f"{title}$")))
    expect(card).to_have_count(1)
    picture = pixels(card, "canvas").sum(2) > 0  # what is not painted is transparent, so black
    assert picture.shape[0] == HEIGHT
    middles = (np.arange(count) + 0.5) * picture.shape[1] / count
    rows = [HEIGHT - np.flatnonzero(picture[:, int(middle)]) for middle in middles]
    return [(int(row.min()) - 1, int(row.max())) if row.size else (0, 0) for row in rows]


def test_a_gates_bars_stand_on_the_least_that_it_can_be(mechanism_of):
    factors = float32(1.25, 1.5, 1.75, 1.0)
    logits = float32(-2, 1, 2, -1)
    layer = LayerAttention(
        "bam1",
        "bam",
        (4, 4, 5),
        channel=factors,
        spatial=1 + MAP,
        channel_logits=logits,
        spatial_logits=MAP,
        formula="bam sum",
    )
    cards = mechanism_of(layer)
    bars = bars_of(cards, "Bars: mean over places", 4)
    np.testing.assert_allclose(bars, [(0, 16), (0, 32), (0, 48), (0, 0)], atol=1)
    bars = bars_of(cards, "Channel branch", 4)  # from -2 to 2: on zero, in the middle
    np.testing.assert_allclose(bars, [(0, 32), (32, 48), (32, 64), (16, 32)], atol=1)


def test_a_gate_that_goes_below_zero_stands_below_it_too(mechanism_of):
    layer = LayerAttention("layer1.0", "channel", (4, 4, 5), channel=float32(-0.5, 2, 0.5, -1))
    assert layer.limits == (-1, 2)
    bars = bars_of(mechanism_of(layer), "Channel weights", 4)
    np.testing.assert_allclose(bars, [(0, 64 / 6), (0, 64), (0, 32), (0, 0)], atol=1)


def test_the_shares_of_a_pooled_context_are_a_step(mechanism_of):
    layer = LayerAttention("layer1.0", "gc", (4, 4, 5), formula="none", pooling=MAP / MAP.sum())
    cards = mechanism_of(layer)
    expect(cards.locator(".av-step-title")).to_have_text(["Shares of the places"])
