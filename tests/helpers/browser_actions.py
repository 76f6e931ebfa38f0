"""What people do in the page, for the tests that drive it, and what they see there."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect


def wait_until_drawn(page: Page) -> None:
    """Wait for the first capture of a page."""
    expect(page.locator(".attnviz[data-drawn]")).to_be_visible(timeout=60_000)


def choose(page: Page, dropdown: str, option: str) -> None:
    page.locator(f"#{dropdown} input").click()
    page.get_by_role("option", name=re.compile(f"^(✓ )?{re.escape(option)}")).first.click()


def control(page: Page, name: str):
    return page.locator(f'[data-control="{name}"]').locator("visible=true")


def drawn(page: Page) -> int:
    """The number of the capture that is drawn."""
    return int(page.locator(".attnviz").get_attribute("data-drawn"))


def after(page: Page, action) -> None:
    """Do something, and wait until its capture is drawn."""
    before = drawn(page)
    action()
    expect(page.locator(".attnviz")).not_to_have_attribute("data-drawn", str(before), timeout=60_000)


def nothing_is_on_its_way(page: Page) -> None:
    """Wait until every capture that is compared has arrived."""
    expect(page.locator(".av-waiting").locator("visible=true")).to_have_count(0, timeout=60_000)


def next_frame(page: Page) -> None:
    """Wait until the page was laid out and drawn anew."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def open_checkpoint(page: Page, path: Path) -> None:
    """Open a checkpoint of the visitor's own, and wait until it is drawn."""
    page.locator("#yours button").first.click()
    after(page, lambda: page.set_input_files("#checkpoint input[type=file]", path))
    expect(page.locator("#network input")).to_have_value(re.compile(f"^{re.escape(path.name)}"))


def open_table(page: Page, name: str):
    """Open the table of that name, which the page fills a moment later; its rows."""
    page.locator(f'[data-table="{name}"] summary').click()
    rows = page.locator(f'[data-table="{name}"] tbody tr')
    expect(rows.first).to_be_visible()
    return rows


def link_of(page: Page) -> str:
    """Copy the link to what is shown."""
    page.locator("[data-link]").click()
    expect(page.locator(".attnviz > [role=status]")).to_contain_text("The link is copied")
    address = page.evaluate("navigator.clipboard.readText()")
    assert page.url == address
    return address


def upload(page: Page, path) -> None:
    page.locator("#photo input[type=file]").first.set_input_files(str(path))


def pixels(page: Page, selector: str) -> np.ndarray:
    data = page.locator(selector).first.evaluate("canvas => canvas.toDataURL('image/png').split(',')[1]")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def set_slider(page: Page, name: str, value: float) -> None:
    control(page, name).evaluate(
        f"input => {{ input.value = {value}; input.dispatchEvent(new Event('input')) }}"
    )


def requests_of(page: Page) -> list[str]:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "heartbeat" not in request.url else None)
    return sent
