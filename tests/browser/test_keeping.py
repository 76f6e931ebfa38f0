"""A view is kept: saved as a file, or as a link that says nothing of the visitor."""

from __future__ import annotations

import io
import json
import re
import zipfile
from urllib.parse import parse_qs, urlparse

import numpy as np
from helpers.browser_actions import (
    after,
    choose_example,
    choose_network,
    control,
    link_of,
    open_checkpoint,
    photo_name,
    said,
    save,
    shown_network,
    upload,
)
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


def test_a_link_brings_the_view_back_without_the_visitors_photo(visit, noise_file):
    page = visit()
    after(page, lambda: choose_example(page, "cat"))
    after(page, lambda: choose_network(page, "bam_resnet18"))
    page.locator(".av-item", has_text="bam2").click()
    control(page, "find").fill("12")
    page.locator("[data-link]").click()
    expect(said(page)).to_contain_text("The link is copied")
    address = page.evaluate("navigator.clipboard.readText()")
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
    expect(page.locator(".av-compare thead th")).to_have_text(
        [re.compile("^CBAM ResNet-18"), re.compile("^BAM ResNet-18"), re.compile("^SE ResNet-18")]
    )


def test_a_link_brings_back_which_photos_and_which_layers_are_compared(visit):
    page = visit(query="&tab=photos&photos=temple,cat,coffee&a=coffee&b=cat")
    for side, photo in (("a", "coffee"), ("b", "cat")):
        expect(control(page, side)).to_have_value(f"example:{photo}", timeout=30_000)
    assert "&a=coffee&b=cat&" in link_of(page)
    control(page, "tab-networks").click()
    control(page, "block").select_option("first")
    address = link_of(page)
    assert "block=first" in address and "a=coffee" not in address
    other = visit(query="&" + address.partition("?")[2])
    expect(control(other, "block")).to_have_value("first")
    expect(other.locator(".av-compare")).to_contain_text("layer1.0")


def test_the_key_to_a_checkpoint_of_ones_own_is_never_in_the_address(visit, checkpoints):
    page = visit()
    open_checkpoint(page, checkpoints / "mine.pth")
    control(page, "tab-networks").click()
    expect(page.get_by_role("checkbox", name="mine.pth")).to_be_checked()
    expect(page.locator(".av-compare thead th").first).to_contain_text("class 0", timeout=30_000)
    address = link_of(page)
    assert "yours" not in address and "networks=se_resnet18%2Ccbam_resnet18%2Cbam_resnet18" in address
    after(page, lambda: choose_network(page, "se_resnet18"))
    assert "yours" not in link_of(page)
