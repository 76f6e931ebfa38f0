"""The page without a server: its numbers are the library's, and nothing leaves the browser."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.browser_actions import (
    after,
    choose_example,
    choose_network,
    open_menu,
    photo_name,
    requests_of,
    said,
    speak,
    upload,
    wait_until_drawn,
)
from helpers.file_server import handing_out
from helpers.site_page import FEATURES, added, assert_as_traced, captured, differences
from helpers.small_networks import stirred
from PIL import Image
from playwright.sync_api import expect

import attnviz
from attnviz._paths import EXAMPLES_FOLDER
from attnviz.networks.card import Card
from attnviz.photos.example_photos import OF_IMAGENETTE, OUTSIDE_IMAGENETTE
from attnviz.photos.geometry import VIEWS
from attnviz.site.content import SitePlan
from attnviz.site.writing import write_site
from attnviz.zoo.registry import list_networks, save_folder


@pytest.mark.parametrize("name", list_networks())
def test_every_number_of_every_example_is_the_librarys(site_page, networks, name):
    for photo in (*OF_IMAGENETTE, *OUTSIDE_IMAGENETTE):
        for view in VIEWS:
            trace = attnviz.trace(networks[name], EXAMPLES_FOLDER / f"{photo}.jpg", view)
            capture = captured(site_page, f"example:{photo}", name, view)
            assert_as_traced(capture, trace)
            assert [label for label, _ in capture["top"]] == [label for label, _ in trace.top(5)]
            np.testing.assert_allclose(
                [p for _, p in capture["top"]], [p for _, p in trace.top(5)], atol=1e-5
            )
            assert capture["seen"]["box"] == list(trace.region.box)
            assert [layer["box"] for layer in capture["layers"]] == [
                list(trace.box(each)) for each in trace.layers
            ]
            assert (capture["doubt"] or {}).get("doubtful") == trace.doubtful


def test_what_a_capture_says_besides_numbers_is_what_the_server_says(site_page, networks):
    from attnviz.viewer.encoding import pack

    for name, network in networks.items():
        trace = attnviz.trace(network, EXAMPLES_FOLDER / "cat.jpg")
        asked = {"photo": "example:cat", "network": name, "view": "whole", "example": True}
        expected = json.loads(json.dumps(pack(trace, network.card, asked)))
        found = captured(site_page, "example:cat", name)
        for key in ("asked", "network", "seen", "diagrams", "doubt", "remarks"):
            assert found[key] == expected[key], key
        for ours, theirs in zip(found["layers"], expected["layers"]):
            plain = {key for key in theirs if key not in ("arrays", "steps")}
            assert {key: ours[key] for key in plain} == {key: theirs[key] for key in plain}
            assert {*theirs["arrays"]} <= {*ours}


@pytest.mark.parametrize(("name", "layer"), [("cbam_resnet18", "layer2.1"), ("bam_resnet18", "bam3")])
def test_features_and_the_gallery_are_the_librarys(site_page, networks, name, layer):
    from attnviz.viewer.encoding import _averaged

    features = attnviz.features(networks[name], EXAMPLES_FOLDER / "springer.jpg", layer)
    request = {"photo": "example:springer", "network": name, "view": "whole", "layer": layer, "channel": 7}
    before, past, (height, width), shares, sizes = site_page.evaluate(FEATURES, request)
    np.testing.assert_allclose(before, features.before[7].ravel(), atol=1e-4)
    np.testing.assert_allclose(past, features.after[7].ravel(), atol=1e-4)
    np.testing.assert_allclose(sizes, np.abs(features.before).mean((1, 2)), atol=1e-4)
    side = -(-features.before.shape[1] // height)
    small = _averaged(features.before, side).reshape(len(features.before), -1)
    assert small.shape == (len(features.before), height * width)
    expected = small / np.abs(small).max(1, keepdims=True).clip(1e-30)
    np.testing.assert_allclose(np.reshape(shares, small.shape), expected, atol=1e-3)


def written(folder: Path, name: str, image: Image.Image, **more) -> Path:
    path = folder / name
    image.save(path, **more)
    return path


def smooth(width: int, height: int, channels: int = 3) -> np.ndarray:
    """A picture with slopes and edges, 8 bits."""
    random = np.random.default_rng(width)
    coarse = random.integers(0, 256, (9, 13, channels), dtype=np.uint8)
    bands = [Image.fromarray(coarse[:, :, band]).resize((width, height)) for band in range(channels)]
    return np.dstack([np.asarray(band) for band in bands])


def deep_pictures() -> dict[str, Image.Image]:
    """Grey of 16 bits a sample, as microscopes and X-ray devices fill them."""
    random = np.random.default_rng(3)
    samples = np.kron(random.integers(0, 2**16, (10, 15), dtype=np.uint16), np.ones((20, 20), np.uint16))
    samples += random.integers(0, 50, samples.shape, dtype=np.uint16)
    used = {"16": samples, "12": samples >> 4, "10": samples >> 6, "8": samples >> 8}
    return {f"deep{bits}.png": Image.fromarray(values) for bits, values in used.items()}


def written_with_long_orientation(folder: Path, name: str, image: Image.Image, exif: Image.Exif) -> Path:
    """A JPEG whose orientation is a number of 32 bits, as some programs write it."""
    path = written(folder, name, image, exif=exif)
    short, long = (bytes([0x01, 0x12, 0, kind, 0, 0, 0, 1]) for kind in (3, 4))
    content = path.read_bytes()
    at = content.index(short) + len(short)
    path.write_bytes(content[: at - len(short)] + long + bytes([0, 0, 0, 6]) + content[at + 4 :])
    return path


def photos_of_all_kinds(folder: Path) -> list[Path]:
    """Files as people have them."""
    colours, grey = smooth(400, 301), smooth(301, 200, 1)[:, :, 0]
    alpha = np.dstack([colours, smooth(400, 301, 1)])
    exif = {turn: Image.Exif() for turn in range(2, 9)}
    for turn, block in exif.items():
        block[0x0112] = turn
    turned = Image.fromarray(smooth(1700, 1300))  # over two megapixels
    return [
        written(folder, "plain.jpg", Image.fromarray(colours), quality=90),
        written(folder, "sharp.jpg", Image.fromarray(colours), quality=95, subsampling=0),
        written(folder, "progressive.jpg", Image.fromarray(colours), progressive=True),
        written(folder, "grey.jpg", Image.fromarray(grey)),
        written(folder, "plain.png", Image.fromarray(colours)),
        written(folder, "grey.png", Image.fromarray(grey)),
        written(folder, "palette.png", Image.fromarray(colours).quantize(64)),
        written(folder, "alpha.png", Image.fromarray(alpha)),
        *(written(folder, name, deep) for name, deep in deep_pictures().items()),
        written(folder, "plain.webp", Image.fromarray(colours), lossless=True),
        written(folder, "plain.bmp", Image.fromarray(colours)),
        written(folder, "plain.gif", Image.fromarray(colours).quantize(64)),
        written(folder, "large.png", Image.fromarray(smooth(2500, 1700))),
        *(
            written(folder, f"turned{turn}.jpg", Image.fromarray(colours), exif=block)
            for turn, block in exif.items()
        ),
        written(folder, "large turned.jpg", turned, exif=exif[6]),
        *(
            written(folder, f"turned{turn}.webp", Image.fromarray(colours), lossless=True, exif=exif[turn])
            for turn in (6, 8)
        ),
        written_with_long_orientation(folder, "long.jpg", Image.fromarray(colours), exif[6]),
    ]


def test_a_photo_of_ones_own_is_opened_as_the_library_opens_it(site_page, networks, tmp_path):
    for path in photos_of_all_kinds(tmp_path):
        photo = added(site_page, path)
        trace = attnviz.trace(networks["se_resnet18"], path)
        capture = captured(site_page, photo, "se_resnet18")
        assert capture["photo"]["name"] == path.name
        size = capture["photo"]["width"], capture["photo"]["height"]
        assert size == (trace.photo.width, trace.photo.height)
        assert [remark["en"] for remark in capture["remarks"]] == [str(remark) for remark in trace.remarks]
        assert_as_traced(capture, trace)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.txt", b"hello", "“notes.txt” is not a picture that this browser opens: try a JPEG or PNG."),
        ("none.png", b"", "“none.png” is empty: choose another file."),
        ("cut.jpg", (EXAMPLES_FOLDER / "cat.jpg").read_bytes()[:300], "“cut.jpg” is not a picture"),
    ],
    ids=["text", "empty", "cut short"],
)
def test_what_is_no_photo_is_told_and_forgotten(open_url, site_address, name, content, sentence):
    page = open_url(site_address)
    page.set_input_files("[data-add]", {"name": name, "mimeType": "image/png", "buffer": content})
    expect(said(page)).to_contain_text(sentence)
    expect(page.locator(".av-remove")).to_have_count(0)


def test_nothing_is_asked_for_but_the_pages_own_files_and_a_network_when_it_is_chosen(
    open_url, site_address, tmp_path
):
    page = open_url(site_address)
    weights = [url for url in page.asked if "models/" in url]
    assert len(weights) == 1 and "cbam_resnet18" in weights[0]
    page.evaluate("navigator.serviceWorker.ready")
    asked = requests_of(page)
    path = written(tmp_path, "mine.png", Image.fromarray(smooth(300, 200)))
    after(page, lambda: upload(page, path))
    assert [url for url in asked if not url.startswith("blob:")] == []
    after(page, lambda: choose_network(page, "se_resnet18"))
    after(page, lambda: choose_network(page, "cbam_resnet18"))
    (weights,) = [url for url in asked if not url.startswith("blob:")]
    assert weights.startswith(f"{site_address}models/se_resnet18")
    page.locator("[data-what-if]").click()
    for layer, choice in (("layer4.0", "off"), ("layer4.1", "usual"), ("layer3.1", "usual")):
        after(page, lambda: page.locator(f'[data-switch="{layer}"]').select_option(choice))  # noqa: B023
    _, usual = [url for url in asked if not url.startswith("blob:")]
    assert re.match(f"{site_address}assets/cbam_resnet18-[0-9a-f]+.usual$", usual)


def test_the_first_answer_is_light(open_url, site_address, site_folder):
    page = open_url(site_address)
    files = [
        url.removeprefix(site_address) or "index.html" for url in page.asked if url.startswith(site_address)
    ]
    sizes = {path: len(gzip.compress((site_folder / path).read_bytes())) for path in {*files}}
    weights = sum(size for path, size in sizes.items() if path.startswith("models/"))
    assert len(files) <= 60 and weights <= 5_800_000
    assert sum(sizes.values()) - weights <= 700_000


def test_the_browser_lets_the_page_connect_to_nobody_else(site_page):
    tried = site_page.evaluate("""async () => {
      const to = 'https://example.org/';
      const image = new Promise((done) => {
        const picture = new Image();
        picture.onload = () => done('loaded');
        picture.onerror = () => done('refused');
        picture.src = `${to}x.png`;
      });
      const sent = fetch(to, { method: 'POST', body: 'photo', mode: 'no-cors' }).then(
        () => 'sent',
        () => 'refused',
      );
      return [await image, await sent, navigator.sendBeacon ? 'asked' : ''];
    }""")
    assert tried[:2] == ["refused", "refused"]


def test_one_file_opens_from_the_disk_and_asks_for_nothing(open_file, tmp_path, networks):
    out = tmp_path / "page.html"
    write_site(SitePlan(("se_resnet18",)), out)
    page = open_file(out)
    wait_until_drawn(page)
    trace = attnviz.trace(networks["se_resnet18"], EXAMPLES_FOLDER / "temple.jpg")
    assert_as_traced(captured(page, "example:temple", "se_resnet18"), trace)
    made = attnviz.intervene(networks["se_resnet18"], EXAMPLES_FOLDER / "temple.jpg", {"all": "usual"})
    usual = {"all": [{"edit": "usual"}]}
    assert_as_traced(captured(page, "example:temple", "se_resnet18", edits=usual), made.after)
    path = written(tmp_path, "mine.png", Image.fromarray(smooth(300, 200)))
    after(page, lambda: upload(page, path))
    expect(page.locator(".av-photo-name")).to_have_text("mine.png")
    expect(page.locator("[data-link]")).to_have_count(0)


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    """The folder of somebody's own network."""
    out = tmp_path_factory.mktemp("own") / "mine"
    network = stirred(50, "cbam", 6, 3, bias=True, least_hidden=3, padding="replicate")
    architecture = {
        "depth": 50,
        "attention": "cbam",
        "width": 6,
        "reduction": 4,
        "classes": 3,
        "bias": True,
        "least_hidden": 3,
        "padding": "replicate",
    }
    save_folder(network, Card("mine", architecture, labels=("one", "two", "three")), out)
    return out


