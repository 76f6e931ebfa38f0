"""What is opened is shown: examples, uploads, pasted and taken photos, other networks; what can't be opened
is said."""

from __future__ import annotations

import re

import numpy as np
from helpers.browser_actions import (
    after,
    choose_example,
    choose_network,
    control,
    drawn,
    nothing_is_on_its_way,
    photo_name,
    pixels,
    said,
    upload,
)
from PIL import Image
from playwright.sync_api import expect

import attnviz
from attnviz.analysis import ranked


def test_the_first_screen_is_a_worked_example(visit, temple):
    page = visit()
    expect(photo_name(page)).to_have_text("Example: temple.jpg")
    expect(page.locator(".av-top5 li").first).to_contain_text("church")
    expect(page.locator(".av-mechanism")).to_contain_text("This is not Grad-CAM")
    assert page.locator(".av-photo-item").count() == 4
    expect(page.locator(".av-shown")).to_have_attribute("data-photo", "example:temple")
    names = page.locator(".av-item-name").all_text_contents()
    assert names == list(temple.layers)
    for index in range(len(names)):  # every thumbnail shows something
        assert pixels(page, f".av-item >> nth={index} >> canvas >> nth=0").std() > 5


def test_upload_pick_a_network_and_a_layer_and_see_the_right_numbers(visit, noise_file):
    page = visit(theme="dark")
    after(page, lambda: upload(page, noise_file))
    expect(photo_name(page)).to_have_text("noise.png")
    after(page, lambda: choose_network(page, "bam_resnet18"))
    page.locator(".av-item", has_text="bam2").click()
    trace = attnviz.trace(attnviz.load("bam_resnet18"), noise_file)
    layer = trace.layers["bam2"]
    best = ranked(layer.channel, "size")[0]
    control(page, "find").fill(str(best))
    expect(page.locator(".av-what .av-readout")).to_have_text(
        f"Channel {best} passes at {layer.channel[best]:.3f} (number 1 of {len(layer.channel)})"
    )
    expect(page.locator(".av-numbers")).to_contain_text(f"Mean {layer.channel.mean():.3f}")
    for row, (label, probability) in zip(page.locator(".av-top5 li").all(), trace.top(5), strict=True):
        expect(row).to_contain_text(label)
        expect(row).to_contain_text(f"{probability:.1%}")
    expect(page.locator(".av-where h2")).to_contain_text(f"{layer.shape[1]} × {layer.shape[2]}")


PUT_A_PICTURE_ON_THE_CLIPBOARD = """async () => {
  const canvas = document.createElement('canvas'); canvas.width = 60; canvas.height = 40
  const picture = await new Promise(done => canvas.toBlob(done, 'image/png'))
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })])
}"""


def test_a_photo_can_be_pasted(visit):
    page = visit()
    page.evaluate(PUT_A_PICTURE_ON_THE_CLIPBOARD)
    after(page, lambda: page.keyboard.press("Control+V"))
    expect(page.locator(".av-heading")).to_contain_text(".png")
    expect(page.locator(".av-heading")).to_contain_text("384 × 256")


def test_a_photo_can_come_from_the_webcam(visit):
    page = visit()
    page.locator(".av-take").click()
    after(page, lambda: page.locator(".av-camera .av-primary").click())
    expect(photo_name(page)).to_have_text("camera.jpg")
    expect(page.locator(".av-camera")).to_have_count(0)


def test_an_example_runs_on_one_click(visit):
    page = visit()
    after(page, lambda: choose_example(page, "cat"))
    expect(photo_name(page)).to_have_text("Example: cat.jpg")


