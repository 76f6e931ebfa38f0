"""The lesson's questions: the numbers on the page answer them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
from helpers.browser_actions import control
from helpers.lesson_page import PAGES, answer, choices, go_to, number, state, title
from helpers.mechanisms_page import PHOTO
from playwright.sync_api import expect

from attnviz.languages.catalogue import say

# What the answer to each question is, by its layer and channel


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


def test_words_that_are_asked_for_are_true_of_every_network(open_app):
    page = open_app()
    for name, right in {
        "squeeze": "It stays",
        "depth": "Those of every later layer",
        "reading": "This gate multiplied the features there by",
    }.items():
        go_to(page, name)
        assert answer(page, 0).startswith(right)


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
