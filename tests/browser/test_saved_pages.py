"""The viewer without a page around it: one file, opened offline."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.browser_actions import control, photo_name
from helpers.small_networks import stirred
from playwright.sync_api import expect

import attnviz
from attnviz.viewer.standalone import frame, html


def test_one_file_is_explored_offline(open_file, tmp_path, examples):
    network = attnviz.load("cbam_resnet18")
    traces = [attnviz.trace(network, examples / f"{name}.jpg") for name in ("cat", "coffee")]
    (tmp_path / "page.html").write_text(html(traces, network.card), encoding="utf-8")
    page = open_file(tmp_path / "page.html")
    expect(photo_name(page)).to_have_text("cat.jpg")
    expect(page.locator(".av-answer")).to_contain_text(f"{network.card.accuracy:.1%}")
    page.locator(".av-item", has_text="layer2.1").click()
    expect(page.locator(".av-numbers")).to_contain_text(
        f"Mean {traces[0].layers['layer2.1'].channel.mean():.3f}"
    )
    expect(page.locator("[data-part=channel]")).to_contain_text("which is not in this file")
    control(page, "find").fill("5")
    expect(page.locator("[data-part=channel]")).to_contain_text("which is not in this file")
    page.locator('[data-photo="coffee.jpg"] > button').click()
    expect(page.locator(".av-numbers")).to_contain_text(
        f"Mean {traces[1].layers['layer2.1'].channel.mean():.3f}"
    )
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".av-mechanism")).to_contain_text("这不是 Grad-CAM")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_what_comes_from_outside_stays_text(open_file, tmp_path, noise):
    network = stirred(18, "cbam")
    network.card = attnviz.networks.card.Card(
        "<i>net</i>", labels=("</script><script>document.title=1</script>", "b", "c", "d", "e")
    )
    trace = attnviz.trace(network, attnviz.Photo(noise, "<img src=x onerror=document.title=1>.png"))
    (tmp_path / "page.html").write_text(html([trace], network.card), encoding="utf-8")
    page = open_file(tmp_path / "page.html")
    expect(photo_name(page)).to_have_text("<img src=x onerror=document.title=1>.png")
    expect(page.locator(".av-heading")).to_contain_text("<i>net</i>")
    assert page.locator("i, img:not([src^=data])").count() == 0 and page.title().startswith("<img")


@pytest.mark.parametrize(("attention", "count"), [("se", 16), ("cbam", 16)])
def test_a_resnet_50_fits_a_laptops_screen(open_file, tmp_path, noise, attention, count):
    trace = attnviz.trace(stirred(50, attention, width=8), noise)
    (tmp_path / "page.html").write_text(html([trace]), encoding="utf-8")
    page = open_file(tmp_path / "page.html", 1280, 800)
    expect(page.locator(".av-item")).to_have_count(count)
    assert page.locator(".av-strip-list").evaluate("list => list.scrollWidth <= list.clientWidth")
    phone = open_file(tmp_path / "page.html", 390, 800)
    expect(phone.locator(".av-item")).to_have_count(count)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.locator(".av-strip-list").evaluate("list => list.scrollWidth > list.clientWidth")


def test_a_factor_that_can_not_be_known_is_grey_and_said(open_file, tmp_path, noise):
    from attnviz.capture.layer_attention import LayerAttention

    trace = attnviz.trace(stirred(18, "cbam"), noise)
    broken = np.full((8, 13), np.nan, np.float32)
    broken[0, 0] = 0.25
    channel = np.array([0.1, np.nan, 0.9], np.float32)
    trace.layers.clear()
    trace.layers["layer1.0"] = LayerAttention("layer1.0", "both", (3, 8, 13), channel, broken)
    (tmp_path / "page.html").write_text(html([trace]), encoding="utf-8")
    page = open_file(tmp_path / "page.html")
    expect(page.locator(".av-where")).to_contain_text("grey: undefined")
    expect(page.locator(".av-numbers")).to_contain_text("1 undefined")


def test_a_notebooks_cell_shows_the_viewer(open_file, tmp_path, noise):
    trace = attnviz.trace(stirred(18, "bam"), noise)
    (tmp_path / "cell.html").write_text(f"<!doctype html><body>{frame(trace)}</body>", encoding="utf-8")
    page = open_file(tmp_path / "cell.html")
    expect(page.frame_locator("iframe").locator(".av-item-name")).to_have_text(["bam1", "bam2", "bam3"])
    expect(page.frame_locator("iframe").locator(".av-photo")).to_be_visible()
    for width in (900, 1384):
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.frame_locator("iframe").locator(".av-node").first).to_be_attached()
        inside = next(frame for frame in page.frames if frame.parent_frame)
        assert inside.evaluate("document.documentElement.scrollHeight <= innerHeight")
