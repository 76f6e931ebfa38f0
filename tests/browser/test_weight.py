"""What the page asks for: little at first, and nothing twice."""

from __future__ import annotations

import pytest
from helpers.browser_actions import after, choose_example, choose_network, wait_until_drawn

MOST_REQUESTS, MOST_BYTES = 60, 700_000


@pytest.fixture
def wire(browser):
    """A window that was never here, and the bytes on the wire of each answer to it, by its address."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    protocol, addresses, sizes = context.new_cdp_session(page), {}, {}

    def began(event) -> None:
        addresses[event["requestId"]] = event["request"]["url"]

    def ended(event) -> None:
        address = addresses[event["requestId"]]
        sizes[address] = sizes.get(address, 0) + event["encodedDataLength"]

    protocol.on("Network.requestWillBeSent", began)
    protocol.on("Network.loadingFinished", ended)
    protocol.send("Network.enable")
    yield page, addresses, sizes
    context.close()


def test_the_first_load_is_light(wire, url):
    page, addresses, sizes = wire
    page.goto(url)
    wait_until_drawn(page)
    page.wait_for_load_state("networkidle")
    assert len(addresses) <= MOST_REQUESTS and sum(sizes.values()) <= MOST_BYTES
    assert any(address.endswith("component_server") for address in sizes)  # the capture is among it


def test_a_browser_that_was_here_gets_neither_script_nor_style_again(wire, url):
    page, _, sizes = wire
    page.goto(url)
    wait_until_drawn(page)
    page.wait_for_load_state("networkidle")
    sizes.clear()
    page.goto(f"{url}?layer=layer3.1")
    wait_until_drawn(page)
    page.wait_for_load_state("networkidle")
    files = {address: size for address, size in sizes.items() if "/assets/" in address}
    assert set(files.values()) <= {0}


def test_what_was_seen_is_not_asked_for_again(visit):
    page = visit()
    after(page, lambda: choose_example(page, "springer"))
    after(page, lambda: choose_network(page, "se_resnet18"))
    page.wait_for_load_state("networkidle")
    asked = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    after(page, lambda: choose_network(page, "cbam_resnet18"))
    after(page, lambda: choose_example(page, "temple"))
    page.wait_for_load_state("networkidle")
    # but for the features of a channel that was not looked at; the icon comes from the browser's own store
    assert [question for question in asked if question and '"fn_name":"channel"' not in question] == []
