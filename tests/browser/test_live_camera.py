"""The live camera of the page without a server."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from helpers.browser_actions import after, photo_name, requests_of, speak, wait_until_drawn
from helpers.fake_host import live_page_of, packed_changed
from helpers.modules_page import open_modules
from helpers.site_page import CAPTURE, numbers
from helpers.small_networks import stirred
from PIL import Image
from playwright.sync_api import Page, expect

import attnviz
from attnviz.photos.geometry import VIEWS

NETWORKS = ("cbam_resnet18", "se_resnet18")

# Notes every stream that the page is given.
NOTING = """
const given = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.streams = [];
navigator.mediaDevices.getUserMedia = async (asked) => {
  const stream = await given(asked);
  streams.push(stream);
  return stream;
};
"""
STATES = "streams.flatMap((stream) => stream.getTracks().map(({ readyState }) => readyState))"
REFUSING = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', '%s'); };"
HIDING = """(isHidden) => {
  Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""
FRAMING = """() => {
  window.framed = async ({ picture, ...request }) => {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    return { ...request, bitmap: await createImageBitmap(new Blob([bytes])) };
  };
}"""
# Answers a frame once a test says with the capture of which photo.
FRAMES = """{
  framesAtOnce: 2,
  frame({ network, view }) {
    calls.push(['frame', { network, view }]);
    return new Promise((resolve, reject) => {
      held.push({ answer: (photo) => resolve(captures[`${photo} ${network}`]), reject });
    });
  },
  async endFrames() { calls.push(['end', {}]); },
  addPhoto: async (file) => ({ photo: 'second', name: file.name }),
}"""


@pytest.fixture(scope="module")
def names_on_site() -> tuple[str, ...]:
    return NETWORKS


@pytest.fixture
def open_with_camera(open_url, site_address):
    """Opens the page without a server, which may use the camera, where ``script`` runs first."""

    def opened(script: str = NOTING) -> Page:
        return open_url(site_address, script, permissions=["camera"])

    return opened


@pytest.fixture
def open_live_app(open_file, captures, tmp_path):
    """Opens the app on a page that has the live camera, with a host that can do ``more``, which is
    JavaScript, showing ``others`` than those captures if any are given."""

    def opened(more: str, others: dict[str, dict] | None = None, **size: int) -> Page:
        path = tmp_path / "app.html"
        path.write_text(live_page_of(others or captures, more), encoding="utf-8")
        page = open_file(path, **size)
        wait_until_drawn(page)
        return page

    return opened


def begin(page: Page) -> None:
    """Open the live camera, and wait for a frame."""
    page.locator(".av-take").click()
    expect(page.locator(".av-live .av-top5")).to_be_visible(timeout=60_000)


def calls_of(page: Page, name: str) -> list[dict]:
    return [asked for called, asked in page.evaluate("calls") if called == name]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_frames_gates_and_answer_are_the_librarys(open_with_camera, tmp_path, name, view):
    random = np.random.default_rng(1)
    path = tmp_path / "frame.png"
    Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((640, 480)).save(path)
    trace = attnviz.trace(attnviz.load(name), path, view)
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    page = open_with_camera()
    page.evaluate(FRAMING)
    frame = page.evaluate(
        CAPTURE.replace("host.capture(request)", "host.frame(await framed(request))"),
        {"picture": content, "network": name, "view": view},
    )
    assert [layer["name"] for layer in frame["layers"]] == list(trace.layers)
    for found, (layer_name, layer) in zip(frame["layers"], trace.layers.items()):
        assert found["steps"] == [] and found["box"] == list(trace.box(layer_name))
        np.testing.assert_allclose(numbers(found["channel"]), layer.channel, atol=1e-5)
        if layer.spatial is not None:
            np.testing.assert_allclose(numbers(found["map"]), layer.spatial.ravel(), atol=1e-5)
    np.testing.assert_allclose(numbers(frame["logits"]), trace.logits, atol=1e-4)
    assert [label for label, _ in frame["top"]] == [label for label, _ in trace.top(5)]


def test_gates_move_with_what_the_camera_sees_and_nothing_is_fetched_twice(open_with_camera):
    page = open_with_camera()
    asked = requests_of(page)
    begin(page)
    shares = page.locator(".av-live .av-top5")
    before = shares.text_content()
    expect(shares).not_to_have_text(before, timeout=60_000)
    expect(page.locator(".av-live-rate")).to_have_text(re.compile(r"^\d+\.\d frames a second$"))
    expect(page.locator(".av-live .av-item")).to_have_count(8)
    assert [url for url in asked if not url.startswith("blob:") and "worker" not in url] == []


def test_a_frozen_frame_is_a_photo_with_the_gates_that_were_seen(open_with_camera):
    page = open_with_camera()
    begin(page)
    after(page, lambda: page.locator("[data-freeze]").click())
    expect(photo_name(page)).to_have_text("camera.png")
    expect(page.locator(".av-live")).to_have_count(0)
    assert page.evaluate(STATES) == ["ended"]


def test_it_stops_when_it_is_closed(open_with_camera):
    page = open_with_camera()
    begin(page)
    page.keyboard.press("Escape")
    expect(page.locator(".av-live")).to_have_count(0)
    assert page.evaluate(STATES) == ["ended"]
    begin(page)
    page.locator(".av-live [data-close]").click()
    expect(page.locator(".av-live")).to_have_count(0)
    assert page.evaluate(STATES) == ["ended", "ended"]
    expect(page.locator(".av-take")).to_be_focused()


def test_it_stops_when_the_tab_is_hidden_and_goes_on_when_asked(open_with_camera):
    page = open_with_camera()
    begin(page)
    page.evaluate(HIDING, True)
    expect(page.locator(".av-live [role=alert]")).to_have_text(
        "The camera stopped while this page was out of sight."
    )
    assert page.evaluate(STATES) == ["ended"]
    page.evaluate(HIDING, False)
    shares = page.locator(".av-live .av-top5")
    before = shares.text_content()
    page.locator("[data-go-on]").click()
    expect(shares).not_to_have_text(before, timeout=60_000)
    assert page.evaluate(STATES) == ["ended", "live"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("NotAllowedError", "The camera can’t be used: allow it in the browser."),
        ("NotFoundError", "There is no camera on this machine that the browser can find."),
        ("NotReadableError", "The camera gives no picture: another program may be using it."),
    ],
)
def test_a_camera_that_cant_be_had_ends_in_a_sentence(open_with_camera, error, sentence):
    page = open_with_camera(REFUSING % error)
    page.locator(".av-take").click()
    alert = page.locator(".av-live [role=alert]")
    expect(alert).to_have_text(sentence)
    expect(page.locator("[data-freeze]")).to_be_disabled()
    page.locator(".av-live [data-close]").click()
    speak(page, "zh")
    page.locator(".av-take").click()
    expect(alert).to_have_text(re.compile("[\u4e00-\u9fff]"))


