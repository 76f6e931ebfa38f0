"""What the page says that a photo is most like, and how it draws an answer that may be nonsense."""

from __future__ import annotations

import re

import pytest
from helpers.doubtful_networks import doubting
from helpers.small_networks import stirred
from playwright.sync_api import expect

import attnviz
from attnviz.networks.card import Card, with_card
from attnviz.viewer.standalone import Document

CONTRAST = """(element) => {
  const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const luminance = (colours) => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    const linear = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((byte) => byte / 255)
      .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const grounds = ['white'];
  for (let above = element; above; above = above.parentElement)
    grounds.splice(1, 0, getComputedStyle(above).backgroundColor);
  const [text, ground] = [[getComputedStyle(element).color], grounds].map(luminance);
  return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
}"""


@pytest.fixture
def folder(tmp_path, noise):
    """A page with a doubtful answer, a sure one, and answers of other networks."""
    document, photo = Document(), attnviz.Photo(noise, "noise.png")
    for threshold, classes, name in (
        (1.1, 10, "timid"),
        (0.0, 10, "sure"),
        (1.1, 3, "three"),
        (1.1, 45, "45"),
    ):
        network = doubting(threshold, classes, name)
        document.add(attnviz.trace(network, photo), network.card)
    for name, labels in (("imagenet", tuple(map(str, range(1000)))), ("unknown", ())):
        network = with_card(stirred(18, "se", classes=1000), Card(name, labels=labels))
        document.add(attnviz.trace(network, photo), network.card)
    (tmp_path / "page.html").write_text(document.html(), encoding="utf-8")
    return tmp_path


def choose(page, network: str) -> None:
    page.locator(".av-segments button", has_text=re.compile(f"^{network}$")).click()


def test_a_doubtful_answer_is_timid_and_says_why(open_file, folder):
    page = open_file(folder / "page.html")
    answers = page.locator(".av-answers")
    expect(answers.locator("h2")).to_have_text("Most like, of its ten classes")
    expect(answers).to_contain_text("may be nonsense; the gates are real")
    expect(answers).to_contain_text("34% of photos of other things and 5% of photos of its classes")
    first = answers.locator(".av-top5 li").first
    expect(first).to_have_css("font-weight", "400")
    timid = first.evaluate("element => getComputedStyle(element).color")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for text in (first.locator(".av-label"), answers.locator(".av-doubt")):
            assert text.evaluate(CONTRAST) >= 4.5, scheme
    page.emulate_media(color_scheme="light")

    page.get_by_role("button", name="中文").click()
    expect(answers.locator("h2")).to_have_text("在它的十个类别中，最像")
    expect(answers.locator(".av-doubt")).to_contain_text("可能毫无意义；门控值是真实的")

    choose(page, "sure")
    expect(answers.locator(".av-doubt")).to_have_count(0)
    expect(first).to_have_css("font-weight", "700")
    assert first.evaluate("element => getComputedStyle(element).color") != timid


def test_the_heading_counts_the_classes_of_the_network(open_file, folder):
    page = open_file(folder / "page.html")
    heading = page.locator(".av-answers h2")
    for network, text in (
        ("three", "Most like, of its three classes"),
        ("45", "Most like, of its 45 classes"),
        ("imagenet", "Most like, of ImageNet’s 1,000 classes"),
        ("unknown", "Most like, of its classes"),
    ):
        choose(page, network)
        expect(heading).to_have_text(text)
    expect(page.locator(".av-doubt")).to_have_count(0)  # nothing was measured of these
