"""Checkpoints of one's own and networks that are downloaded, in the browser."""

from __future__ import annotations

import re

import torch
from helpers.browser_actions import after, choose, control, open_checkpoint, wait_until_drawn
from helpers.public_networks import untold
from playwright.sync_api import expect

import attnviz


def test_a_checkpoint_of_ones_own_is_opened_beside_the_others(visit, checkpoints):
    page = visit()
    open_checkpoint(page, checkpoints / "mine.pth")
    expect(page.locator("#network input")).to_have_value("mine.pth: BAM ResNet-18 — yours")
    expect(page.locator(".av-item-name")).to_have_text(["bam1", "bam2", "bam3"])
    after(page, lambda: page.set_input_files("#labels input[type=file]", checkpoints / "labels.txt"))
    expect(page.locator(".av-top5")).to_contain_text("<b>five")
    expect(page).to_have_url(re.compile("layer=bam3"))
    assert "network=" not in page.url
    control(page, "tab-networks").click()
    page.get_by_label("Plain ResNet-18").uncheck()
    page.get_by_role("checkbox", name="mine.pth").check()
    expect(page.locator(".av-compare thead th").last).to_contain_text("one", timeout=30_000)
    control(page, "tab-explore").click()
    after(page, lambda: choose(page, "network", "SE ResNet-18 — comes"))
    after(page, lambda: choose(page, "network", "mine.pth"))
    expect(page.locator(".av-item-name").first).to_have_text("bam1")


def test_what_a_checkpoint_does_not_tell_can_be_said(visit, tmp_path):
    torch.save(untold(), tmp_path / "untold.pth")
    page = visit()
    open_checkpoint(page, tmp_path / "untold.pth")
    expect(page.locator("#network-trouble")).to_contain_text("the mean is assumed")
    page.locator("#told input").click()
    after(page, lambda: page.get_by_role("option", name="maximum first").click())
    expect(page.locator("#network-trouble")).not_to_contain_text("the mean is assumed")


def test_a_checkpoint_that_can_not_be_opened_says_why_and_the_rest_stays(visit, checkpoints):
    page = visit(390, 900)
    page.locator("#yours button").first.click()
    page.set_input_files("#checkpoint input[type=file]", checkpoints / "whole.pth")
    expect(page.locator("#network-trouble")).to_contain_text("whole pickled model", timeout=60_000)
    expect(page.locator("#network input")).to_have_value("CBAM ResNet-18 — comes with attnviz")
    expect(page.locator(".av-photo")).to_be_visible()


def test_one_visitors_checkpoint_is_not_offered_to_another(visit, checkpoints):
    first, second = visit(), visit()
    open_checkpoint(first, checkpoints / "mine.pth")
    expect(first.locator("#network input")).to_have_value(re.compile("yours$"))
    second.reload()
    wait_until_drawn(second)
    second.locator("#network input").click()
    expect(second.get_by_role("option", name=re.compile("ImageNet"))).not_to_have_count(0)
    expect(second.get_by_role("option", name=re.compile("yours"))).to_have_count(0)


def test_a_network_that_can_not_be_downloaded_leaves_the_one_before(visit, opening):
    def fails(name, report):
        for done in range(0, 22, 2):
            report(done * 1_000_000, 22_000_000)
        raise attnviz.NetworkError("download_unreachable", host="example.org", title="MobileNetV3 Large")

    opening["torchvision/mobilenet_v3_large"] = fails
    page = visit()
    choose(page, "network", "MobileNetV3 Large")
    expect(page.locator("#network-trouble")).to_contain_text("can't be reached", timeout=60_000)
    expect(page.locator("#network input")).to_have_value("CBAM ResNet-18 — comes with attnviz")
    expect(page.get_by_text("can't be reached")).to_have_count(2)  # below the picker, and once in passing