def test_a_network_of_ones_own_and_photos_of_ones_own(browser, own, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    written(photos, "first photo.png", Image.fromarray(smooth(200, 130)))
    written(photos, "second.jpg", Image.fromarray(smooth(130, 200)))
    out = tmp_path / "page"
    write_site(SitePlan((str(own),), photos, "zh"), out)
    page = browser.new_page(locale="en-US")
    with handing_out(out) as address:
        page.goto(address)
        wait_until_drawn(page)
        page.locator("[data-what-if]").click()
        options = page.locator('[data-switch="layer3.0"] option')
        values = options.evaluate_all("all => all.map(({ value }) => value)")
        assert "off" in values and "usual" not in values  # of which nothing lies with this network
        page.locator("[data-stairs]").click()
        expect(page.locator("[data-control=how] option")).to_have_text(["关闭"])
        page.locator("[data-stairs-close]").click()
        expect(page.locator("[data-photo]")).to_have_count(2)
        expect(page.locator(".attnviz")).to_have_attribute("lang", "zh-CN")
        trace = attnviz.trace(attnviz.load(own), photos / "second.jpg")
        found = differences(captured(page, "example:second", "mine"), trace)
        assert found.gates < 1e-3 and found.logits < 1e-3  # what is not trained amplifies
    page.close()


@pytest.mark.parametrize("damage", ["cut short", "another", "not found"])
def test_weights_that_arrive_damaged_end_in_a_sentence_and_what_was_shown_stays(
    open_url, site_folder, tmp_path, damage
):
    out = tmp_path / "page"
    shutil.copytree(site_folder, out)
    (weights,) = (out / "models").glob("se_resnet18*")
    (other,) = (out / "models").glob("bam_resnet18*")
    sentences = {
        "cut short": "The weights of SE ResNet-18 arrived damaged or cut off: reload the page.",
        "another": "The weights of SE ResNet-18 arrived damaged or cut off: reload the page.",
        "not found": "A file of this page could not be fetched",
    }
    if damage == "cut short":
        weights.write_bytes(weights.read_bytes()[:-1000])
    elif damage == "another":
        shutil.copy(other, weights)
    else:
        weights.unlink()
    with handing_out(out) as address:
        page = open_url(address)
        choose_network(page, "se_resnet18")
        expect(said(page)).to_contain_text(sentences[damage])
        speak(page, "zh")
        assert re.search("[\u4e00-\u9fff]", said(page).text_content())
        expect(page.locator('.av-segments [aria-pressed="true"]')).to_have_text("CBAM")


def test_a_link_brings_back_what_was_shown_but_no_photo_of_ones_own(open_url, site_address, tmp_path):
    page = open_url(f"{site_address}?network=bam_resnet18&photo=springer&view=crop&layer=bam2&lang=zh")
    asked = page.evaluate("attnviz.viewer.trace.asked")
    expected = {"network": "bam_resnet18", "photo": "example:springer", "view": "crop"}
    assert {key: asked[key] for key in expected} == expected
    assert page.evaluate("attnviz.viewer.state.layer") == "bam2"
    path = written(tmp_path, "mine.png", Image.fromarray(smooth(300, 200)))
    after(page, lambda: upload(page, path))
    assert "mine" not in page.url
    page.reload()
    wait_until_drawn(page)
    expect(said(page)).to_contain_text("此照片已不在这里")


def test_no_text_speaks_of_a_server(open_url, site_address):
    page = open_url(site_address)
    page.locator('[data-menu="settings"]').click()
    expect(page.locator(".av-menu-panel")).to_contain_text("no photo leaves it")
    expect(page.locator("[data-forget]")).to_have_count(0)
    upload(page, EXAMPLES_FOLDER / "coffee.jpg")
    expect(photo_name(page)).to_have_text("coffee.jpg")
    open_menu(page, "settings")
    expect(page.locator("[data-forget]")).to_have_text("Forget my photos")
    text = page.evaluate("""() => [...document.querySelectorAll('.attnviz *')]
      .flatMap(({ title, textContent }) => [title, textContent]).join(' ')""")
    assert not re.search(r"\bserver\b|upload", text, re.IGNORECASE)
    page.keyboard.press("Escape")
    after(page, lambda: choose_example(page, "taxis"))
    expect(page.locator(".av-heading")).to_contain_text("taxis.jpg(not one of its ten classes)")
    open_menu(page, "settings")
    page.locator("[data-forget]").click()
    expect(page.locator(".av-remove")).to_have_count(0)
    expect(photo_name(page)).to_have_text("Example: taxis.jpg")  # what is shown and stays is still shown


def test_the_lesson_needs_no_server(open_url, site_address):
    page = open_url(site_address)
    page.locator("[data-learn]").click()
    lesson = page.locator(".av-lesson")
    for number in range(1, 15):
        expect(lesson).to_contain_text(f"{number} of 14", timeout=60_000)
        page.locator(".av-answer-choice").first.click()
        expect(lesson.locator(".av-right")).to_have_count(1)
        page.keyboard.press("ArrowRight")
    assert all(each.startswith((site_address, "blob:", "data:")) for each in page.asked)
