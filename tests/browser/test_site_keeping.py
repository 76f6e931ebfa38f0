"""What the page without a server keeps in the browser, and that it serves nothing else from there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.browser_actions import after, choose_network, open_menu, said, wait_until_drawn
from helpers.file_server import handing_out
from playwright.sync_api import Page, expect

NETWORKS = ("se_resnet18", "bam_resnet18", "resnet18")
DAMAGED = "The weights of BAM ResNet-18 arrived damaged or cut off: reload the page."
UNREACHABLE = "A file of this page could not be fetched"


@pytest.fixture(scope="module")
def names_on_site() -> tuple[str, ...]:
    return NETWORKS


@pytest.fixture
def page(browser):
    context = browser.new_context(locale="en-US")
    yield context.new_page()
    context.close()


def opened(page: Page, address: str) -> None:
    """The page, which its worker serves from now on."""
    page.goto(address)
    wait_until_drawn(page)
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("navigator.serviceWorker.controller")


def test_what_was_opened_once_opens_without_a_network(page, site_folder):
    with handing_out(site_folder) as address:
        opened(page, address)
        after(page, lambda: choose_network(page, "bam_resnet18"))
    page.goto(address)
    wait_until_drawn(page)
    after(page, lambda: choose_network(page, "bam_resnet18"))
    expect(said(page)).to_be_empty()
    choose_network(page, "resnet18")
    expect(said(page)).to_contain_text(UNREACHABLE)


def test_what_arrives_damaged_is_not_kept(page, site_folder, tmp_path):
    out = tmp_path / "page"
    shutil.copytree(site_folder, out)
    (weights,) = (out / "models").glob("bam_resnet18*")
    content = weights.read_bytes()
    weights.write_bytes(content[: len(content) // 2])
    with handing_out(out, max_age=600) as address:  # as GitHub Pages does
        opened(page, address)
        choose_network(page, "bam_resnet18")
        expect(said(page)).to_contain_text(DAMAGED)
        weights.write_bytes(content)
        after(page, lambda: choose_network(page, "bam_resnet18"))
        expect(said(page)).to_be_empty()


def test_a_page_that_arrived_damaged_is_kept_once_it_is_whole(page, site_folder, tmp_path):
    out = tmp_path / "page"
    shutil.copytree(site_folder, out)
    (sign,) = (out / "assets").glob("icon-*.svg")
    content = sign.read_bytes()
    sign.write_bytes(content[:-1])
    with handing_out(out, max_age=600) as address:
        page.goto(address)
        wait_until_drawn(page)
        page.wait_for_function("fetch(document.querySelector('link[rel=icon]').href).then(({ ok }) => ok)")
        sign.write_bytes(content)
        opened(page, address)
        kept = page.evaluate("async (path) => (await caches.match(path)).text()", f"assets/{sign.name}")
    assert kept == content.decode()


def test_where_the_browser_has_no_room_everything_opens_all_the_same(page, site_folder):
    with handing_out(site_folder) as address:
        opened(page, address)
        protocol = page.context.new_cdp_session(page)
        origin = address.rstrip("/")
        protocol.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1_000_000})
        after(page, lambda: choose_network(page, "bam_resnet18"))
        expect(said(page)).to_be_empty()


def test_other_pages_below_its_address_are_left_alone(page, site_folder, tmp_path):
    out = tmp_path / "page"
    shutil.copytree(site_folder, out)
    (out / "other").mkdir()
    (out / "other" / "index.html").write_text("<title>other</title>", encoding="utf-8")
    with handing_out(out) as address:
        opened(page, address)
        page.goto(f"{address}other/")
        expect(page).to_have_title("other")
        kept = page.evaluate("async (address) => (await caches.match(address)).text()", address)
        assert kept == (out / "index.html").read_text(encoding="utf-8")


def test_a_zip_is_saved_without_a_network(page, site_folder: Path):
    with handing_out(site_folder) as address:
        opened(page, address)
    open_menu(page, "save")
    with page.expect_download() as download:
        page.locator("[data-save=all]").click()
    assert download.value.suggested_filename.endswith(".zip")
