"""A visitor is helped: taught, answered, and reached by screen reader and in any window."""

from __future__ import annotations

from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from helpers.browser_actions import after, choose_network, control, next_frame, nothing_is_on_its_way
from playwright.sync_api import Page, expect


def test_a_lesson_is_given_to_who_asks_for_it(visit):
    page = visit()
    lesson = page.locator(".av-lesson")
    expect(lesson).to_have_count(0)
    address, photo = page.url, page.evaluate("attnviz.viewer.trace.asked.photo")
    page.locator("[data-learn]").click()
    for number in range(1, 15):
        expect(lesson).to_contain_text(f"{number} of 14", timeout=60_000)
        expect(lesson.locator(".av-answer-choice").nth(1)).to_be_visible()
        page.keyboard.press("1")
        expect(lesson.locator(".av-right")).to_have_count(1)
        if number == 10:
            expect(lesson).to_contain_text("The photo shows none of these classes")
            assert page.evaluate("attnviz.viewer.trace.asked.photo") != photo
        if number < 14:
            page.keyboard.press("ArrowRight")
    expect(page.locator("[data-part=changes]")).to_contain_text("Changed network")
    after(page, lambda: page.locator("[data-done]").click())
    expect(lesson).to_have_count(0)
    assert page.evaluate("attnviz.viewer.trace.asked.photo") == photo
    page.wait_for_url(
        lambda now: "learn=" not in now and f"&{address.split('?')[1]}" in f"&{now.split('?')[1]}"
    )


def test_how_to_read_this_answers_the_questions(visit):
    page = visit()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="How to read this")
    expect(dialog.locator(".av-prose h3")).to_have_count(7)
    assert dialog.evaluate("dialog => dialog.scrollTop") == 0
    expect(dialog).to_contain_text("Is this Grad-CAM?")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_keys_are_named_where_they_do_something(visit, open_app):
    for page, is_there in ((visit(), True), (open_app(), False)):
        keys = page.locator(".av-keys dt").all_text_contents()
        assert {"[ ]", "p", "?"} < {*keys}
        assert ("n" in keys) == ("0 1 2 Delete" in keys) == is_there


OPEN_WHAT_IS_VISIBLE = "all => all.filter((each) => each.checkVisibility()).forEach((each) => each.click())"


def states(page: Page) -> Iterator[str]:
    """Shows one state of the page after another, and gives what it is called."""
    expect(page.locator(".av-channel figure")).to_have_count(3)
    yield "a channel of CBAM"
    for tab in ("networks", "photos"):
        control(page, f"tab-{tab}").click()
        nothing_is_on_its_way(page)
        yield tab
    control(page, "tab-explore").click()
    after(page, lambda: choose_network(page, "bam_resnet18"))
    control(page, "find").fill("5")
    expect(page.locator("[data-part=channel] h3")).to_contain_text("Channel 5 of bam")
    expect(page.locator(".av-channel figure")).to_have_count(3)
    yield "a channel of BAM"
    after(page, lambda: choose_network(page, "se_resnet18"))
    yield "a network without maps"


def violations(page: Page) -> list[tuple]:
    """What axe finds in the viewer. Of the rows of tables, which are made alike, only three are left to look
    at: thousands take axe half a minute."""
    page.locator("tbody tr:nth-child(n + 4)").evaluate_all("all => all.forEach((each) => each.remove())")
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    return [
        (each["id"], each["nodes"][0]["html"][:120], each["nodes"][0].get("failureSummary"))
        for each in found.response["violations"]
    ]


def test_nothing_of_ours_is_hard_to_reach(visit):
    page = visit(query="&channel=3")
    page.emulate_media(reduced_motion="reduce")  # no colour is on its way from one theme to the other
    for state in states(page):
        page.locator(".av-details:not([open]) > summary").evaluate_all(OPEN_WHAT_IS_VISIBLE)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            next_frame(page)
            assert violations(page) == [], (state, theme)
        page.emulate_media(color_scheme="light", reduced_motion="reduce")


def test_nothing_overflows(visit):
    page = visit(width=390, height=844)
    for tab in ("explore", "networks", "photos"):
        control(page, f"tab-{tab}").click()
        nothing_is_on_its_way(page)
        for width in (390, 768, 1440, 1920, 390):
            page.set_viewport_size({"width": width, "height": 844})
            next_frame(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (tab, width)
