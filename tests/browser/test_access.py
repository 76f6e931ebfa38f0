"""The page for everybody: explained, reached by keyboard and screen reader, in any window."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browser_actions import control
from playwright.sync_api import expect


def test_how_to_read_this_answers_the_six_questions(visit):
    page = visit()
    page.get_by_role("button", name="How to read this").click()
    dialog = page.get_by_role("dialog", name="How to read this")
    expect(dialog.locator("h3")).to_have_count(6)
    expect(dialog).to_contain_text("Is this Grad-CAM?")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "query",
    ["&channel=3", "&tab=networks", "&tab=photos", "&network=bam_resnet18&channel=5", "&network=se_resnet18"],
)
def test_nothing_of_ours_is_hard_to_reach(visit, theme, query):
    page = visit(theme=theme, query=query)
    page.wait_for_timeout(1000)
    for summary in page.locator(".av-details summary").locator("visible=true").all():
        summary.click()
    found = (
        Axe().run(page, context=".attnviz", options={"resultTypes": ["violations"]}).response["violations"]
    )
    assert [
        (each["id"], each["nodes"][0]["html"][:120], each["nodes"][0].get("failureSummary")) for each in found
    ] == []


@pytest.mark.parametrize("width", [390, 768, 1440, 1920])
def test_nothing_overflows(visit, width):
    page = visit(width=width, height=844)
    for tab in ("explore", "networks", "photos"):
        control(page, f"tab-{tab}").click()
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, tab
        assert page.locator(".av-heading").bounding_box()["width"] >= 250