def test_the_network_can_be_changed_while_it_watches(open_with_camera):
    page = open_with_camera()
    begin(page)
    page.locator("[data-control=live-network]").select_option("se_resnet18")
    expect(page.locator(".av-live .av-strip [role=listbox]")).to_have_attribute(
        "aria-label", re.compile("SE"), timeout=60_000
    )
    page.locator(".av-live [data-close]").click()
    expect(page.locator('.av-segments [aria-pressed="true"]')).to_have_text("SE")


def held(page: Page, count: int) -> None:
    """Wait until so many frames were asked for of a host that holds them."""
    page.wait_for_function(f"held.length >= {count}")


def shown(page: Page) -> str:
    return page.locator(".av-live .av-top5").text_content()


def test_frames_are_shown_in_their_order_and_as_many_are_asked_for_as_the_host_can(open_live_app):
    page = open_live_app(FRAMES)
    page.locator(".av-take").click()
    held(page, 2)
    page.evaluate("held[1].answer('second')")
    held(page, 3)
    later = shown(page)
    page.evaluate("held[0].answer('first')")  # comes late
    held(page, 4)
    assert shown(page) == later
    page.evaluate("held[2].answer('first')")
    held(page, 5)
    expect(page.locator(".av-live .av-top5")).not_to_have_text(later)
    asked = [asked for name, asked in page.evaluate("calls") if name == "frame"]
    assert asked == 5 * [{"network": "cbam", "view": "whole"}]


