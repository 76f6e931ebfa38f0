"""The lesson as a visitor walks through it, for the tests that drive it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from attnviz.languages.catalogue import say

PAGES = {  # and the networks that they are shown in
    **{"gate": "se", "squeeze": "se", "excitation": "se", "effect": "se"},
    **{"pools": "cbam", "map": "cbam", "edges": "cbam", "bam": "bam", "depth": "cbam", "reading": "cbam"},
}


def state(page: Page, *names: str):
    return page.evaluate("names => names.map((name) => attnviz.viewer.state[name])", list(names))


def shown(page: Page) -> str:
    """The name of the page of the lesson that is shown."""
    return state(page, "learn")[0]


def go_to(page: Page, name: str) -> None:
    """Open a page of the lesson and wait for its question."""
    if page.locator(".av-lesson").count() == 0:
        page.keyboard.press("l")
        expect(page.locator(".av-lesson")).to_be_visible(timeout=60_000)  # it is fetched then
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
