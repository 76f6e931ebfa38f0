"""Checkpoints of one's own and networks that are downloaded, in the browser."""

from __future__ import annotations

import re

import torch
from helpers.browser_actions import (
    after,
    ask_for_checkpoint,
    choose_network,
    control,
    open_checkpoint,
    open_menu,
    said,
    shown_network,
    wait_until_drawn,
)
from helpers.public_networks import untold
from playwright.sync_api import expect

import attnviz


def choose_own(page, name: str) -> None:
    """Choose a network of one's own by its file."""
    open_menu(page, "networks")
    page.locator(".av-search button", has_text=name).click()


def test_a_checkpoint_of_ones_own_is_opened_beside_the_others(visit, checkpoints):
    page = visit()
    open_checkpoint(page, checkpoints / "mine.pth")
    expect(shown_network(page)).to_have_text("mine.pth: BAM ResNet-18")
    expect(page.locator(".av-item-name")).to_have_text(["bam1", "bam2", "bam3"])
    open_checkpoint(page, checkpoints / "mine.pth", checkpoints / "labels.txt")
    expect(page.locator(".av-top5")).to_contain_text("<b>five")
    expect(page).to_have_url(re.compile("layer=bam3"))
    assert "network=" not in page.url
    control(page, "tab-networks").click()
    expect(page.get_by_role("checkbox", name="mine.pth")).to_be_checked()
    expect(page.locator("[data-network-column]").first).to_contain_text("one", timeout=30_000)
    control(page, "tab-explore").click()
    after(page, lambda: choose_network(page, "se_resnet18"))
    after(page, lambda: choose_own(page, "mine.pth"))
    expect(page.locator(".av-item-name").first).to_have_text("bam1")


def test_what_a_checkpoint_does_not_tell_can_be_said(visit, tmp_path):
    torch.save(untold(), tmp_path / "untold.pth")
    page = visit()
    open_checkpoint(page, tmp_path / "untold.pth")
    expect(said(page)).to_contain_text("the mean is assumed")
    open_menu(page, "networks")
    page.locator("[data-told] > summary").click()
    page.get_by_role("checkbox", name="spatial gates take the maximum first").check()
    open_checkpoint(page, tmp_path / "untold.pth")
    expect(said(page)).not_to_contain_text("the mean is assumed")


def test_a_checkpoint_that_can_not_be_opened_says_why_and_the_rest_stays(visit, checkpoints):
    page = visit(390, 900)
    ask_for_checkpoint(page, checkpoints / "whole.pth")
    expect(said(page)).to_contain_text("whole pickled model", timeout=60_000)
    expect(shown_network(page)).to_have_text("CBAM")
    expect(page.locator(".av-photo")).to_be_visible()


def test_one_visitors_checkpoint_is_not_offered_to_another(visit, checkpoints):
    first, second = visit(), visit()
    open_checkpoint(first, checkpoints / "mine.pth")
    open_menu(first, "networks")
    expect(first.locator(".av-search")).to_contain_text("mine.pth: BAM ResNet-18 – yours")
    second.reload()
    wait_until_drawn(second)
    open_menu(second, "networks")
    expect(second.locator(".av-search")).to_contain_text("ImageNet")
    expect(second.locator(".av-search")).not_to_contain_text("yours")


def test_a_network_that_can_not_be_downloaded_leaves_the_one_before(visit, opening):
    def fails(name, report):
        for done in range(0, 22, 2):
            report(done * 1_000_000, 22_000_000)
        raise attnviz.NetworkError("download_unreachable", host="example.org", title="MobileNetV3 Large")

    opening["torchvision/mobilenet_v3_large"] = fails
    page = visit()
    choose_network(page, "torchvision/mobilenet_v3_large")
    expect(said(page)).to_contain_text("can't be reached", timeout=60_000)
    expect(shown_network(page)).to_have_text("CBAM")
    expect(page.get_by_text("can't be reached")).to_have_count(1)
