"""What people do in the page, for the tests that drive it, and what they see there."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect


def choose(page: Page, dropdown: str, option: str) -> None:
    page.locator(f"#{dropdown} input").click()
    page.get_by_role("option", name=re.compile(f"^(✓ )?{re.escape(option)}")).first.click()


def control(page: Page, name: str):
    return page.locator(f'[data-control="{name}"]').locator("visible=true")


def drawn(page: Page) -> int:
    return int(page.locator(".attnviz").get_attribute("data-drawn"))


def after(page: Page, action) -> None:
    """Do something, and wait until its capture is drawn."""
    before = drawn(page)
    action()
    expect(page.locator(".attnviz")).not_to_have_attribute("data-drawn", str(before), timeout=60_000)


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
