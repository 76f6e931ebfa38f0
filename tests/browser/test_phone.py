"""The page on a phone."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from helpers.browser_actions import after, choose_example, open_menu, upload, wait_until_drawn
from playwright.sync_api import expect

SMALLEST = 44  # px, of what is pressed with a finger
SMALL = """(smallest) => {
  // all but links in a sentence
  const all = document.querySelectorAll(
    '.attnviz :is(button, a:not(p a), input, select, summary, [role=option], [role=slider])');
  const target = (element) => element.closest('label') ?? element;
  // what is far outside is shown once it has the focus
  const isShown = (element) => element.checkVisibility() && element.getBoundingClientRect().right > 0;
  const size = (element) => {
    const { width, height } = target(element).getBoundingClientRect();
    const around = parseFloat(getComputedStyle(target(element), '::before').insetBlockStart) || 0;
    return Math.min(width, height) - 2 * Math.min(0, around);
  };
  return [...all].filter((element) => isShown(element) && size(element) < smallest - 0.1)
    .map((element) => element.outerHTML.slice(0, 100));
}"""


@pytest.fixture
def phone(browser, url):
    """The page in a browser that is touched."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True
    )
    page = context.new_page()
    page.goto(url)
    wait_until_drawn(page)
    yield page
    context.close()


def test_what_is_pressed_is_large_enough_for_a_finger(phone, noise_file):
    after(phone, lambda: upload(phone, noise_file))
    assert phone.evaluate(SMALL, SMALLEST) == []
    for menu in ("networks", "settings"):
        open_menu(phone, menu)
        assert phone.evaluate(SMALL, SMALLEST) == []
        phone.keyboard.press("Escape")
    phone.locator(".av-tools-opener").tap()
    assert phone.evaluate(SMALL, SMALLEST) == []


def test_gates_are_switched_by_a_finger(phone):
    phone.locator("[data-what-if]").tap()
    after(phone, lambda: phone.locator('[data-switch="layer4.0"]').select_option("usual"))
    assert phone.evaluate(SMALL, SMALLEST) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    line, close = (
        phone.locator(f"[data-part=changes] {part}").bounding_box() for part in ("p", "[data-close-switches]")
    )
    assert close["y"] < line["y"] + line["height"] and close["x"] >= line["x"] + line["width"]
    after(phone, lambda: phone.locator("[data-reset-gates]").tap())
    expect(phone.locator("[data-answer-change]")).to_have_count(0)


def test_nothing_is_said_of_what_a_finger_can_not_do(phone):
    phone.locator("[data-what-if]").tap()
    expect(phone.locator("[data-setting]")).to_have_count(2)
    phone.locator("[data-stairs]").tap()
    expect(phone.locator(".av-stairs")).to_contain_text("A tap makes that change")
    expect(phone.locator(".av-where .av-readout")).to_have_text("Tap a cell to read its gate.")
    ticks = phone.locator(".av-stairs-ticks span:visible").evaluate_all(
        "all => all.map((tick) => tick.getBoundingClientRect()).map(({ left, right }) => [left, right])"
    )
    assert all(left >= end for (_, end), (left, _) in pairwise(ticks))
    shown = phone.locator(".attnviz").inner_text()
    assert re.findall(r"(?i)\b(?:click|point at|drag|drop|keys?)\b.*", shown) == []
    phone.locator("[data-brush]").tap()
    expect(phone.locator(".av-where .av-readout")).to_be_empty()


def test_the_lesson_is_begun_turned_and_ended_by_a_finger(phone):
    phone.locator(".av-tools-opener").tap()
    phone.locator("[data-learn]").tap()
    lesson = phone.locator(".av-lesson")
    expect(lesson).to_contain_text("1 of 14", timeout=60_000)
    assert phone.evaluate(SMALL, SMALLEST) == []
    phone.locator(".av-answer-choice").first.tap()
    expect(phone.locator(".av-answered")).to_be_in_viewport()
    phone.locator("[data-next]").tap()
    expect(lesson).to_contain_text("2 of 14")
    lesson.locator(".av-close").tap()
    expect(lesson).to_have_count(0)
    expect(phone.locator(".av-tools-opener")).to_be_focused()


def test_photos_map_strip_answer_and_channels_follow_each_other(phone):
    places = [".av-bar h1", ".av-photos-row", ".av-photo", ".av-strip", ".av-answer", ".av-what"]
    tops = [phone.locator(place).bounding_box()["y"] for place in places]
    assert tops == sorted(tops)
    picture = phone.locator(".av-photo").bounding_box()
    assert picture["y"] + picture["height"] < 844


def test_after_a_photo_is_chosen_its_map_is_in_sight(phone, noise_file):
    after(phone, lambda: upload(phone, noise_file))
    expect(phone.locator(".av-photo")).to_be_in_viewport(ratio=0.9)
    phone.evaluate("scrollTo(0, 0)")
    after(phone, lambda: choose_example(phone, "cat"))
    expect(phone.locator(".av-photo")).to_be_in_viewport(ratio=0.9)


def test_tools_lie_behind_one_button_that_gets_the_focus_back(phone):
    opener, tool = phone.locator(".av-tools-opener"), phone.locator("[data-language=zh]")
    expect(tool).to_be_hidden()
    opener.tap()
    expect(tool).to_be_visible()
    phone.keyboard.press("Escape")
    expect(tool).to_be_hidden()
    expect(opener).to_be_focused()
    opener.tap()
    tool.tap()
    expect(phone.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(phone.locator("[data-language]")).to_be_hidden()


def test_nothing_is_wider_than_the_phone(phone):
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.locator(".av-tools-opener").tap()
    phone.locator("[data-menu=save]").tap()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    expect(phone.locator("[data-save=screen]")).to_be_in_viewport()
