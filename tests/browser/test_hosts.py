"""The app asks its host, and nobody else: here one that answers what a test told it, without any server."""

from __future__ import annotations

import pytest
from helpers.browser_actions import after, control, photo_name, said, shown_network
from playwright.sync_api import Page, expect


def calls(page: Page) -> list:
    return page.evaluate("calls")


def test_a_host_is_asked_once_for_each_photo_and_network(open_app):
    page = open_app()
    wanted = {"photo": None, "network": None, "view": None, "language": "en"}
    assert calls(page) == [["start", wanted]]
    after(page, lambda: page.locator("[data-network=se]").click())
    after(page, lambda: page.locator("[data-photo=second] > button").click())
    after(page, lambda: page.locator("[data-photo=first] > button").click())
    after(page, lambda: page.locator("[data-network=cbam]").click())
    assert calls(page)[1:] == [
        ["capture", {"photo": "first", "network": "se", "view": "whole"}],
        ["capture", {"photo": "second", "network": "se", "view": "whole"}],
    ]


def test_what_a_host_can_not_do_is_not_offered(open_app):
    page = open_app()
    for selector in (
        "[data-add]",
        ".av-take",
        "[data-menu]:not([data-menu^=take-])",
        "[data-link]",
        ".av-remove",
    ):
        expect(page.locator(selector)).to_have_count(0)
    expect(page.locator("[data-part=channel]")).to_contain_text("which is not in this file")


def test_of_two_choices_the_later_counts_and_the_first_is_given_up(open_app):
    page = open_app()
    page.evaluate("window.isHolding = true")
    page.locator("[data-network=se]").click()
    page.locator("[data-photo=second] > button").click()
    assert page.evaluate("held.map(({ signal }) => signal.aborted)") == [True, False]
    page.evaluate("held[0].answer()")
    after(page, lambda: page.evaluate("held[1].answer()"))
    expect(photo_name(page)).to_have_text("second.png")
    expect(shown_network(page)).to_have_text("CBAM")
    expect(said(page)).to_be_empty()


def test_who_waits_sees_how_far_it_is_and_can_give_up(open_app):
    page = open_app()
    page.evaluate("window.isHolding = true")
    page.locator("[data-network=se]").click()
    page.evaluate("held[0].report({ done: 30, total: 120 })")
    expect(page.locator(".av-waiting")).to_contain_text("25%")
    page.evaluate("held[0].report({ done: 0, total: 0, ahead: 3 })")
    expect(page.locator(".av-waiting")).to_contain_text("In line: 3 before this one")
    page.locator(".av-waiting button").click()
    assert page.evaluate("held[0].signal.aborted")
    expect(page.locator(".av-waiting")).to_be_empty()
    expect(said(page)).to_be_empty()


def test_what_a_host_says_is_said_in_the_language_of_the_page_and_what_was_shown_stays(open_app):
    page = open_app()
    page.evaluate("window.isHolding = true")
    page.locator("[data-network=se]").click()
    page.evaluate("held[0].reject(new attnviz.HostError({ en: 'No room.', zh: '没有空间。' }))")
    expect(said(page)).to_contain_text("No room.")
    page.locator("[data-language=zh]").click()
    expect(said(page)).to_contain_text("没有空间。")
    page.locator("[data-network=se]").click()
    page.evaluate("held[1].reject(new attnviz.HostError())")
    expect(said(page)).to_contain_text("再试一次")
    expect(shown_network(page)).to_have_text("CBAM")


ADDS = """{
  async addPhoto(file) { calls.push(['addPhoto', file.name]); return { photo: 'second', name: file.name } },
  async removePhoto(photo) { calls.push(['removePhoto', photo]) },
}"""


def test_a_photo_that_is_brought_is_first_in_the_row_and_can_be_removed(open_app):
    page = open_app(ADDS)
    file = {"name": "mine.png", "mimeType": "image/png", "buffer": b"x"}
    after(page, lambda: page.set_input_files("[data-add]", file))
    assert ["addPhoto", "mine.png"] in calls(page)
    expect(page.locator(".av-photo-item").first).to_have_class("av-photo-item av-shown")
    after(page, lambda: page.locator(".av-remove").click())
    assert calls(page)[-1] == ["removePhoto", "second"]
    expect(photo_name(page)).to_have_text("first.png")
    expect(page.locator(".av-remove")).to_have_count(0)


def test_it_opens_with_the_layer_whose_map_varies_most_and_the_channel_that_is_held_back_most(open_app):
    page = open_app()
    layer, channel = page.evaluate("[attnviz.viewer.state.layer, attnviz.viewer.state.channel]")
    spread, change = page.evaluate("""() => {
      const std = ({ values }) => {
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
      };
      const { layers } = attnviz.viewer.trace;
      const shown = attnviz.viewer.layer();
      const change = [...shown.sizes.values].map((size, index) => size * (1 - shown.channel.values[index]));
      return [Object.fromEntries(layers.map((one) => [one.name, std(one.map)])), change];
    }""")
    assert layer == max(spread, key=spread.get)
    assert change[channel] == pytest.approx(max(change))


def test_keys_choose_layers_channels_and_networks(open_app):
    page = open_app()
    names = page.evaluate("attnviz.viewer.trace.layers.map(({ name }) => name)")
    page.locator(".av-item").first.click()
    page.locator(".av-bar h1").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("]")
    expect(page.locator('.av-item[aria-selected="true"]')).to_have_attribute("data-layer", names[1])
    page.keyboard.press("[")
    expect(page.locator('.av-item[aria-selected="true"]')).to_have_attribute("data-layer", names[0])
    after(page, lambda: page.keyboard.press("1"))
    expect(shown_network(page)).to_have_text("SE")
    page.keyboard.press("?")
    expect(page.locator(".av-help")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_the_map_its_bar_and_the_answer_are_above_the_fold(open_app, width, height):
    page = open_app(width=width, height=height)
    for selector in (".av-photo", ".av-bar-of-colours", ".av-bars", ".av-chips", ".av-top5"):
        box = page.locator(selector).last.bounding_box()
        assert box["y"] + box["height"] <= height, selector


def test_text_is_fourteen_pixels_or_more(open_app):
    page = open_app()
    small = page.evaluate("""() => {
      const hasText = ({ childNodes }) =>
        [...childNodes].some(({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim());
      const isSmall = (element) => parseFloat(getComputedStyle(element).fontSize) < 14;
      return [...document.querySelectorAll('.attnviz *')]
        .filter((element) => element.checkVisibility() && hasText(element) && isSmall(element))
        .map((element) => element.outerHTML.slice(0, 80));
    }""")
    assert small == []


def test_the_theme_follows_the_system_until_it_is_chosen(open_app):
    page = open_app()
    app, light, dark = page.locator(".attnviz"), "rgb(255, 255, 255)", "rgb(20, 27, 41)"
    expect(app).to_have_css("background-color", light)
    page.emulate_media(color_scheme="dark")
    expect(app).to_have_css("background-color", dark)
    page.locator("[data-theme]").click()
    expect(app).to_have_css("background-color", light)
    page.emulate_media(color_scheme="light")
    page.locator("[data-theme]").click()
    expect(app).to_have_css("background-color", dark)
    control(page, "find").fill("3")
    assert page.evaluate("attnviz.viewer.state.channel") == 3
