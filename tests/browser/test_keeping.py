"""A view is kept: saved as a file, or as a link that says nothing of the visitor."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
from helpers.browser_actions import (
    after,
    choose_example,
    choose_network,
    control,
    link_of,
    open_checkpoint,
    open_menu,
    photo_name,
    said,
    save,
    shown_network,
    upload,
    wait_until_drawn,
)
from PIL import Image
from playwright.sync_api import expect


def test_the_first_click_saves(visit, temple):
    page = visit()
    counts = {}
    for what in ("screen", "all"):
        with page.expect_download(timeout=90_000) as download:
            save(page, what)
        expect(said(page)).to_contain_text("Saved")
        with (
            zipfile.ZipFile(download.value.path()) as archive,
            np.load(io.BytesIO(archive.read("arrays.npz"))) as arrays,
        ):
            weights = temple.layers["layer4.0"].channel
            np.testing.assert_allclose(arrays["layer4.0.channel"], weights, atol=1e-6)
            assert json.loads(archive.read("manifest.json"))["settings"]["opacity"] == 0.6
            assert ("overview.png" in archive.namelist()) == (what == "all")
            counts[what] = len(archive.namelist())
    assert counts["screen"] <= 20 and counts["all"] > 60


def test_every_kind_of_file_is_what_its_name_says(visit, temple, tmp_path):
    page = visit(query="&layer=layer4.0&channel=5")
    expect(page.locator("[data-menu=take-channel]")).to_be_visible()
    begins = {"svg": b"<svg", "pdf": b"%PDF-1.7", "csv": b"row,column,gate"}
    for form, start in begins.items():
        open_menu(page, "take-map")
        with page.expect_download(timeout=60_000) as download:
            page.locator(f"[data-take={form}]").click()
        assert download.value.suggested_filename == f"temple · cbam_resnet18 · layer4.0 · map.{form}"
        assert download.value.path().read_bytes().startswith(start)
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    np.testing.assert_allclose(
        [float(row["gate"]) for row in rows], temple.layers["layer4.0"].spatial.ravel(), rtol=1e-4, atol=1e-6
    )


def test_a_page_is_saved_that_opens_without_the_server_as_it_was_set(visit, open_file, tmp_path):
    page = visit(query="&network=bam_resnet18&layer=bam2&channel=12&colours=magma")
    with page.expect_download(timeout=60_000) as download:
        save(page, "page")
    assert download.value.suggested_filename == "temple · bam_resnet18 · bam2 · explore.html"
    path = tmp_path / "saved.html"
    download.value.save_as(path)
    alone = open_file(path)
    wait_until_drawn(alone)
    state = alone.evaluate("attnviz.viewer.state")
    assert (state["layer"], state["channel"], state["colours"]) == ("bam2", 12, "magma")
    assert alone.title() == "temple.jpg · BAM ResNet-18 – attnviz"
    expect(alone.locator(".av-heading")).to_contain_text("danielbuechele (CC BY 2.0)")


def test_a_figure_for_a_paper_is_as_wide_as_was_asked(visit):
    page = visit()
    open_menu(page, "save")
    page.locator("[data-save=paper]").click()
    control(page, "paper-width").select_option("85")
    control(page, "paper-format").select_option("png")
    with page.expect_download(timeout=60_000) as download:
        page.locator("[data-paper-save]").click()
    picture = Image.open(download.value.path())
    assert picture.width / 300 * 25.4 == pytest.approx(85, abs=0.1)


def test_an_embedded_page_is_the_map_and_the_strip_and_leads_to_the_whole(visit):
    page = visit(query="&embed=1&network=bam_resnet18&layer=bam2")
    expect(page.locator(".av-where")).to_be_visible()
    expect(page.locator(".av-strip")).to_be_visible()
    for selector in (".av-bar", ".av-what", ".av-answer", ".av-mechanism", ".av-choosing"):
        expect(page.locator(selector)).to_have_count(0)
    address = page.locator(".av-embed-link a").get_attribute("href")
    assert "embed" not in address and "network=bam_resnet18" in address
    page.locator(".av-item").first.click()
    expect(page).to_have_url(re.compile("layer=bam1.*embed=1|embed=1.*layer=bam1"))


def test_the_code_of_a_frame_names_the_view(visit):
    page = visit(query="&network=bam_resnet18&layer=bam2")
    open_menu(page, "share")
    expect(page.locator(".av-menu-panel")).to_contain_text("ATTNVIZ_FRAMES")  # which no website may, at first
    page.locator("[data-embed]").click()
    expect(said(page)).to_contain_text("The code is copied")
    code = page.evaluate("navigator.clipboard.readText()")
    assert code.startswith("<iframe src=") and "embed=1" in code and "layer=bam2" in code
    assert "&amp;" in code and not re.search("&(?!amp;)", code)


def test_a_link_brings_the_view_back_without_the_visitors_photo(visit, noise_file):
    page = visit()
    after(page, lambda: choose_example(page, "cat"))
    after(page, lambda: choose_network(page, "bam_resnet18"))
    page.locator(".av-item", has_text="bam2").click()
    control(page, "find").fill("12")
    address = link_of(page)
    query = {key: values[0] for key, values in parse_qs(urlparse(address).query).items()}
    assert (
        query.items() >= {"network": "bam_resnet18", "photo": "cat", "layer": "bam2", "channel": "12"}.items()
    )
    other = visit(query=urlparse(address).query)
    expect(photo_name(other)).to_have_text("Example: cat.jpg")
    expect(other.locator('.av-item[aria-selected="true"] .av-item-name')).to_have_text("bam2")
    expect(other.locator("h3", has_text="Channel 12 of bam2")).to_be_visible()
    expect(shown_network(other)).to_have_text("BAM")
    after(page, lambda: upload(page, noise_file))
    expect(page).not_to_have_url(re.compile("photo="))
    assert "layer=bam2" in page.url and "noise" not in page.url and "upload" not in page.url


def test_a_link_to_a_comparison(visit):
    page = visit(query="&tab=networks&networks=bam_resnet18,se_resnet18&photo=pizza")
    expect(page.locator("[data-network-column] h3")).to_have_text(
        ["CBAM ResNet-18", "BAM ResNet-18", "SE ResNet-18"]
    )


def test_a_link_brings_back_which_photos_and_which_layers_are_compared(visit):
    page = visit(query="&tab=photos&photos=temple,cat,coffee&a=coffee&b=cat")
    for side, photo in (("a", "coffee"), ("b", "cat")):
        expect(control(page, side)).to_have_value(f"example:{photo}", timeout=30_000)
    assert "&a=coffee&b=cat&" in link_of(page)
    control(page, "tab-networks").click()
    control(page, "layer-of-bam_resnet18").select_option("bam1")
    address = link_of(page)
    assert "compared=bam_resnet18%3Abam1" in address and "a=coffee" not in address
    other = visit(query="&" + address.partition("?")[2])
    expect(control(other, "layer-of-bam_resnet18")).to_have_value("bam1", timeout=30_000)


def test_the_key_to_a_checkpoint_of_ones_own_is_never_in_the_address(visit, checkpoints):
    page = visit()
    open_checkpoint(page, checkpoints / "mine.pth")
    control(page, "tab-networks").click()
    expect(page.get_by_role("checkbox", name="mine.pth")).to_be_checked()
    expect(page.locator("[data-network-column]").first).to_contain_text("class 0", timeout=30_000)
    address = link_of(page)
    assert "yours" not in address and "networks=cbam_resnet18%2Cse_resnet18%2Cbam_resnet18" in address
    after(page, lambda: choose_network(page, "se_resnet18"))
    assert "yours" not in link_of(page)
