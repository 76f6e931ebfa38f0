"""A headless Chromium for the tests that need one, the page in it, with and without a server, and files of
saved pages."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest
import torch
from helpers.browser_actions import wait_until_drawn
from helpers.fake_host import page_of, two_photos_in_two_networks
from helpers.file_server import handing_out
from helpers.small_networks import stirred
from playwright.sync_api import Page

import attnviz
from attnviz._paths import EXAMPLES_FOLDER
from attnviz.server.catalog import Catalog
from attnviz.server.launch import Server, serve
from attnviz.server.service import make_service
from attnviz.server.settings import Settings
from attnviz.server.sweeping import new_folder
from attnviz.site.content import SitePlan
from attnviz.site.writing import write_site
from attnviz.zoo import registry

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.slow)
        if not (CHROMIUM or os.environ.get("CI")):  # in CI a browser that is missing is a failure
            reason = "no Chromium found: install it, or name it in the variable CHROMIUM"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="package")  # longer, and its event loop would be in the way of other tests
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--disable-background-networking",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield started
        started.close()


@pytest.fixture(scope="package")
def opening() -> dict[str, Callable]:
    """What opens a network in place of ``attnviz.load``, by its name."""
    return {}


@pytest.fixture(scope="package")
def served(opening) -> Iterator[Server]:
    """The page on a server."""
    settings = Settings(host="127.0.0.1")

    def load(name, report=None):
        return opening.get(name, registry.load)(name, report=report)

    service = make_service(settings, new_folder(), Catalog(settings, load))
    server = serve(settings, block=False, service=service)
    yield server
    server.close()


@pytest.fixture(scope="package")
def url(served) -> str:
    return served.url


@pytest.fixture(scope="package")
def profiles(browser):
    """Chromium's profiles by language, one for each visitor of a test: the next test's visitors have the
    scripts already."""
    kept: defaultdict[str, list] = defaultdict(list)
    yield kept
    for context in (context for each in kept.values() for context in each):
        context.close()


@pytest.fixture
def visit(browser, url, profiles):
    """Opens the page in a window and waits until everything is drawn; afterwards nothing may have gone wrong
    or gone out."""
    pages, outside, errors = [], [], []

    def note_outside(request) -> None:
        address = urlparse(request.url)
        if address.scheme.startswith("http") and address.hostname != "127.0.0.1":
            outside.append(request.url)

    def opened(
        width: int = 1440,
        height: int = 1000,
        theme: str = "light",
        query: str = "",
        locale: str = "en-US",
    ):
        kept, number = profiles[locale], sum(spoken == locale for spoken, _ in pages)
        if number == len(kept):
            allowed = ["clipboard-read", "clipboard-write", "camera"]
            kept.append(browser.new_context(permissions=allowed, locale=locale))
        page = kept[number].new_page()
        pages.append((locale, page))
        page.set_viewport_size({"width": width, "height": height})
        page.on("request", note_outside)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.emulate_media(color_scheme=theme)
        page.goto(f"{url}?{query.removeprefix('&')}")
        wait_until_drawn(page)
        return page

    yield opened
    for _, page in pages:
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
        page.close()
    assert outside == [] and errors == []


@pytest.fixture
def open_url(browser):
    """Opens the page at any address as somebody who was never there, where ``script`` runs first; ``asked``
    of the page is what it asked for. Afterwards nothing may have gone wrong."""
    contexts, errors = [], []

    def opened(address: str, script: str = "", **context) -> Page:
        contexts.append(browser.new_context(locale="en-US", **context))
        page = contexts[-1].new_page()
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(script)
        page.goto(address)
        wait_until_drawn(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="module")
def names_on_site() -> tuple[str, ...]:
    """The networks of the page without a server: those that come with attnviz, unless a file of tests
    names others."""
    return tuple(registry.list_networks())


@pytest.fixture(scope="module")
def site_folder(tmp_path_factory, names_on_site) -> Path:
    """The page without a server, as files."""
    out = tmp_path_factory.mktemp("site") / "page"
    write_site(SitePlan(names_on_site), out)
    return out


@pytest.fixture(scope="module")
def site_address(site_folder) -> Iterator[str]:
    """The page without a server, handed out."""
    with handing_out(site_folder) as address:
        yield address


@pytest.fixture(scope="module")
def site_page(browser, site_address) -> Iterator[Page]:
    """One page without a server for all tests that only ask its host."""
    page = browser.new_page()
    page.goto(site_address)
    wait_until_drawn(page)
    yield page
    page.close()


@pytest.fixture(scope="module")
def networks() -> dict:
    """The networks that come with attnviz, by name."""
    return {name: attnviz.load(name) for name in registry.list_networks()}


@pytest.fixture
def open_file(browser):
    """Opens a file without a network; afterwards nothing may have gone wrong or been asked for."""
    contexts, errors, asked = [], [], []
    inside = ("file:", "data:", "blob:", "about:")

    def note_request(request) -> None:
        if not request.url.startswith(inside):
            asked.append(request.url)

    def note_message(message) -> None:
        if message.type == "error":
            errors.append(message.text)

    def opened(path: Path, width: int = 1440, height: int = 900):
        viewport = {"width": width, "height": height}
        contexts.append(browser.new_context(viewport=viewport, locale="en-US", offline=True))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", note_message)
        page.on("request", note_request)
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == [] and asked == []


@pytest.fixture(scope="package")
def captures() -> dict[str, dict]:
    """Two photos in two networks."""
    return two_photos_in_two_networks()


@pytest.fixture
def open_app(open_file, captures, tmp_path: Path):
    """Opens the app with a host that can do what every one can, and ``more``, which is JavaScript, showing
    ``others`` than those captures if any are given."""

    def opened(more: str = "{}", others: dict[str, dict] | None = None, **size: int) -> Page:
        path = tmp_path / "app.html"
        path.write_text(page_of(others or captures, more), encoding="utf-8")
        page = open_file(path, **size)
        wait_until_drawn(page)
        return page

    return opened


@pytest.fixture(scope="package")
def temple() -> attnviz.Trace:
    return attnviz.trace(attnviz.load("cbam_resnet18"), EXAMPLES_FOLDER / "temple.jpg")


@pytest.fixture(scope="package")
def checkpoints(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(0)
    torch.save(
        {"state_dict": {f"module.{key}": value for key, value in stirred(18, "bam").state_dict().items()}},
        folder / "mine.pth",
    )
    torch.save(torch.nn.Linear(2, 2), folder / "whole.pth")
    (folder / "labels.txt").write_text("one\ntwo\nthree\nfour\n<b>five\n", encoding="utf-8")
    return folder