def test_what_goes_wrong_in_the_host_ends_in_a_sentence(open_live_app):
    page = open_live_app(FRAMES)
    page.locator(".av-take").click()
    held(page, 2)
    page.evaluate("held[0].reject(new attnviz.HostError({ en: 'Too warm.', zh: '太热。' }))")
    expect(page.locator(".av-live [role=alert]")).to_have_text("Too warm.")
    assert [name for name, _ in page.evaluate("calls")][-1] == "end"
    page.evaluate("held[1].answer('first')")  # nobody waits for it any more
    expect(page.locator(".av-live .av-top5")).to_have_count(0)


def test_where_gates_are_changed_the_camera_says_that_it_runs_the_network_as_it_is(open_live_app, captures):
    edits = {"layer3.0": [{"edit": "off"}]}
    changed = packed_changed(stirred(18, "cbam"), "cbam", "first", edits)
    host = f"""{{
      ...{FRAMES},
      edits: ['usual', 'off', 'set'],
      stairs() {{}},
      capture: async (asked) => captures[asked.edits ? 'changed' : key(asked)],
    }}"""
    page = open_live_app(host, {**captures, "changed": changed})
    page.locator("[data-what-if]").click()
    expect(page.locator("[data-switch]")).to_have_count(8)
    for count in (0, 1):
        page.locator(".av-take").click()
        held(page, 2)
        page.evaluate("held.splice(0).forEach(({ answer }) => answer('first'))")
        expect(page.locator(".av-live .av-item")).to_have_count(8)
        for part in ("[data-part=changes]", "[data-switch]", "[data-moved]"):
            expect(page.locator(f".av-live {part}")).to_have_count(0)
        expect(page.locator(".av-live [data-as-it-is]")).to_have_count(count)
        page.locator(".av-live [data-close]").click()
        page.evaluate("held.length = 0")
        if count == 0:
            after(page, lambda: page.locator("[data-switch='layer3.0']").select_option("off"))


def test_a_host_that_traces_no_frames_gets_single_photos(open_live_app):
    page = open_live_app("{ addPhoto: async (file) => ({ photo: 'second', name: file.name }) }")
    page.locator(".av-take").click()
    expect(page.locator(".av-camera video")).to_be_visible()
    expect(page.locator(".av-live")).to_have_count(0)


def test_a_page_that_has_no_live_camera_takes_single_photos(open_app):
    page = open_app(FRAMES)
    page.locator(".av-take").click()
    expect(page.locator(".av-camera video")).to_be_visible()


@pytest.mark.parametrize("size", [(1280, 720), (390, 844)], ids=["laptop", "phone"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_fits_the_window_with_text_that_can_be_read(open_live_app, size, language):
    width, height = size
    page = open_live_app(FRAMES, width=width, height=height)
    if language != "en":
        page.evaluate("(language) => attnviz.viewer.speak(language)", language)
    page.locator(".av-take").click()
    held(page, 2)
    page.evaluate("held[0].answer('first')")
    expect(page.locator(".av-live .av-top5")).to_be_visible()
    assert (
        page.locator(".av-live").evaluate("({ scrollWidth, clientWidth }) => scrollWidth - clientWidth") == 0
    )
    sizes = page.locator(".av-live *").evaluate_all(
        "all => all.filter((each) => each.checkVisibility() && each.textContent.trim())"
        ".map((each) => parseFloat(getComputedStyle(each).fontSize))"
    )
    assert min(sizes) >= 14
    expect(page.locator(".av-live [data-part=frame]")).to_be_in_viewport(ratio=0.5)
    expect(page.locator('.av-live .av-item[aria-selected="true"]')).to_be_in_viewport(ratio=0.9)


def test_frames_a_second_are_those_of_the_last_ones(browser):
    page = open_modules(browser)
    rates = page.evaluate("""async () => {
      const { frameRate } = await import('./live/rate.js');
      const rateAt = frameRate();
      const slow = Array.from({ length: 20 }, (_, count) => rateAt(500 * count));
      const fast = Array.from({ length: 20 }, (_, count) => rateAt(9500 + 100 * (count + 1)));
      return [slow[0], slow[1], slow.at(-1), fast.at(-1)];
    }""")
    page.close()
    assert rates == [0, 2, 2, 10]
