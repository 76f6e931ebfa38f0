"""What people do in the page, for the tests that drive it, and what they see there."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, Request, expect

CLICK_ALL = "all => all.filter((each) => each.checkVisibility()).forEach((each) => each.click())"


def wait_until_drawn(page: Page) -> None:
    """Wait for the first capture of a page."""
    expect(page.locator(".attnviz[data-drawn]")).to_be_visible(timeout=60_000)


def open_menu(page: Page, name: str) -> None:
    """Open a menu, if it is not open."""
    button = page.locator(f'[data-menu="{name}"]')
    if button.get_attribute("aria-expanded") != "true":
        button.click()


def choose_network(page: Page, name: str) -> None:
    """Choose a network by the name that the server knows: of the segments, or behind the search."""
    segment = page.locator(f'.av-segments [data-network="{name}"]')
    if segment.count() == 0:
        open_menu(page, "networks")
        segment = page.locator(f'.av-search [data-network="{name}"]')
    segment.click()


def choose_example(page: Page, name: str) -> None:
    """Choose one of the example photos."""
    page.locator(f'[data-photo="example:{name}"] > button').first.click()


def choose_view(page: Page, view: str) -> None:
    """Let the network see the whole photo, or its centre crop."""
    open_menu(page, "settings")
    page.locator(f'.av-menu-panel input[value="{view}"]').click()  # it is chosen once its capture is here


def open_tools(page: Page) -> None:
    """Open the panel of what can be done with all of the page, where it is folded, as on phones."""
    opener = page.locator(".av-tools-opener")
    if opener.is_visible() and opener.get_attribute("aria-expanded") == "false":
        opener.click()


def open_look(page: Page) -> None:
    """Open what else can be set of the map and of the bars, where it is folded."""
    page.locator("details[data-look]:not([open]) > summary").evaluate_all(CLICK_ALL)


def control(page: Page, name: str):
    """A control by its name, which may be folded away at first."""
    if name.startswith("tab-"):
        open_tools(page)
    found = page.locator(f'[data-control="{name}"]')
    folded = page.locator(f'details[data-look]:not([open]):has([data-control="{name}"]) > summary')
    folded.evaluate_all(CLICK_ALL)
    return found.locator("visible=true")


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
    expect(page.locator(".av-awaited").locator("visible=true")).to_have_count(0, timeout=60_000)


def next_frame(page: Page) -> None:
    """Wait until the page was laid out and drawn anew."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def ask_for_checkpoint(page: Page, path: Path, labels: Path | None = None) -> None:
    """Ask for a checkpoint of the visitor's own, perhaps with the names of its classes."""
    open_menu(page, "networks")
    page.set_input_files("[data-own=weights]", path)
    if labels:
        page.set_input_files("[data-own=labels]", labels)
    page.locator("[data-open-own]").click()


def open_checkpoint(page: Page, path: Path, labels: Path | None = None) -> None:
    """Open a checkpoint of the visitor's own, and wait until it is drawn."""
    after(page, lambda: ask_for_checkpoint(page, path, labels))
    expect(shown_network(page)).to_have_text(re.compile(re.escape(path.name)))


def shown_network(page: Page):
    """The segment of the network that is shown."""
    return page.locator('.av-segments [aria-pressed="true"]')


def photo_name(page: Page):
    """Where the name of the shown photo stands."""
    return page.locator(".av-photo-name")


def said(page: Page):
    """What there was to say last: of what was done, or of what went wrong."""
    return page.locator(".av-notice")


def speak(page: Page, language: str) -> None:
    """Choose a language by its code."""
    page.locator(f'[data-language="{language}"]').click()


def save(page: Page, what: str) -> None:
    """Ask for what is on the screen, or for all, as a file."""
    open_menu(page, "save")
    page.locator(f'[data-save="{what}"]').click()


def open_table(page: Page, name: str):
    """Open the table of that name, which the page fills a moment later; its rows."""
    open_look(page)
    page.locator(f'[data-table="{name}"] summary').click()
    rows = page.locator(f'[data-table="{name}"] tbody tr')
    expect(rows.first).to_be_visible()
    return rows


def link_of(page: Page) -> str:
    """Copy the link to what is shown."""
    open_menu(page, "share")
    page.locator("[data-link]").click()
    expect(said(page)).to_contain_text("The link is copied")
    address = page.evaluate("navigator.clipboard.readText()")
    assert page.url == address
    return address


def upload(page: Page, *paths) -> None:
    """Choose photos in the picker."""
    page.locator("input[data-add]").set_input_files([str(path) for path in paths])


def drop(page: Page, name: str, content: bytes, kind: str = "") -> None:
    """Drop a file somewhere on the page."""
    page.locator(".av-bar").evaluate(
        """(place, [name, bytes, type]) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
            for (const kind of ['dragover', 'drop'])
              place.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        [name, list(content), kind],
    )


def pixels(page: Page, selector: str) -> np.ndarray:
    """The colours of a canvas, (h, w, 3)."""
    data = page.locator(selector).first.evaluate("canvas => canvas.toDataURL('image/png').split(',')[1]")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def set_slider(page: Page, name: str, value: float) -> None:
    """Move a slider."""
    control(page, name).evaluate(
        f"input => {{ input.value = {value}; input.dispatchEvent(new Event('input', {{bubbles: true}})) }}"
    )


def requests_of(page: Page) -> list[str]:
    """The addresses that a page asks for from now on, but for its icon: a browser takes that out of its own
    store whenever the address changes."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if "heartbeat" not in request.url and not request.url.endswith(".svg"):
            sent.append(request.url)

    page.on("request", note)
    return sent
