"""Gates are switched in the strip: what then is asked for, and how it is shown."""

from __future__ import annotations

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browser_actions import after, choose_network, next_frame, photo_name, shown_network, speak
from helpers.fake_host import packed_changed
from helpers.small_networks import stirred
from playwright.sync_api import Page, expect

CHANGES = """{
  edits: ['usual', 'off'],
  capture(asked, { signal } = {}) {
    calls.push(['capture', asked]);
    const name = key(asked) + (asked.edits ? ' ' + JSON.stringify(asked.edits) : '');
    if (!window.isHolding) return Promise.resolve(captures[name]);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      held.push({ signal, answer: () => resolve(captures[name]), reject });
    });
  },
}"""


def edits(**choices: str) -> dict[str, list[dict]]:
    """The edits of layers of a ResNet: layer3_0="off"."""
    return {layer.replace("_", "."): [{"edit": choice}] for layer, choice in choices.items()}


OFF, USUAL = edits(layer3_0="off"), edits(layer3_0="usual")
BOTH = {**OFF, **edits(layer4_0="usual")}


@pytest.fixture(scope="module")
def changed(captures) -> dict[str, dict]:
    """The captures of the fake host, and those of CBAM with changed gates."""
    network = stirred(18, "cbam")
    made = {}
    for photo, change in (("first", OFF), ("first", USUAL), ("first", BOTH), ("second", OFF)):
        name = f"{photo} cbam {json.dumps(change, separators=(',', ':'))}"
        made[name] = packed_changed(network, "cbam", photo, change)
    return {**captures, **made}


@pytest.fixture
def app(open_app, changed):
    """The app with a host that changes gates, its switches in sight."""

    def opened(**size: int) -> Page:
        page = open_app(CHANGES, changed, **size)
        page.locator("[data-what-if]").click()
        return page

    return opened


def right(capture: dict, accuracy: float) -> dict:
    """The same capture, of a network whose accuracy was measured."""
    return {**capture, "network": {**capture["network"], "accuracy": accuracy}}


def switch(page: Page, layer: str):
    return page.locator(f'[data-switch="{layer}"]')


def captured(page: Page) -> list[dict]:
    """What was asked of the host since it began."""
    return page.evaluate("calls.slice(1).map(([, asked]) => asked)")


def test_where_gates_can_not_be_changed_nothing_is_offered(open_app):
    page = open_app()
    expect(page.locator("[data-what-if]")).to_have_count(0)
    expect(page.locator("[data-switch]")).to_have_count(0)


def test_every_layer_has_a_switch_that_says_as_it_is_at_first(app):
    page = app()
    names = page.locator(".av-item").evaluate_all("all => all.map(({ dataset }) => dataset.layer)")
    found = page.locator("[data-switch]").evaluate_all(
        "all => all.map(({ dataset, value }) => [dataset.switch, value])"
    )
    assert found == [[name, "own"] for name in names]
    assert switch(page, names[0]).locator("option").all_inner_texts() == ["as it is", "usual", "off"]
    expect(page.locator("[data-part=changes]")).to_contain_text("What does the network say then?")


def test_a_switch_asks_for_the_changed_network_and_shows_what_changed(app, changed):
    page = app()
    after(page, lambda: switch(page, "layer3.0").select_option("off"))
    assert captured(page) == [{"photo": "first", "network": "cbam", "view": "whole", "edits": OFF}]
    change = changed[f"first cbam {json.dumps(OFF, separators=(',', ':'))}"]["change"]
    bar, answer = page.locator("[data-part=changes]"), page.locator("[data-answer-change]")
    expect(bar).to_contain_text("Changed network")
    expect(bar).to_contain_text("layer3.0 off")
    label, share = change["before"][0]
    expect(bar.locator(".av-answer-now")).to_contain_text(f"{label} {100 * share:.1f}% → ")
    expect(answer).to_contain_text(label)
    expect(answer).to_contain_text(f"{abs(change['scoreChange']):.2f}")
    expect(answer).to_have_attribute("data-answer-change", "other" if change["isOther"] else "same")
    expect(page.locator(".av-percent").first).to_contain_text("→")
    marks = page.locator("[data-moved]").evaluate_all("all => all.map(({ dataset }) => dataset.moved)")
    page.locator('.av-item[data-layer="layer3.0"]').click()
    expect(page.locator("[data-edited]").first).to_contain_text("layer3.0: off")
    expect(page.locator('.av-item[data-layer="layer3.0"] .av-badge')).to_have_count(0)
    page.locator('.av-item[data-layer="layer3.1"]').click()
    expect(page.locator("[data-edited]")).to_have_count(0)
    assert marks == ["still"] * 4 + ["edited"] + ["moved"] * 3
    expect(page.locator("[data-moved]").last).to_contain_text(f"{change['moved']['layer4.1']:.2f}"[:4])
    page.evaluate("attnviz.viewer.set({ present: true })")
    expect(page.locator(".av-present")).to_contain_text("Changed network")
    page.evaluate("attnviz.viewer.set({ present: false, tab: 'networks' })")
    expect(page.locator(".av-comparison")).to_contain_text("Compared are networks as they are")


