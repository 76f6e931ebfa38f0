"""A page that is reloaded, gone back in or opened from its address is as it was."""

from __future__ import annotations

import re

from helpers.browser_actions import (
    after,
    choose_example,
    choose_network,
    control,
    drawn,
    drop,
    photo_name,
    set_slider,
    shown_network,
    upload,
    wait_until_drawn,
)
from playwright.sync_api import expect


def chosen_layer(page):
    return page.locator('.av-item[aria-selected="true"]')


def test_a_reload_keeps_the_visitors_photos_and_all_that_was_set(visit, noise_file):
    page = visit()
    after(page, lambda: upload(page, noise_file))
    after(page, lambda: choose_network(page, "bam_resnet18"))
    page.locator(".av-item", has_text="bam1").click()
    control(page, "find").fill("7")
    page.locator("[data-way=colours]").click()
    control(page, "colours").select_option("turbo")
    set_slider(page, "opacity", 0.3)
    expect(page).to_have_url(re.compile("opacity=0.3"))
    assert "noise" not in page.url and "upload" not in page.url
    page.reload()
    wait_until_drawn(page)
    expect(photo_name(page)).to_have_text("noise.png")
    expect(shown_network(page)).to_have_text("BAM")
    expect(chosen_layer(page)).to_have_attribute("data-layer", "bam1")
    expect(page.locator("[data-part=channel] h3")).to_contain_text("Channel 7 of bam1")
    expect(control(page, "colours")).to_have_value("turbo")
    expect(page.locator(".av-remove")).to_have_count(1)
    expect(page.locator(".av-shown img")).to_have_attribute("src", re.compile("^data:image/jpeg"))


def test_back_undoes_the_choice_of_a_photo_a_network_and_a_layer(visit):
    page = visit()
    first = chosen_layer(page).get_attribute("data-layer")
    after(page, lambda: choose_example(page, "cat"))
    after(page, lambda: choose_network(page, "se_resnet18"))
    page.locator(".av-item", has_text="layer1.0").click()
    page.go_back()
    expect(chosen_layer(page)).not_to_have_attribute("data-layer", "layer1.0")
    expect(shown_network(page)).to_have_text("SE")
    page.go_back()
    expect(shown_network(page)).to_have_text("CBAM")
    page.go_back()
    expect(photo_name(page)).to_have_text("Example: temple.jpg")
    expect(chosen_layer(page)).to_have_attribute("data-layer", first)
    page.go_forward()
    expect(photo_name(page)).to_have_text("Example: cat.jpg")


def test_the_address_brings_back_all_that_was_set(visit):
    page = visit()
    page.locator(".av-item", has_text="layer3.1").click()
    marks = page.locator(".av-marks")
    marks.click(position={"x": 60, "y": 60})
    cell = page.evaluate("attnviz.viewer.state.pin")
    for name, value in (("scale", "map"), ("colours", "turbo"), ("order", "surprise"), ("top", "10")):
        control(page, name).select_option(value)
    page.locator("[data-way=colours]").click()
    control(page, "smooth").check()
    control(page, "grid").check()
    control(page, "gallery").click()
    control(page, "tiles").select_option("index")
    page.locator("[data-way=photo]").click()
    set_slider(page, "wipe", 0.25)
    expect(page).to_have_url(re.compile("wipe=0.25"))
    assert f"cell={cell[0] + 1}-{cell[1] + 1}" in page.url
    other = visit(query=page.url.partition("?")[2])
    names = (
        "layer",
        "channel",
        "pin",
        "scale",
        "colours",
        "order",
        "top",
        "smooth",
        "grid",
        "wipe",
        "opacity",
        "way",
        "bare",
        "gallery",
        "tiles",
    )
    state = "(names) => names.map((name) => attnviz.viewer.state[name])"
    assert other.evaluate(state, names) == page.evaluate(state, names)


def test_an_address_of_nonsense_opens_the_page_as_ever(visit):
    page = visit()
    state = "JSON.stringify(attnviz.viewer.state)"
    other = visit(
        query="&layer=x&channel=-1&cell=0-0&opacity=7&scale=x&colours=x&order=x&top=9999999&tab=x&photo=x"
        "&a=upload:x&way=x&bare=3&gallery=x&tiles=x"
    )
    assert other.evaluate(state) == page.evaluate(state)
    assert drawn(other) > 0


def test_a_photo_is_dropped_anywhere_and_several_come_at_once(visit, noise_file, tmp_path):
    page = visit()
    after(page, lambda: drop(page, "dropped.png", noise_file.read_bytes(), "image/png"))
    expect(photo_name(page)).to_have_text("dropped.png")
    second = tmp_path / "second.png"
    second.write_bytes(noise_file.read_bytes())
    upload(page, noise_file, second)
    expect(photo_name(page)).to_have_text("second.png", timeout=30_000)
    expect(page.locator(".av-remove")).to_have_count(3)
    labels = page.locator(".av-photo-item > button:first-child").all()[:3]
    assert [label.get_attribute("title") for label in labels] == ["second.png", "noise.png", "dropped.png"]
    after(page, lambda: page.get_by_label("Remove second.png").click())
    expect(photo_name(page)).to_have_text("Example: temple.jpg")
    expect(page.locator(".av-remove")).to_have_count(2)
