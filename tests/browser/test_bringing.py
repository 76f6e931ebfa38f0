"""Photos that people bring: several at once, some that are none, given up; and where the focus is then."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.browser_actions import after, open_menu, photo_name, said, shown_network, upload
from PIL import Image
from playwright.sync_api import expect

from attnviz.languages.catalogue import words


@pytest.fixture
def files(tmp_path):
    """Three photos, and between them a file that is none."""
    random = np.random.default_rng(0)
    paths = [tmp_path / name for name in ("one.png", "two.png", "none.png", "three.png")]
    for path in paths:
        Image.fromarray(random.integers(0, 256, (60, 80, 3), np.uint8)).save(path)
    paths[2].write_text("no picture")
    return paths


def test_of_several_files_the_last_photo_is_shown_and_what_is_none_is_said(visit, files):
    page = visit()
    after(page, lambda: upload(page, *files))
    expect(photo_name(page)).to_have_text("three.png")
    names = page.locator(".av-photo-item:has(.av-remove) > button:first-child")
    labels = [each.get_attribute("aria-label") for each in names.all()]
    assert labels == ["three.png", "two.png", "one.png"]
    expect(said(page)).to_contain_text("none.png")
    page.go_back()
    expect(photo_name(page)).to_have_text("Example: temple.jpg")


def test_giving_up_ends_all_that_are_still_to_come(visit, files):
    page = visit()
    held = []
    page.route("**/gradio_api/upload", lambda route: held.append(route))
    upload(page, *files)
    expect(page.locator(".av-waiting")).to_contain_text("one.png (1 / 4)")
    page.locator(".av-waiting button").click()
    expect(page.locator(".av-waiting")).to_be_empty()
    page.unroute("**/gradio_api/upload")
    assert len(held) == 1
    expect(page.locator(".av-remove")).to_have_count(0)
    expect(said(page)).to_be_empty()
    after(page, lambda: upload(page, files[0]))
    expect(page.locator(".av-remove")).to_have_count(1)


def test_the_focus_is_never_lost(visit, files):
    page = visit()
    after(page, lambda: upload(page, files[0]))
    after(page, lambda: page.locator(".av-remove").press("Enter"))
    expect(page.locator('[data-photo="example:temple"] > button')).to_be_focused()
    open_menu(page, "share")
    page.locator("[data-link]").press("Enter")
    page.locator(".av-notice button").focus()
    page.keyboard.press("Enter")
    expect(said(page)).to_be_empty()
    expect(page.locator('[data-menu="share"]')).to_be_focused()


def test_a_key_searches_for_a_network_and_a_link_skips_to_the_map(visit):
    page = visit()
    page.keyboard.press("Tab")
    expect(page.locator(".av-skip")).to_be_focused()
    expect(page.locator(".av-skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = "document.activeElement.closest('.av-where') !== null"
    assert page.evaluate(inside)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("n")
    field = page.locator("[data-control=search-networks]")
    expect(field).to_be_focused()
    page.keyboard.type("nothing like it")
    expect(page.locator(".av-search li")).to_have_text(words("en")["nothing_found"])
    page.keyboard.press("Escape")
    expect(page.locator("[data-menu=networks]")).to_be_focused()
    expect(shown_network(page)).to_have_text("CBAM")
