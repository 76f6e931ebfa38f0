"""Networks and photos are compared beside each other."""

from __future__ import annotations

import re

import numpy as np
from helpers.browser_actions import (
    after,
    choose_example,
    choose_network,
    control,
    open_table,
    requests_of,
    speak,
)
from playwright.sync_api import expect

import attnviz
from attnviz._paths import EXAMPLES_FOLDER
from attnviz.languages.catalogue import say


def test_one_photo_in_four_networks(visit):
    page = visit()
    sent = requests_of(page)
    control(page, "tab-networks").click()
    columns = page.locator("[data-network-column]")
    expect(columns).to_have_count(4)
    for column, name in zip(columns.all(), ("cbam_resnet18", "se_resnet18", "bam_resnet18", "resnet18")):
        best, share = attnviz.trace(attnviz.load(name), EXAMPLES_FOLDER / "temple.jpg").top(1)[0]
        expect(column).to_contain_text(best, timeout=30_000)
        expect(column).to_contain_text(f"{share:.0%}")
    asked = [address for address in sent if "component_server" in address]
    assert len(asked) == 1  # the first one is there already, the others come together
    expect(columns.last).to_contain_text("No attention in this network")
    page.get_by_label("Plain ResNet-18").uncheck()
    expect(columns).to_have_count(3)


def test_one_network_with_several_photos(visit, temple):
    page = visit(query="&tab=photos&photos=temple,cat,coffee&layer=layer3.1")
    expect(page.locator(".av-row-name")).to_have_text(["temple.jpg", "cat.jpg", "coffee.jpg"], timeout=30_000)
    control(page, "a").select_option("example:temple")
    control(page, "b").select_option("example:coffee")
    coffee = attnviz.trace(attnviz.load("cbam_resnet18"), EXAMPLES_FOLDER / "coffee.jpg")
    away = coffee.layers["layer3.1"].channel - temple.layers["layer3.1"].channel
    most = int(np.argmax(np.abs(away)))
    first = page.locator(".av-pair .av-table tbody tr").first
    expect(first.locator("th")).to_have_text(str(most))
    expect(first.locator("td").last).to_have_text(f"{away[most]:.3f}".replace("-", "−"))
    expect(page.locator(".av-pair canvas")).to_have_attribute(
        "aria-label", re.compile(f"Channel {most} differs most")
    )


def test_everything_shown_is_a_scale_as_long_as_something_is_compared(visit):
    page = visit(query="&tab=networks&networks=cbam_resnet18,bam_resnet18&way=colours")
    expect(page.locator("[data-network-column]")).to_have_text(
        [re.compile("church"), re.compile("church")], timeout=30_000
    )
    control(page, "tab-explore").click()
    control(page, "scale").select_option("shown")
    expect(page.locator(".av-where .av-note", has_text="colours span")).to_contain_text(
        "the range of all that is compared"
    )
    low, high = (page.locator(".av-where .av-ticks span").nth(index).text_content() for index in (0, 4))
    bam = attnviz.trace(attnviz.load("bam_resnet18"), EXAMPLES_FOLDER / "temple.jpg")
    assert (
        float(high) == round(float(max(layer.spatial.max() for layer in bam.layers.values())), 2)
        and float(low) < 1
    )
    after(page, lambda: choose_example(page, "cat"))
    expect(control(page, "scale")).to_have_value("fixed")
    assert control(page, "scale").locator("option[value=shown]").count() == 0


def test_a_table_stays_open_and_where_it_was_read(visit):
    page = visit(query="&tab=photos&photos=temple,cat,coffee")
    expect(page.locator(".av-row-name")).to_have_count(3, timeout=30_000)
    open_table(page, "pair")
    box = page.locator('[data-table="pair"] .av-table')
    box.evaluate("box => box.scrollTo(0, 500)")
    before = box.locator("tbody").text_content()
    control(page, "a").select_option("example:coffee")
    assert box.locator("tbody").text_content() != before and box.evaluate("box => box.scrollTop") == 500
    speak(page, "zh")
    expect(box.locator("caption")).to_contain_text("数值表")
    assert box.evaluate("box => box.scrollTop") == 500
    control(page, "tab-networks").click()
    open_table(page, "networks")
    page.get_by_role("checkbox").last.uncheck()
    expect(page.locator('[data-table="networks"] .av-table')).to_be_visible()


def test_no_sentence_names_what_is_not_there(visit):
    page = visit(query="&network=se_resnet18")
    expect(page.locator(".av-node-line")).to_have_text(say("en", "diagram_hint"))
    control(page, "tab-photos").click()
    expect(page.locator("h2:visible").first).to_have_text("Photos in SE ResNet-18")
    expect(page.locator("[data-figure=spread] h3")).to_contain_text(
        re.compile(r"Gates of layer\d\.\d over 3 photos"), timeout=30_000
    )
    after(page, lambda: choose_network(page, "resnet18"))
    expect(page.locator("h2:visible").first).to_have_text("Photos in Plain ResNet-18")
    expect(page.locator("[data-figure=spread]")).to_have_count(0)