def test_what_was_switched_is_reset_without_another_pass(app):
    page = app()
    after(page, lambda: switch(page, "layer3.0").select_option("usual"))
    after(page, lambda: page.locator("[data-reset-gates]").click())
    expect(page.locator("[data-answer-change], [data-moved]")).to_have_count(0)
    expect(page.locator("[data-switch]").first).to_be_focused()
    expect(switch(page, "layer3.0")).to_have_value("own")
    after(page, lambda: switch(page, "layer3.0").select_option("usual"))
    after(page, lambda: switch(page, "layer3.0").select_option("own"))
    expect(page.locator("[data-answer-change]")).to_have_count(0)
    assert [asked["edits"] for asked in captured(page)] == [USUAL]
    page.locator("[data-close-switches]").click()
    expect(page.locator("[data-what-if]")).to_be_focused()


def test_how_often_a_changed_network_is_right_is_said_of_the_one_that_was_trained(open_app, changed):
    page = open_app(CHANGES, {name: right(capture, 0.925) for name, capture in changed.items()})
    answer = page.locator("[data-part=answer]")
    expect(answer).to_contain_text("On held-out photos of these it is right 92.5% of the time.")
    page.locator("[data-what-if]").click()
    after(page, lambda: switch(page, "layer3.0").select_option("off"))
    expect(answer).to_contain_text("As it was trained, it is right on 92.5%")
    expect(answer).not_to_contain_text("of the time")


def test_two_switches_one_soon_after_the_other_are_both_made(app):
    page = app()
    page.evaluate("window.isHolding = true")
    switch(page, "layer3.0").select_option("off")
    switch(page, "layer4.0").select_option("usual")
    assert page.evaluate("held.map(({ signal }) => signal.aborted)") == [True, False]
    after(page, lambda: page.evaluate("held[1].answer()"))
    assert captured(page)[-1]["edits"] == BOTH
    expect(switch(page, "layer3.0")).to_have_value("off")
    expect(switch(page, "layer4.0")).to_have_value("usual")


def test_a_switch_keeps_the_photo_that_is_on_its_way_and_what_a_network_on_its_way_would_undo(app):
    page = app()
    after(page, lambda: switch(page, "layer3.0").select_option("off"))
    page.evaluate("window.isHolding = true")
    page.locator("[data-network=se]").click()  # as it is
    switch(page, "layer4.0").select_option("usual")
    after(page, lambda: page.evaluate("held.at(-1).answer()"))
    assert captured(page)[-1] == {"photo": "first", "network": "cbam", "view": "whole", "edits": BOTH}
    page.locator("[data-photo=second] > button").click()
    switch(page, "layer4.0").select_option("own")
    after(page, lambda: page.evaluate("held.at(-1).answer()"))
    assert captured(page)[-1] == {"photo": "second", "network": "cbam", "view": "whole", "edits": OFF}


def test_a_change_that_can_not_be_made_is_said_and_the_switch_goes_back(app):
    page = app()
    page.evaluate("window.isHolding = true")
    switch(page, "layer3.0").select_option("off")
    page.evaluate("held[0].reject(new attnviz.HostError({ en: 'It has no factor.', zh: '没有系数。' }))")
    expect(page.locator(".av-notice")).to_contain_text("It has no factor.")
    expect(switch(page, "layer3.0")).to_have_value("own")


