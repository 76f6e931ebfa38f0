"""A page beside the modules of the viewer's JavaScript, which a test can import."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

from .checkout import ROOT

JS = ROOT / "attnviz" / "viewer" / "js"
PLACE = "http://attnviz.test/"


def open_modules(browser: Browser) -> Page:
    """The page, on which ``import('./numbers/analysis.js')`` gives a module; nothing leaves the machine."""
    page = browser.new_page()

    def answer(route) -> None:
        name = route.request.url.removeprefix(PLACE)
        if name:
            source = (JS / name).read_text(encoding="utf-8")
            route.fulfill(body=source, content_type="text/javascript; charset=utf-8")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page.route(f"{PLACE}**", answer)
    page.goto(PLACE)
    return page
