"""The lesson: pages beside the page, each of which sets and marks what it speaks of, and asks a question that
the numbers on the page answer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browser_actions import choose_network, control, next_frame, speak, wait_until_drawn
from helpers.mechanisms_page import OUTSIDER, PHOTO, Traces, page_of, traces_of
from playwright.sync_api import Page, expect

import attnviz
from attnviz.languages.catalogue import say
from attnviz.networks.card import Card
from attnviz.viewer.standalone import Document

PAGES = {  # and the networks that they are shown in
    **{"gate": "se", "squeeze": "se", "excitation": "se", "effect": "se"},
    **{"pools": "cbam", "map": "cbam", "edges": "cbam", "bam": "bam", "depth": "cbam", "reading": "cbam"},
}


@pytest.fixture(scope="module")
def traces() -> Traces:
    return traces_of(PHOTO, OUTSIDER)


@pytest.fixture
def open_app(open_file, traces, tmp_path: Path):
    """Opens the app, which follows its address, with three mechanisms on two photos."""
    path = tmp_path / "app.html"
    path.write_text(page_of(traces), encoding="utf-8")

    def opened(query: str = "", **size: int) -> Page:
        page = open_file(path, **size)
        page.emulate_media(reduced_motion="reduce")
        page.goto(f"{path.as_uri()}?{query}")
        wait_until_drawn(page)
        return page

    return opened


def state(page: Page, *names: str):
    return page.evaluate("names => names.map((name) => attnviz.viewer.state[name])", list(names))


def shown(page: Page) -> str:
    """The name of the page of the lesson that is shown."""
    return state(page, "learn")[0]


def go_to(page: Page, name: str) -> None:
    """Open a page of the lesson and wait for its question."""
    if page.locator(".av-lesson").count() == 0:
        page.keyboard.press("l")
        expect(page.locator(".av-lesson")).to_be_visible()
    while shown(page) != name:
        here = shown(page)
        page.keyboard.press("ArrowRight")
        page.wait_for_function("here => attnviz.viewer.state.learn !== here", arg=here)
    expect(title(page)).to_have_text(say("en", f"learn_{name}_title"))


def title(page: Page):
    return page.locator(".av-lesson h2")


def choices(page: Page) -> list[str]:
    return page.locator(".av-answer-choice > span").all_text_contents()


def answer(page: Page, place: int) -> str:
    """Choose an answer; the text of the one that was right."""
    page.locator(".av-answer-choice").nth(place).click()
    return page.locator(".av-answer-choice.av-right > span").text_content() or ""


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_it_starts_only_when_asked_and_leads_there_and_back(open_app):
    page = open_app()
    lesson = page.locator(".av-lesson")
    expect(lesson).to_have_count(0)
    page.locator("[data-learn]").click()
    for place, name in enumerate(PAGES):
        expect(title(page)).to_have_text(say("en", f"learn_{name}_title"))
        expect(title(page)).to_be_focused()
        expect(lesson).to_contain_text(f"{place + 1} of {len(PAGES)}")
        expect(page.locator("[data-back]")).to_be_enabled(enabled=place > 0)
        if place < len(PAGES) - 1:
            page.locator("[data-next]").click()
    for name in list(PAGES)[-2::-1]:
        page.locator("[data-back]").click()
        expect(title(page)).to_have_text(say("en", f"learn_{name}_title"))


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


# What each question's answer is, of the trace, the layer, the channel and the values of its text


def after_the_gate(layer, channel) -> float:
    return 10 * layer.channel[channel]


def without_the_maximum(layer, channel) -> float:
    (logits,) = (step.values for step in layer.steps if step.name == "average_logits")
    return 1 / (1 + math.exp(-logits[channel]))


def outside_the_corner(layer, _channel) -> float:
    height, width = layer.grid
    return 49 - min(4, height) * min(4, width)


NUMBERS: dict[str, Callable[..., float]] = {
    "gate": after_the_gate,
    "excitation": lambda _layer, _channel: 0.5,
    "pools": without_the_maximum,
    "edges": outside_the_corner,
    "bam": lambda _layer, _channel: 1,
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_are_asked_for_are_those_of_the_pass(open_app, traces, name):
    page = open_app()
    go_to(page, name)
    layer_name, channel = state(page, "layer", "channel")
    layer = traces[PHOTO, PAGES[name]].layers[layer_name]
    options = [number(text) for text in choices(page)]
    assert options == sorted(set(options)) and len(options) >= 3
    assert number(answer(page, 0)) == pytest.approx(NUMBERS[name](layer, channel), abs=6e-3)


def test_where_gates_take_most_is_told_by_sizes_and_gates(open_app, traces):
    page = open_app()
    go_to(page, "effect")
    layer = traces[PHOTO, "se"].layers[state(page, "layer")[0]]
    first, second = (int(re.findall(r"\d+", text)[0]) for text in choices(page)[:2])
    taken = layer.sizes * (1 - layer.channel)
    assert answer(page, 2) == f"From channel {first if taken[first] > taken[second] else second}"


def test_a_cell_stands_for_the_stride_of_its_layer(open_app, traces):
    page = open_app()
    go_to(page, "map")
    trace = traces[PHOTO, "cbam"]
    rows = trace.layers[state(page, "layer")[0]].grid[0]
    stride = 2 ** round(math.log2(trace.region.size[0] / rows))
    assert answer(page, 0) == f"{stride} × {stride}"


def test_what_a_cell_is_computed_from_lies_on_the_map_where_it_is_large_enough(open_app, traces):
    page = open_app()
    go_to(page, "map")
    layer, (row, column), around = state(page, "layer", "pin", "around")
    height, width = traces[PHOTO, "cbam"].layers[layer].grid
    assert around == 7
    if min(height, width) >= 7:
        assert 3 <= row < height - 3 and 3 <= column < width - 3


def test_words_that_are_asked_for_are_true_of_every_network(open_app):
    page = open_app()
    for name, right in {
        "squeeze": "It stays",
        "depth": "Those of every later layer",
        "reading": "This gate multiplied the features there by",
    }.items():
        go_to(page, name)
        assert answer(page, 0).startswith(right)


def test_the_channel_that_is_shown_has_a_telling_gate_where_there_is_one(open_app, traces):
    page = open_app()
    go_to(page, "gate")
    layer, channel = state(page, "layer", "channel")
    gates = traces[PHOTO, "se"].layers[layer].channel
    away = np.abs(gates - np.clip(gates, 0.2, 0.45))
    assert away[channel] == pytest.approx(away.min(), abs=1e-4)


def test_an_answer_is_given_once_and_told_why(open_app):
    page = open_app()
    go_to(page, "squeeze")
    told = page.locator(".av-answered")
    expect(told).to_be_empty()
    assert told.get_attribute("aria-live") == "polite"
    page.keyboard.press("4")
    expect(told).to_contain_text("Not so: it is 2.")
    expect(told).to_contain_text("A mean does not ask in which order")
    expect(page.locator(".av-wrong")).to_have_attribute("data-choice", "4")
    page.keyboard.press("2")
    page.locator(".av-answer-choice").first.click(force=True)  # which is marked as disabled
    expect(page.locator(".av-wrong")).to_have_attribute("data-choice", "4")
    page.keyboard.press("ArrowRight")
    expect(title(page)).to_have_text(say("en", "learn_excitation_title"))
    expect(told).to_be_empty()
    page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text("Not so")  # what was answered stays


def test_digits_answer_and_do_not_choose_networks(open_app):
    page = open_app()
    go_to(page, "pools")
    page.keyboard.press("1")
    expect(page.locator(".av-right")).to_have_count(1)
    assert page.evaluate("attnviz.viewer.trace.asked.network") == "cbam"
    page.keyboard.press("Escape")
    expect(page.locator(".av-lesson")).to_have_count(0)
    page.keyboard.press("3")
    page.wait_for_function("attnviz.viewer.trace.asked.network === 'bam'")


def test_keys_of_other_parts_stay_theirs(open_app):
    page = open_app()
    go_to(page, "map")
    page.locator(".av-marks").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")  # lets go of the cell
    assert shown(page) == "map" and state(page, "pin") == [None]
    title(page).focus()
    page.keyboard.press("PageDown")
    expect(title(page)).to_have_text(say("en", "learn_edges_title"))
    page.keyboard.press("?")
    page.keyboard.press("Escape")  # closes help alone
    expect(page.locator(".av-help")).to_be_hidden()
    assert shown(page) == "edges"


KEPT = (
    "tab",
    "layer",
    "channel",
    "pin",
    "around",
    "way",
    "scale",
    "order",
    "wipe",
    "grid",
    "smooth",
    "gallery",
)


@pytest.mark.parametrize("last", ["gate", "reading"])
def test_closing_brings_back_what_was_set_before(open_app, last):
    page = open_app(
        "network=bam&layer=bam2&channel=5&cell=2-3&way=colours&grid=1&smooth=1&wipe=0.3&order=index"
    )
    page.evaluate("scrollTo(0, 120)")
    page.wait_for_function("scrollY === 120")
    before, scroll = state(page, *KEPT), page.evaluate("scrollY")
    go_to(page, last)
    page.keyboard.press("Escape")
    expect(page.locator(".av-lesson")).to_have_count(0)
    assert state(page, *KEPT) == before
    assert page.evaluate("attnviz.viewer.trace.asked.network") == "bam"
    assert page.evaluate("attnviz.viewer.trace.asked.photo") == PHOTO
    expect(page.locator("[data-learn]")).to_be_focused()
    page.wait_for_function("scroll => scrollY === scroll", arg=scroll)


def test_an_address_opens_a_page_with_what_it_names(open_app):
    page = open_app("learn=excitation")
    expect(title(page)).to_have_text(say("en", "learn_excitation_title"))
    page = open_app("learn=pools&layer=layer2.1&channel=3")
    expect(title(page)).to_have_text(say("en", "learn_pools_title"))
    assert state(page, "layer", "channel") == ["layer2.1", 3]
    page = open_app("learn=nothing")
    expect(page.locator(".av-lesson")).to_have_count(0)


def test_the_address_follows_and_the_browser_leads_back(open_app):
    page = open_app()
    go_to(page, "squeeze")
    page.wait_for_url("**learn=squeeze**")
    go_to(page, "excitation")
    page.wait_for_url("**learn=excitation**")
    page.go_back()
    expect(title(page)).to_have_text(say("en", "learn_squeeze_title"))
    page.reload()
    expect(title(page)).to_have_text(say("en", "learn_squeeze_title"))
    page.keyboard.press("Escape")
    page.wait_for_url(lambda address: "learn" not in address)
    assert page.evaluate("attnviz.viewer.trace.asked.network") == "cbam"  # also after a reload


def test_what_a_visitor_chooses_is_what_is_asked_about(open_app, traces):
    page = open_app()
    go_to(page, "gate")
    answer(page, 0)
    layer, channel = state(page, "layer", "channel")
    other = (channel + 1) % len(traces[PHOTO, "se"].layers[layer].channel)
    control(page, "find").fill(str(other))
    expect(page.locator(".av-question")).to_contain_text(f"A cell of channel {other} ")
    expect(page.locator(".av-answered")).to_be_empty()
    expected = 10 * traces[PHOTO, "se"].layers[layer].channel[other]
    assert number(answer(page, 0)) == pytest.approx(expected, abs=6e-3)


def test_elsewhere_it_says_so_and_leads_back(open_app):
    page = open_app()
    go_to(page, "excitation")
    choose_network(page, "bam")
    expect(page.locator(".av-lesson")).to_contain_text(say("en", "learn_elsewhere"))
    expect(page.locator(".av-question")).to_have_count(0)
    page.locator("[data-show]").click()
    expect(page.locator(".av-question")).to_be_visible()
    assert page.evaluate("attnviz.viewer.trace.asked.network") == "se"


def test_a_page_whose_network_does_not_come_leaves_the_one_before(open_app):
    page = open_app()
    go_to(page, "excitation")
    go_to(page, "effect")
    page.evaluate("window.isLost = true; attnviz.viewer.captures.forget()")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".av-notice")).to_contain_text(say("en", "lost"))
    expect(title(page)).to_have_text(say("en", "learn_effect_title"))


FILES = {
    "se": ["gate", "squeeze", "excitation", "effect", "depth", "reading"],
    "cbam": ["gate", "effect", "pools", "map", "edges", "depth", "reading"],
    "bam": ["bam", "depth"],
}


@pytest.mark.parametrize("network", FILES)
def test_a_file_leaves_out_what_is_not_in_it(open_file, traces, tmp_path, network):
    page = open_saved(open_file, tmp_path, traces[PHOTO, network])
    page.locator("[data-learn]").click()
    for place, name in enumerate(FILES[network]):
        expect(page.locator(".av-lesson")).to_contain_text(f"{place + 1} of {len(FILES[network])}")
        expect(title(page)).to_have_text(say("en", f"learn_{name}_title"))
        expect(page.locator(".av-question")).to_be_visible()
        page.keyboard.press("ArrowRight")
    page.locator("[data-done]").click()
    expect(page.locator(".av-lesson")).to_have_count(0)


def test_a_file_with_several_networks_has_all_pages(open_file, traces, tmp_path):
    page = open_saved(open_file, tmp_path, *(traces[PHOTO, network] for network in ("bam", "se", "cbam")))
    page.locator("[data-learn]").click()
    for name in PAGES:
        expect(title(page)).to_have_text(say("en", f"learn_{name}_title"))
        expect(page.locator(".av-question")).to_be_visible()
        page.keyboard.press("ArrowRight")


def test_without_gates_there_is_no_lesson(open_file, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    page = open_saved(
        open_file, tmp_path, attnviz.trace(attnviz.load("resnet18"), attnviz.Photo(noise, "a.png"))
    )
    expect(page.locator("[data-learn]")).to_have_count(0)


def open_saved(open_file, folder: Path, *saved: attnviz.Trace) -> Page:
    """Opens a saved page with these traces."""
    document = Document()
    for trace in saved:
        (kind,) = {layer.kind for layer in trace.layers.values()} or {"none"}
        document.add(replace(trace, network=kind), Card(kind, labels=trace.labels))
    path = folder / "saved.html"
    path.write_text(document.html(), encoding="utf-8")
    page = open_file(path)
    wait_until_drawn(page)
    return page


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
