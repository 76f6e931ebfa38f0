"""The page below a path of another server, and in a frame of another website."""

from __future__ import annotations

from urllib.parse import urlparse

import pytest
from helpers.browser_actions import after, photo_name, save, upload, wait_until_drawn
from helpers.path_proxy import PATH, path_proxy
from playwright.sync_api import expect

from attnviz.server.launch import serve
from attnviz.server.settings import Settings


@pytest.fixture(scope="module")
def proxy():
    server = serve(Settings(host="127.0.0.1", frames="http://127.0.0.1:*"), block=False)
    with path_proxy(urlparse(server.url).port) as running:
        yield running
    server.close()


@pytest.fixture
def tab(browser):
    context = browser.new_context()
    page = context.new_page()
    yield page
    context.close()


def test_below_a_path_the_page_is_drawn_and_takes_a_photo(proxy, tab, noise_file):
    tab.goto(f"{proxy.address}{PATH}/?layer=layer3.1")
    wait_until_drawn(tab)
    after(tab, lambda: upload(tab, noise_file))
    expect(photo_name(tab)).to_contain_text(noise_file.name)
    with tab.expect_download() as saved:
        save(tab, "screen")
    assert saved.value.suggested_filename.endswith(".zip")
    assert tab.url.startswith(f"{proxy.address}{PATH}/?")


def test_in_a_frame_of_another_website_the_link_is_shown_where_it_can_not_be_copied(proxy, tab):
    tab.goto(proxy.address)
    inside = tab.frame_locator("iframe")
    expect(inside.locator(".attnviz[data-drawn]")).to_be_visible(timeout=60_000)
    inside.locator('[data-menu="share"]').click()
    inside.locator("[data-link]").click()
    address = f"http://127.0.0.1:{proxy.behind}/?network=cbam_resnet18"
    expect(inside.locator(".av-notice")).to_contain_text(f"the link is {address}")
