"""The course of the lesson: how it starts, goes on and ends, by buttons, keys and addresses, and in files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.browser_actions import choose_network, wait_until_drawn
from helpers.lesson_page import PAGES, go_to, shown, state, title
from helpers.mechanisms_page import PHOTO
from playwright.sync_api import Page, expect

import attnviz
from attnviz.languages.catalogue import say
from attnviz.networks.card import Card
from attnviz.viewer.standalone import Document


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
