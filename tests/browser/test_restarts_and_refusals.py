"""The page as visitors of a server see it: what the guard refuses is said, a restart is survived, deletion
deletes."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from helpers.browser_actions import after, choose_example, choose_view, open_menu, photo_name, said, upload
from helpers.checkout import ROOT
from helpers.server_process import free_port
from playwright.sync_api import Page, expect

from attnviz.server.launch import serve
from attnviz.server.settings import Settings

CAT = ROOT / "assets" / "examples" / "cat.jpg"
WINDOW = {"width": 1440, "height": 1000}


def heading(page: Page):
    return photo_name(page)


def test_a_page_outlives_its_server(open_url):
    settings = Settings(host="127.0.0.1", port=free_port())
    with closing(serve(settings, block=False)) as server:
        page = open_url(server.url, viewport=WINDOW)
        upload(page, CAT)
        expect(heading(page)).to_have_text("cat.jpg", timeout=30_000)
    with closing(serve(settings, block=False)):
        choose_view(page, "crop")  # of the photo that went with the server
        expect(said(page)).to_contain_text("no longer here", timeout=30_000)
        expect(heading(page)).to_have_text("cat.jpg")
        after(page, lambda: upload(page, CAT))
        choose_view(page, "crop")
        expect(page.locator(".av-heading")).to_contain_text("centre", timeout=30_000)
        choose_example(page, "temple")
        expect(heading(page)).to_have_text("Example: temple.jpg", timeout=30_000)


def test_delete_my_photos_now_deletes_them_on_the_server_and_in_the_page(open_url, served):
    def files() -> set[Path]:
        return {path for path in served.service.folder.rglob("*") if path.is_file()}

    page, other = open_url(served.url, viewport=WINDOW), open_url(served.url, viewport=WINDOW)
    before = files()
    for visitor in (page, other):
        upload(visitor, CAT)
        expect(heading(visitor)).to_have_text("cat.jpg", timeout=30_000)
    open_menu(page, "settings")
    page.locator("[data-forget]").click()
    expect(heading(page)).to_have_text("Example: temple.jpg", timeout=30_000)
    expect(said(page)).to_contain_text("deleted")
    photos = [path for path in files() - before if path.parent.parent.name == "own"]
    assert len(photos) == 1  # the other visitor's, of the same name
    assert page.evaluate("attnviz.viewer.captures.all().map((trace) => trace.photo.name)") == ["temple.jpg"]
    expect(page.locator(".av-remove")).to_have_count(0)
    choose_view(other, "crop")
    expect(other.locator(".av-heading")).to_contain_text("centre", timeout=30_000)
    expect(heading(other)).to_have_text("cat.jpg")


def refusing(sentence: str, status: int):
    return lambda route: route.fulfill(
        status=status, content_type="application/json", body=json.dumps({"detail": sentence})
    )


def test_what_the_guard_refuses_is_said_and_the_page_stays(open_url, served):
    page = open_url(served.url, viewport=WINDOW)
    page.route(
        "**/component_server",
        refusing("The server is busy: you would be number 81 in the line. Try again in about 9 s.", 429),
    )
    choose_example(page, "springer")
    expect(said(page)).to_contain_text("you would be number 81 in the line")
    expect(heading(page)).to_have_text("Example: temple.jpg")
    page.unroute("**/component_server")
    page.locator(".av-close").click()
    page.route(
        "**/gradio_api/upload**",
        refusing("There is no room on the server for uploads: try again later.", 507),
    )
    upload(page, CAT)
    expect(said(page)).to_contain_text("no room on the server")
    page.unroute("**/gradio_api/upload**")
    choose_example(page, "springer")
    expect(heading(page)).to_have_text("Example: springer.jpg", timeout=30_000)
