"""Drives the real page in headless Chromium: upload, network, layer, numbers, errors, saving, a phone, no outside requests."""

from __future__ import annotations

import io
import os
import re
import shutil
import zipfile
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest
import torch
from conftest import stirred
from PIL import Image

import attnviz
from attnviz import page as app
from attnviz.analysis import strongest
from attnviz.paper import picture
from attnviz.render import Look, bars_figure, map_figure

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
if not CHROMIUM and not os.environ.get("CI"):
    pytest.skip("no Chromium found: install it, or name it in the variable CHROMIUM", allow_module_level=True)

from playwright.sync_api import Page, expect, sync_playwright  # noqa: E402


@pytest.fixture(scope="module")
def url():
    served = app.serve(host="127.0.0.1", block=False)
    yield served.local_url
    served.close()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking",
                  "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
        )
        yield started
        started.close()


@pytest.fixture
def visit(browser, url):
    """Opens the page in a window and waits for its first picture; afterwards nothing may have gone wrong or gone out."""
    pages, outside, errors = [], [], []

    def opened(width: int = 1300, height: int = 1000, theme: str = "light") -> Page:
        permissions = ["clipboard-read", "clipboard-write", "camera"]
        page = browser.new_page(viewport={"width": width, "height": height}, permissions=permissions)
        page.on("request", lambda request: outside.append(request.url)
                if urlparse(request.url).scheme.startswith("http") and urlparse(request.url).hostname != "127.0.0.1" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        pages.append(page)
        page.goto(f"{url}?__theme={theme}")
        expect(page.locator("#map img")).to_be_visible(timeout=60_000)
        return page

    yield opened
    for page in pages:
        page.close()
    assert outside == [] and errors == []


def choose(page: Page, dropdown: str, option: str) -> None:
    page.locator(f"#{dropdown} input").click()
    page.get_by_role("option", name=re.compile(f"^(✓ )?{re.escape(option)}")).first.click()


def shown(page: Page, element: str) -> np.ndarray:
    """The pixels of the picture that an element shows."""
    source = page.locator(f"#{element} img").get_attribute("src")
    return np.asarray(Image.open(io.BytesIO(page.request.get(source).body())).convert("RGB"))


def upload(page: Page, path) -> None:
    page.locator("#photo input[type=file]").first.set_input_files(str(path))


def test_the_first_screen_is_a_worked_example(visit):
    page = visit()
    expect(page.locator("#title")).to_contain_text("Example: temple")
    expect(page.locator("#says")).to_contain_text("church")
    expect(page.locator("#explained")).to_contain_text("This is not Grad-CAM")
    assert page.locator("#examples button").count() >= 6


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_upload_pick_a_network_and_a_layer_and_see_the_right_numbers(visit, noise_file, theme):
    page = visit(theme=theme)
    upload(page, noise_file)
    expect(page.locator("#title")).to_contain_text("noise.png")
    choose(page, "network", "BAM")
    expect(page.locator("#layer input")).to_have_value(re.compile("BAM"))
    choose(page, "layer", "bam3")
    trace = attnviz.trace(attnviz.load("bam_resnet18"), noise_file)
    layer = trace.layers["bam3"]
    expect(page.locator("#channel-note")).to_contain_text(f"{strongest(layer.channel)[0][0]} (")
    expect(page.locator("#channel-note")).to_contain_text(f"Mean {layer.channel.mean():.3f}")
    best, probability = trace.top(1)[0]
    expect(page.locator("#says")).to_contain_text(best)
    expect(page.locator("#says")).to_contain_text(f"{probability:.0%}")
    expect(page.locator("#map-note")).to_contain_text(f"{layer.shape[1]} × {layer.shape[2]} grid")
    dark = theme == "dark"
    expected = np.asarray(picture(map_figure(trace, "bam3", Look(dark=dark))).convert("RGB"))
    np.testing.assert_allclose(shown(page, "map"), expected, atol=2)
    expected = np.asarray(picture(bars_figure(layer, "index", dark, "Channel weights of bam3")).convert("RGB"))
    np.testing.assert_allclose(shown(page, "bars"), expected, atol=2)


def test_the_look_changes_the_picture_and_runs_nothing(visit, monkeypatch):
    page = visit()
    monkeypatch.setattr(app.traces, "_compute", lambda asked: pytest.fail(f"ran again: {asked}"))
    trace = attnviz.trace(attnviz.load("cbam_resnet18"), app.EXAMPLES_FOLDER / "temple.jpg")
    choose(page, "layer", "layer3.1")
    expect(page.locator("#map-note")).to_contain_text("16 × 24 grid")
    for change, look in (
        (lambda: choose(page, "colormap", "magma"), Look(colormap="magma")),
        (lambda: choose(page, "scale", "This map"), Look(colormap="magma", scale="map")),
        (lambda: page.locator("#smooth input").check(), Look(colormap="magma", scale="map", smooth=True)),
        (lambda: page.locator("#opacity input[type=number]").fill("1"), Look(1.0, "magma", "map", True)),
    ):
        before = page.locator("#map img").get_attribute("src")
        change()
        expect(page.locator("#map img")).not_to_have_attribute("src", before)
        expected = np.asarray(picture(map_figure(trace, "layer3.1", look)).convert("RGB"))
        np.testing.assert_allclose(shown(page, "map"), expected, atol=2)
    before = page.locator("#bars img").get_attribute("src")
    page.get_by_label("By size").check()
    expect(page.locator("#bars img")).not_to_have_attribute("src", before)
    choose(page, "layer", "layer1.0")
    expect(page.locator("#map-note")).to_contain_text("64 × 96 grid")


PUT_A_PICTURE_ON_THE_CLIPBOARD = """async () => {
  const canvas = document.createElement('canvas'); canvas.width = 60; canvas.height = 40
  const picture = await new Promise(done => canvas.toBlob(done, 'image/png'))
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })])
}"""


def test_a_photo_can_be_pasted(visit):
    page = visit()
    page.evaluate(PUT_A_PICTURE_ON_THE_CLIPBOARD)
    page.get_by_label("Paste from clipboard").click()
    expect(page.locator("#title")).to_contain_text("clipboard.png")
    expect(page.locator("#title")).to_contain_text("384 × 256")


def test_a_photo_can_come_from_the_webcam(visit):
    page = visit()
    page.get_by_label("Capture from camera").click()
    page.get_by_text("Click to Access Webcam").click()
    page.wait_for_function("() => { const video = document.querySelector('#photo video'); return video && video.videoWidth > 0 }")
    page.get_by_label("capture photo").click()
    expect(page.locator("#title")).not_to_contain_text("Example")


def test_an_example_runs_on_one_click(visit):
    page = visit()
    page.locator("#examples button").nth(3).click()
    expect(page.locator("#title")).to_contain_text("Example: cat")


def test_se_says_why_it_has_no_map_and_leads_to_cbam(visit):
    page = visit()
    choose(page, "network", "SE")
    expect(page.locator("#no-map")).to_contain_text("SE weighs channels only")
    expect(page.locator("#map img")).to_have_attribute("alt", re.compile("without a map"))
    expect(page.locator("#bars img")).to_be_visible()
    page.locator("#to-cbam").click()
    expect(page.locator("#map img")).to_have_attribute("alt", re.compile("Heat map of layer4.0"))
    choose(page, "network", "Plain")
    expect(page.locator("#no-map")).to_contain_text("No attention here")
    expect(page.locator("#says")).to_contain_text("church")


def test_a_bad_file_is_a_message_and_what_was_shown_stays(visit, tmp_path, noise_file):
    page = visit()
    before = page.locator("#map img").get_attribute("src")
    bad = tmp_path / "holiday.png"
    bad.write_bytes(noise_file.read_bytes()[:300])
    upload(page, bad)
    expect(page.locator(".toast-body")).to_contain_text("“holiday.png” is damaged or cut off: save or download it again.")
    expect(page.locator("#map img")).to_have_attribute("src", before)
    expect(page.locator("#title")).to_contain_text("Example: temple")
    expect(page.locator("#says")).to_contain_text("church")
    expect(page.locator("#trouble")).to_contain_text("“holiday.png” is damaged")
    upload(page, noise_file)
    expect(page.locator("#title")).to_contain_text("noise.png")
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_file_name_stays_text(visit, noise_file):
    page = visit()
    name = noise_file.with_name("<img src=x onerror=document.title=1>.png")
    noise_file.rename(name)
    upload(page, name)
    expect(page.locator("#title")).not_to_contain_text("Example")
    assert page.locator("#title img").count() == 0 and page.title() == "attnviz"


def test_the_first_click_saves_everything(visit):
    page = visit()
    with page.expect_download(timeout=60_000) as download:
        page.locator("#save").click()
    with zipfile.ZipFile(download.value.path()) as archive, np.load(io.BytesIO(archive.read("arrays.npz"))) as arrays:
        trace = attnviz.trace(attnviz.load("cbam_resnet18"), app.EXAMPLES_FOLDER / "temple.jpg")
        np.testing.assert_allclose(arrays["layer2.1.channel"], trace.layers["layer2.1"].channel, atol=1e-6)
        assert "overview.png" in archive.namelist()


@pytest.mark.parametrize("width", [390, 768, 1300])
def test_nothing_overflows(visit, width):
    page = visit(width=width, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_pictures_have_text_alternatives(visit):
    page = visit()
    assert "8 by 12 cells" in page.locator("#map img").get_attribute("alt")
    assert "256 channel weights" in page.locator("#bars img").get_attribute("alt")


def test_two_visitors_see_their_own_photos(visit, tmp_path):
    first, second = visit(), visit()
    for page, colour in ((first, "red"), (second, "blue")):
        path = tmp_path / f"{colour}.png"
        Image.new("RGB", (60, 60), colour).save(path)
        upload(page, path)
    expect(first.locator("#title")).to_contain_text("red.png")
    expect(second.locator("#title")).to_contain_text("blue.png")
    for page in (first, second):
        page.locator("#opacity input[type=number]").fill("0")
    for page, colour in ((first, (255, 0, 0)), (second, (0, 0, 255))):
        for _ in range(100):
            pixels = shown(page, "map")
            if np.abs(pixels[pixels.shape[0] // 2, pixels.shape[1] // 2].astype(int) - colour).max() <= 2:
                break
            page.wait_for_timeout(100)
        else:
            pytest.fail(f"the {colour} photo is not what its visitor sees")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(0)
    torch.save({"state_dict": {f"module.{key}": value for key, value in stirred(18, "bam").state_dict().items()}}, folder / "mine.pth")
    torch.save(torch.nn.Linear(2, 2), folder / "whole.pth")
    (folder / "labels.txt").write_text("one\ntwo\nthree\nfour\n<b>five\n", encoding="utf-8")
    return folder


def test_a_checkpoint_of_ones_own_is_opened_beside_the_others(visit, checkpoints):
    page = visit()
    page.locator("#yours button").first.click()
    page.set_input_files("#checkpoint input[type=file]", checkpoints / "mine.pth")
    expect(page.locator("#network input")).to_have_value("mine.pth: BAM ResNet-18 — yours", timeout=60_000)
    expect(page.locator("#layer input")).to_have_value(re.compile("^bam3 · BAM"), timeout=60_000)
    page.set_input_files("#labels input[type=file]", checkpoints / "labels.txt")
    expect(page.locator("#says")).to_contain_text("<b>five", timeout=60_000)
    choose(page, "network", "SE ResNet-18 — comes")
    expect(page.locator("#no-map")).to_contain_text("SE weighs channels only", timeout=60_000)
    choose(page, "network", "mine.pth")
    expect(page.locator("#layer input")).to_have_value(re.compile("^bam"), timeout=60_000)


def test_a_checkpoint_that_can_not_be_opened_says_why_and_the_rest_stays(visit, checkpoints):
    page = visit(390, 900)
    page.locator("#yours button").first.click()
    page.set_input_files("#checkpoint input[type=file]", checkpoints / "whole.pth")
    expect(page.locator("#network-trouble")).to_contain_text("whole pickled model", timeout=60_000)
    expect(page.locator("#network input")).to_have_value("CBAM ResNet-18 — comes with attnviz")
    expect(page.locator("#map img")).to_be_visible()


def test_one_visitors_checkpoint_is_not_offered_to_another(visit, checkpoints):
    first, second = visit(), visit()
    first.locator("#yours button").first.click()
    first.set_input_files("#checkpoint input[type=file]", checkpoints / "mine.pth")
    expect(first.locator("#network input")).to_have_value(re.compile("yours$"), timeout=60_000)
    second.reload()
    expect(second.locator("#map img")).to_be_visible(timeout=60_000)
    second.locator("#network input").click()
    expect(second.get_by_role("option", name=re.compile("ImageNet"))).not_to_have_count(0)
    expect(second.get_by_role("option", name=re.compile("yours"))).to_have_count(0)


def test_a_network_that_can_not_be_downloaded_leaves_the_one_before(visit, monkeypatch):
    def fails(name, report):
        for done in range(0, 22, 2):
            report(done * 1_000_000, 22_000_000)
        raise attnviz.NetworkError("The weights could not be downloaded, for example.org could not be reached.")

    monkeypatch.setattr(app.picker, "load", lambda name, report: fails(name, report))
    page = visit()
    choose(page, "network", "MobileNetV3 Large")
    expect(page.locator("#network-trouble")).to_contain_text("could not be reached", timeout=60_000)
    expect(page.locator("#network input")).to_have_value("CBAM ResNet-18 — comes with attnviz")
    expect(page.get_by_text("could not be reached")).to_have_count(2)   # below the picker, and once in passing