def test_another_photo_is_seen_by_the_changed_network_and_another_network_is_as_it_is(app):
    page = app()
    after(page, lambda: switch(page, "layer3.0").select_option("off"))
    after(page, lambda: page.locator("[data-photo=second] > button").click())
    expect(photo_name(page)).to_have_text("second.png")
    expect(page.locator("[data-answer-change]")).to_have_count(1)
    after(page, lambda: page.locator("[data-network=se]").click())
    expect(page.locator("[data-answer-change], [data-moved]")).to_have_count(0)


def test_the_lesson_is_of_the_network_as_it_is_and_gives_the_changed_one_back(app):
    page = app()
    after(page, lambda: switch(page, "layer3.0").select_option("off"))
    after(page, lambda: page.locator("[data-learn]").click())
    expect(page.locator("[data-answer-change]")).to_have_count(0)
    after(page, lambda: page.locator("[data-learn]").click())
    expect(page.locator("[data-answer-change]")).to_have_count(1)
    expect(switch(page, "layer3.0")).to_have_value("off")


def test_a_switch_keeps_the_focus_and_is_worked_by_keys(app):
    page = app()
    switch(page, "layer3.0").focus()
    after(page, lambda: page.keyboard.press("u"))  # what begins with it
    expect(switch(page, "layer3.0")).to_be_focused()
    expect(switch(page, "layer3.0")).to_have_value("usual")


def test_switches_stand_below_their_layers(app):
    for width in (390, 1280, 1920):
        page = app(width=width, height=844)
        for layer in ("layer1.0", "layer3.0", "layer4.1"):
            item = page.locator(f'.av-item[data-layer="{layer}"]').bounding_box()
            below = switch(page, layer).bounding_box()
            assert below["y"] >= item["y"] + item["height"] - 1
            assert (
                item["x"] - 1 <= below["x"] and below["x"] + below["width"] <= item["x"] + item["width"] + 1
            )


def test_what_a_changed_network_shows_is_easy_to_reach_and_does_not_overflow(app):
    page = app()
    page.emulate_media(reduced_motion="reduce")
    after(page, lambda: switch(page, "layer3.0").select_option("off"))
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        next_frame(page)
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []
    for width in (390, 768, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        next_frame(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_all_of_it_is_said_in_another_language(app):
    page = app()
    after(page, lambda: switch(page, "layer3.0").select_option("off"))
    speak(page, "zh")
    expect(page.locator("[data-part=changes]")).to_contain_text("改动过的网络")
    assert switch(page, "layer3.0").locator("option").all_inner_texts() == ["原样", "通常", "关闭"]


def test_the_page_keeps_a_change_in_its_address_and_back_undoes_it(visit):
    page = visit()
    page.locator("[data-what-if]").click()
    after(page, lambda: switch(page, "layer3.1").select_option("usual"))
    after(page, lambda: switch(page, "layer4.0").select_option("off"))
    expect(page).to_have_url(re.compile("edits="))
    address = page.url
    after(page, lambda: page.go_back())
    expect(switch(page, "layer4.0")).to_have_value("own")
    expect(switch(page, "layer3.1")).to_have_value("usual")
    after(page, lambda: page.go_back())
    expect(page.locator("[data-answer-change]")).to_have_count(0)
    linked = visit(query=address.partition("?")[2])
    expect(linked.locator("[data-part=changes]")).to_contain_text("layer3.1 usual · layer4.0 off")
    expect(linked.locator("[data-answer-change]")).to_be_visible()
    after(linked, lambda: choose_network(linked, "se_resnet18"))
    expect(shown_network(linked)).to_have_text("SE")
    expect(linked.locator("[data-part=changes]")).not_to_contain_text("Changed network")


def test_edits_in_an_address_that_can_not_be_made_are_said_and_the_network_is_as_it_is(visit):
    page = visit(query="edits=" + json.dumps({"layer9.9": "off"}))
    expect(page.locator(".av-notice")).to_contain_text("layer9.9")
    expect(page.locator("[data-answer-change]")).to_have_count(0)
    page = visit(query="edits=nonsense")
    expect(page.locator(".av-notice")).to_be_empty()