def test_se_says_why_it_has_no_map_and_leads_to_cbam(visit):
    page = visit()
    after(page, lambda: choose_network(page, "se_resnet18"))
    expect(page.locator(".av-none")).to_contain_text("SE weighs channels only")
    expect(page.locator(".av-marks")).to_have_attribute("aria-label", re.compile("without a map"))
    expect(page.locator(".av-bars")).to_be_visible()
    after(page, lambda: page.locator(".av-none button").click())
    expect(page.locator(".av-marks")).to_have_attribute("aria-label", re.compile("Map of layer4.0"))
    after(page, lambda: choose_network(page, "resnet18"))
    expect(page.locator(".av-none")).to_contain_text("no attention")
    expect(page.locator(".av-bars")).to_have_count(0)
    expect(page.locator(".av-top5")).to_contain_text("church")


def test_the_layer_stays_or_its_stage_does(visit):
    page = visit()
    chosen = page.locator('.av-item[aria-selected="true"] .av-item-name')
    page.locator(".av-item", has_text="layer2.1").click()
    for network, stays in (
        ("se_resnet18", "layer2.1"),
        ("bam_resnet18", "bam2"),
        ("cbam_resnet18", "layer2.0"),
    ):
        after(page, lambda network=network: choose_network(page, network))
        expect(chosen).to_have_text(stays)
    page.locator(".av-item", has_text="layer4.1").click()
    after(page, lambda: choose_network(page, "bam_resnet18"))
    # there is no fourth stage: the map that varies most
    expect(chosen).to_have_text("bam2")


def test_a_bad_file_is_a_message_and_what_was_shown_stays(visit, tmp_path, noise_file):
    page = visit()
    before = drawn(page)
    bad = tmp_path / "holiday.png"
    bad.write_bytes(noise_file.read_bytes()[:300])
    upload(page, bad)
    expect(said(page)).to_contain_text("“holiday.png” is damaged or cut off: save or download it again.")
    expect(photo_name(page)).to_have_text("Example: temple.jpg")
    assert drawn(page) == before
    after(page, lambda: upload(page, noise_file))
    expect(photo_name(page)).to_have_text("noise.png")
    expect(said(page)).to_be_hidden()


def test_a_file_name_stays_text_everywhere(visit, noise_file):
    page = visit()
    name = noise_file.with_name("<img src=x onerror=document.title=1>${1+1}{{7}}.png")
    noise_file.rename(name)
    after(page, lambda: upload(page, name))
    expect(photo_name(page)).to_contain_text("onerror=document.title=1")  # Gradio leaves out some letters
    for tab in ("networks", "photos"):
        control(page, f"tab-{tab}").click()
        expect(page.locator(".attnviz")).to_contain_text("onerror")
        nothing_is_on_its_way(page)
    sources = page.locator(".attnviz img").evaluate_all("all => all.map((each) => each.src.slice(0, 5))")
    assert set(sources) == {"data:"} and page.title() == "attnviz"


def test_two_visitors_see_their_own_photos(visit, tmp_path):
    first, second = visit(), visit()
    for page, colour in ((first, "red"), (second, "blue")):
        path = tmp_path / f"{colour}.png"
        Image.new("RGB", (60, 60), colour).save(path)
        after(page, lambda page=page, path=path: upload(page, path))
    for page, name, colour in ((first, "red.png", (255, 0, 0)), (second, "blue.png", (0, 0, 255))):
        expect(photo_name(page)).to_have_text(name)
        page.locator('[data-way="photo"]').click()
        seen = pixels(page, ".av-photo")
        assert np.abs(seen[seen.shape[0] // 2, seen.shape[1] // 2].astype(int) - colour).max() <= 4


def test_a_photo_that_is_gone_says_so_where_it_was_asked_for(visit, served, noise_file):
    page = visit()
    after(page, lambda: upload(page, noise_file))
    for path in served.service.folder.rglob("noise.png"):
        path.unlink()
    served.service.inference.traces.drop(lambda _: True)
    control(page, "find").fill("200")
    expect(page.locator("[data-part=channel]")).to_contain_text("deleted after 60 min")
    expect(page.locator(".av-photo")).to_be_visible()
