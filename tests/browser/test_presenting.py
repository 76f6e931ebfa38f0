"""A mechanism is presented to a hall: node after node, large, by keys, and brought back by its address."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.browser_actions import next_frame, wait_until_drawn
from helpers.mechanisms_page import NETWORKS, PHOTO, page_of, traces_of
from playwright.sync_api import Page, expect

import attnviz
from attnviz.mechanisms.choosing import diagram_of


@pytest.fixture(scope="module")
def traces() -> dict[str, attnviz.Trace]:
    return {network: trace for (_, network), trace in traces_of(PHOTO).items()}


@pytest.fixture
def open_app(open_file, traces, tmp_path: Path):
    """Opens the app, which follows its address, with three mechanisms on one photo."""

    def opened(query: str = "", theme: str = "light", **size: int) -> Page:
        path = tmp_path / "app.html"
        content = page_of({(PHOTO, network): trace for network, trace in traces.items()})
        path.write_text(content, encoding="utf-8")
        page = open_file(path, **size)
        page.emulate_media(color_scheme=theme)
        if query:
            page.goto(f"{path.as_uri()}?{query}")
        wait_until_drawn(page)
        return page

    return opened


def lit(page: Page) -> str:
    """The key of the node that is lit."""
    return page.locator(".av-present .av-node.av-lit").get_attribute("data-node")


def order(trace: attnviz.Trace) -> list[str]:
    layer = next(iter(trace.layers.values()))
    return [node.key for node in diagram_of(layer).nodes]


def test_p_presents_and_arrows_light_node_after_node(open_app, traces):
    page = open_app()
    page.keyboard.press("p")
    expect(page.locator(".av-present")).to_be_visible()
    nodes = order(traces["cbam"])
    for key in nodes[:-1]:
        assert lit(page) == key
        assert page.evaluate("document.activeElement.dataset.node") == key
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # there is no further one
    assert lit(page) == nodes[-1]
    page.keyboard.press("PageUp")
    assert lit(page) == nodes[-2]
    opacities = page.locator(".av-present .av-node").evaluate_all(
        "nodes => nodes.map((node) => [node.classList.contains('av-lit'), getComputedStyle(node).opacity])"
    )
    assert sum(is_lit for is_lit, _ in opacities) == 1
    page.keyboard.press("b")
    expect(page.locator(".av-present")).to_have_count(0)


def test_the_lit_nodes_line_formula_and_numbers_are_shown_large(open_app, traces):
    page = open_app("layer=layer4.1&channel=3")
    page.locator("[data-present]").click()
    place = order(traces["cbam"]).index("sum")
    page.locator('.av-present [data-node="sum"]').click()
    stage = page.locator(".av-stage-of-node")
    expect(stage).to_contain_text("Both paths meet: their results are added")
    steps = {step.name: step.values[3] for step in traces["cbam"].layers["layer4.1"].steps[:6]}
    total = steps["average_logits"] + steps["maximum_logits"]
    printed = stage.locator(".av-stage-numbers mn").last.text_content().replace("−", "-")
    assert float(printed) == pytest.approx(total, abs=6e-4)
    expect(page.locator(".av-present-steps")).to_contain_text(f"{place + 1} / ")


def test_a_click_on_a_node_of_the_page_makes_it_large(open_app):
    page = open_app()
    page.locator('.av-mechanism [data-node="spatial_gate"]').click()
    assert lit(page) == "spatial_gate"
    page.keyboard.press("Escape")
    expect(page.locator(".av-present")).to_have_count(0)
    assert page.evaluate("document.activeElement.dataset.node") == "spatial_gate"  # where one was


def test_digits_change_the_mechanism_on_the_same_photo(open_app, traces):
    page = open_app("present=1")
    for digit, name in enumerate(NETWORKS, 1):
        page.keyboard.press(str(digit))
        chosen = page.locator('.av-present [aria-pressed="true"]')
        expect(chosen).to_have_attribute("data-network", name)
        keys = page.locator(".av-present .av-node").evaluate_all(
            "all => all.map((each) => each.dataset.node)"
        )
        assert keys == order(traces[name])
        expect(page.locator(".av-stage-of-node")).to_be_visible()
        page.keyboard.press("ArrowRight")
        assert lit(page) == order(traces[name])[1]


def test_an_address_opens_what_it_names_and_follows(open_app, traces):
    page = open_app("network=bam&present=1&step=4")
    nodes = order(traces["bam"])
    assert lit(page) == nodes[3]
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**step=5**")
    assert "present=1" in page.url
    page.keyboard.press("b")
    page.wait_for_url(lambda address: "present" not in address and "step" not in address)
    page = open_app("network=se&present=1&step=99")  # there is no such step: the last
    assert lit(page) == "output"


@pytest.mark.parametrize("query", ["network=se", "network=cbam", "network=bam", "network=cbam&lang=zh"])
@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1280, 720), (1920, 1080), (3840, 2160)])
def test_all_is_seen_at_once_and_large_enough_for_a_hall(open_app, query, width, height):
    least = 26 if width >= 1280 else 17  # of an index in a diagram that is drawn small
    page = open_app(f"{query}&present=1", "dark", width=width, height=height)
    count = page.locator(".av-present .av-node").count()
    for step in range(1, count + 1, 1 if width <= 1280 else 6):
        page.evaluate(f"attnviz.viewer.set({{ step: {step} }})")
        next_frame(page)
        sizes = page.locator(".av-present *").evaluate_all(
            """all => all
              .filter((each) => !each.closest('mover') && each.checkVisibility()
                && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
              .map((each) => parseFloat(getComputedStyle(each).fontSize))"""
        )
        assert min(sizes) >= least - 0.01
        assert page.locator(".av-present").evaluate(
            "d => d.scrollHeight <= d.clientHeight && d.scrollWidth <= d.clientWidth"
        ), step
        numbers = page.locator(".av-stage-words").evaluate(
            "box => [...box.querySelectorAll('math')].every((each) =>"
            " each.getBoundingClientRect().right <= innerWidth)"
        )
        assert numbers, step
        parts = ("stage-words", "present-steps")
        words, steps = (page.locator(f".av-{part}").bounding_box() for part in parts)
        assert words["y"] + words["height"] <= steps["y"], step


@pytest.mark.parametrize("query", ["network=se", "network=cbam", "network=bam", "network=cbam&lang=zh"])
def test_on_a_phone_the_lit_node_stands_above_its_words_and_the_steps_below(open_app, query):
    page = open_app(f"{query}&present=1", width=390, height=844)
    count = page.locator(".av-present .av-node").count()
    for step in range(1, count + 1):
        next_frame(page)
        shown = [
            page.locator(f".av-present {part}").bounding_box()
            for part in (
                ".av-present-head",
                ".av-present-diagram",
                ".av-node.av-lit",
                ".av-stage-words",
                ".av-present-steps",
            )
        ]
        tops = [box["y"] for box in shown]
        bottoms = [box["y"] + box["height"] for box in shown]
        assert tops == sorted(tops) and bottoms[-1] <= 844, step
        assert bottoms[2] <= bottoms[1] <= tops[3] and bottoms[3] <= tops[4], step
        assert page.locator(".av-present").evaluate("d => d.scrollWidth <= d.clientWidth"), step
        page.locator("[data-step=next]").click(force=True)
    segments = page.locator(".av-present .av-segment")
    assert segments.evaluate_all("all => all.every((each) => each.scrollWidth <= each.clientWidth)")


def test_a_large_map_says_what_its_colours_stand_for(open_app, traces):
    page = open_app("layer=layer4.1&present=1")
    bar = page.locator(".av-stage-of-node .av-ramp")
    page.locator('.av-present [data-node="spatial_gate"]').click()
    expect(bar.locator(".av-ticks span")).to_have_text(["0.00", "1.00"])
    page.locator('.av-present [data-node="convolved"]').click()
    steps = {step.name: step.values for step in traces["cbam"].layers["layer4.1"].steps}
    reach = abs(steps["spatial_logits"]).max()
    ends = [float(text.replace("−", "-")) for text in bar.locator(".av-ticks span").all_text_contents()]
    assert ends[1] == pytest.approx(reach, abs=6e-3) and ends[0] in (0, -ends[1])
    page.locator('.av-present [data-node="channel_gate"]').click()
    expect(bar).to_have_count(0)


def test_features_are_asked_for_once_however_they_are_shown(open_app):
    page = open_app("layer=layer4.1&channel=3")
    expect(page.locator('.av-mechanism [data-node="input"] .av-node-number')).to_have_text("3.000")
    page.keyboard.press("p")
    expect(page.locator(".av-stage-numbers")).to_have_text("3.000")
    assert page.evaluate("asked") == [3]
