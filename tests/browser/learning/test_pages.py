"""The lesson's pages: each sets and marks what it speaks of, and is easy to read."""

from __future__ import annotations

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browser_actions import next_frame, speak
from helpers.lesson_page import PAGES, answer, go_to, state, title
from helpers.mechanisms_page import OUTSIDER, PHOTO
from playwright.sync_api import expect

from attnviz.languages.catalogue import say


def test_each_page_sets_its_network_and_marks_what_is_in_sight(open_app, traces):
    page = open_app(width=1280, height=720)
    for name, network in PAGES.items():
        go_to(page, name)
        photo = OUTSIDER if name == "reading" else PHOTO
        assert page.evaluate("attnviz.viewer.trace.asked.network") == network
        assert page.evaluate("attnviz.viewer.trace.asked.photo") == photo
        assert state(page, "layer")[0] in traces[photo, network].layers
        marked = page.locator(".av-explore *").evaluate_all(
            """all => all.filter((each) => getComputedStyle(each).outlineStyle === 'solid')
              .map((each) => each.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom])"""
        )
        assert any(top >= 0 and bottom <= 720 for top, bottom in marked), name
    page.keyboard.press("Escape")
    expect(page.locator(".av-lesson")).to_have_count(0)
    assert page.evaluate("document.adoptedStyleSheets.length") == 0


def test_what_a_cell_is_computed_from_lies_on_the_map_where_it_is_large_enough(open_app, traces):
    page = open_app()
    go_to(page, "map")
    layer, (row, column), around = state(page, "layer", "pin", "around")
    height, width = traces[PHOTO, "cbam"].layers[layer].grid
    assert around == 7
    if min(height, width) >= 7:
        assert 3 <= row < height - 3 and 3 <= column < width - 3


def test_the_channel_that_is_shown_has_a_telling_gate_where_there_is_one(open_app, traces):
    page = open_app()
    go_to(page, "gate")
    layer, channel = state(page, "layer", "channel")
    gates = traces[PHOTO, "se"].layers[layer].channel
    away = np.abs(gates - np.clip(gates, 0.2, 0.45))
    assert away[channel] == pytest.approx(away.min(), abs=1e-4)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_is_said_in_full_in_every_language(open_app, language):
    page = open_app()
    if language != "en":
        speak(page, language)
    for name in PAGES:
        page.evaluate(f"attnviz.viewer.set({{ learn: '{name}' }})")
        show = page.locator("[data-show]")
        if show.count():
            show.click()
        expect(title(page)).to_have_text(say(language, f"learn_{name}_title"))
        answer(page, 0)
        text = page.locator(".av-lesson").inner_text()
        assert not re.search(r"[{}]|undefined|NaN|learn_|null|\*\*", text), text
        assert bool(re.search("[\u4e00-\u9fff]", text)) == (language == "zh")


def test_nothing_of_it_is_hard_to_reach_or_to_read(open_app):
    page = open_app(width=1280, height=720)
    for name in PAGES:
        go_to(page, name)
        answer(page, 1)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            next_frame(page)
            found = Axe().run(page, ".attnviz", options={"resultTypes": ["violations"]})
            assert [
                (each["id"], each["nodes"][0]["html"][:120]) for each in found.response["violations"]
            ] == [], (name, theme)
        sizes = page.locator(".av-lesson *").evaluate_all(
            "all => all.map((each) => parseFloat(getComputedStyle(each).fontSize))"
        )
        assert min(sizes) >= 14
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_on_a_phone_it_lies_at_the_foot_and_what_it_speaks_of_above(open_app):
    page = open_app(width=390, height=844)
    for name in PAGES:
        go_to(page, name)
        next_frame(page)
        panel = page.locator(".av-lesson").bounding_box()
        assert panel["y"] >= 844 / 2 and panel["y"] + panel["height"] <= 844 + 1
        page.wait_for_function(
            """foot => [...document.querySelectorAll('.av-explore *')]
              .filter((each) => getComputedStyle(each).outlineStyle === 'solid')
              .map((each) => each.getBoundingClientRect())
              .some(({ top, bottom }) => top >= 0 && bottom <= foot)""",
            arg=panel["y"],
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    answer(page, 0)
    expect(page.locator(".av-answered")).to_be_in_viewport()
