"""Where, what, most like: how the cards draw, what is pointed at, all channels at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from helpers.browser_actions import after, control, open_look, pixels, set_slider
from helpers.fake_host import packed
from helpers.small_networks import stirred
from playwright.sync_api import Page, expect

import attnviz

FEATURES = """{
  async features(asked) {
    calls.push(['features', asked.channel]);
    const { height, width } = attnviz.viewer.layer();
    const values = Float32Array.from({ length: height * width }, (_, cell) => cell + asked.channel);
    return { before: { values, height, width }, after: { values, height, width } };
  },
}"""
GALLERY = """{
  gallery(asked, { signal, report }) {
    calls.push(['gallery', asked.layer]);
    const count = attnviz.viewer.layer().channels;
    const shares = Float32Array.from({ length: count * 6 }, (_, cell) => (cell % 6) / 6);
    const sizes = Float32Array.from({ length: count }, (_, channel) => channel);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      held.push({ signal, report, answer: () => resolve({ height: 2, width: 3, shares, sizes }) });
    });
  },
}"""


def shown_map(page: Page) -> np.ndarray:
    """The numbers of the layer's map, (h, w)."""
    values, height, width = page.evaluate(
        "(({ values, height, width }) => [[...values], height, width])(attnviz.viewer.layer().map)"
    )
    return np.reshape(values, (height, width))


def at_cells(page: Page, picture: np.ndarray) -> np.ndarray:
    """The colours in the middle of each cell, (h, w, 3), of those whose middle lies beyond the photo NaN."""
    (left, top, right, bottom), across, down = page.evaluate(
        "[attnviz.viewer.layer().box, attnviz.viewer.trace.photo.width, attnviz.viewer.trace.photo.height]"
    )
    height, width = shown_map(page).shape
    x = (left + (np.arange(width) + 0.5) / width * (right - left)) / across
    y = (top + (np.arange(height) + 0.5) / height * (bottom - top)) / down
    rows = np.minimum(y * picture.shape[0], picture.shape[0] - 1).astype(int)
    columns = np.minimum(x * picture.shape[1], picture.shape[1] - 1).astype(int)
    colours = picture[rows][:, columns].astype(float)
    colours[y >= 1] = colours[:, x >= 1] = np.nan
    return colours


def choose_way(page: Page, way: str) -> None:
    page.locator(f"[data-way={way}]").click()


def test_a_dimmed_photo_is_the_photo_times_the_gate(open_app):
    page = open_app()
    expect(page.locator("[data-way=dim]")).to_have_attribute("aria-pressed", "true")
    dimmed = pixels(page, ".av-photo")
    choose_way(page, "photo")
    photo, gate = pixels(page, ".av-photo"), shown_map(page)
    expected = at_cells(page, photo) * gate[:, :, None]
    np.testing.assert_allclose(at_cells(page, dimmed), expected, atol=3)


def test_each_colour_on_the_photo_is_one_of_the_bar_on_another_grey(open_app):
    page = open_app()
    choose_way(page, "colours")
    set_slider(page, "opacity", 0.7)
    gate, bar = shown_map(page), pixels(page, ".av-bar-of-colours")[7].astype(float)
    drawn = at_cells(page, pixels(page, ".av-photo"))
    places = np.clip((gate * bar.shape[0]).astype(int), 4, bar.shape[0] - 5)
    away = drawn - bar[places]
    inner = (gate > gate.min() + 0.02) & (gate < gate.max() - 0.02)  # where no mark lies on the bar
    inner &= np.isfinite(away).all(-1)
    assert inner.any() and np.ptp(away, -1)[inner].max() <= 4


def test_a_dimmed_photo_prints_its_scale_all_the_same(open_app):
    page = open_app()
    expect(page.locator(".av-scale")).to_contain_text("dark: held back – bright: passes")
    bar = pixels(page, ".av-bar-of-colours")[7].astype(int)
    quarter = bar[len(bar) // 4 :: len(bar) // 4][:3]
    assert np.ptp(quarter, -1).max() == 0 and (np.diff(quarter[:, 0]) > 40).all()
    expect(page.locator("[data-control=opacity]")).to_have_count(0)
    choose_way(page, "colours")
    expect(page.locator("[data-control=opacity]")).to_be_visible()


def test_while_space_is_held_the_photo_is_shown_without_its_map(open_app):
    page = open_app()
    dimmed = pixels(page, ".av-photo")
    choose_way(page, "photo")
    photo = pixels(page, ".av-photo")
    choose_way(page, "dim")
    page.evaluate("document.activeElement.blur()")
    for focused in (".av-marks", ".av-item[aria-selected=true]"):
        page.locator(focused).focus()
        page.keyboard.down(" ")
        assert (pixels(page, ".av-photo") == photo).all()
        page.keyboard.up(" ")
        assert (pixels(page, ".av-photo") == dimmed).all()
    control(page, "find").focus()
    page.keyboard.down(" ")
    assert (pixels(page, ".av-photo") == dimmed).all()


def test_a_cell_that_is_pointed_at_is_shown_in_every_picture_of_a_map(open_app):
    page = open_app(FEATURES)
    expect(page.locator(".av-channel figure")).to_have_count(3)
    layers = page.locator(".av-item").count()
    expect(page.locator(".av-cell")).to_have_count(0)
    page.locator(".av-marks").hover(position={"x": 50, "y": 40})
    expect(page.locator(".av-strip .av-cell")).to_have_count(layers)
    expect(page.locator(".av-channel .av-cell")).to_have_count(3)
    expect(page.locator(".av-where .av-readout")).to_contain_text("passes at")
    page.locator(".av-channel canvas").first.hover(position={"x": 5, "y": 5})
    expect(page.locator(".av-where .av-readout")).to_contain_text("Row 1, column 1")
    page.locator(".av-bar h1").hover()
    expect(page.locator(".av-cell")).to_have_count(0)


def test_a_cell_in_the_strip_lies_at_the_same_place_of_the_photo(open_app):
    page = open_app()
    page.evaluate("attnviz.viewer.pointing.point({ cell: [1, 2] })")
    expect(page.locator(".av-strip .av-cell").first).to_be_visible()
    places = page.evaluate("""() => {
      const share = (cell, canvas) => [
        (cell.left + cell.width / 2 - canvas.left) / canvas.width,
        (cell.top + cell.height / 2 - canvas.top) / canvas.height,
      ];
      return [...document.querySelectorAll('.av-strip .av-cell')].map((cell) =>
        share(cell.getBoundingClientRect(), cell.parentElement.firstChild.getBoundingClientRect()));
    }""")
    height, width = shown_map(page).shape
    for x, y in places:  # of coarser layers the cell is larger
        assert abs(x - 2.5 / width) < 0.5 / 4 and abs(y - 1.5 / height) < 0.5 / 3


def test_a_channel_that_is_pointed_at_is_shown_everywhere_and_let_go_of(open_app):
    page = open_app(FEATURES)
    title, chosen = page.locator("[data-part=channel] h3"), page.evaluate("attnviz.viewer.state.channel")
    expect(title).to_contain_text(f"Channel {chosen} of")
    chip = page.locator(".av-chip:not([aria-pressed=true])").last
    channel = chip.get_attribute("data-channel")
    chip.hover()
    expect(page.locator(".av-what .av-readout")).to_contain_text(f"Channel {channel} passes")
    expect(page.locator(".av-chip[data-pointed]")).to_have_attribute("data-channel", channel)
    expect(title).to_contain_text(f"Channel {channel} of")
    page.locator(".av-bar h1").hover()
    expect(title).to_contain_text(f"Channel {chosen} of")
    expect(page.locator(".av-chip[data-pointed]")).to_have_count(0)
    assert page.evaluate("attnviz.viewer.state.channel") == chosen
    asked = [call for call in page.evaluate("calls") if call[0] == "features"]
    assert asked == [["features", chosen], ["features", int(channel)]]


def test_the_bars_are_as_wide_as_there_is_room_after_a_network_without_any(open_app, captures):
    plain = packed(attnviz.load("resnet18"), "none", "first")
    page = open_app(others={**captures, "first none": plain}, width=1000)
    bars = page.locator(".av-bars")
    for network in ("none", "cbam"):
        after(page, lambda network=network: page.evaluate(f"attnviz.viewer.open({{ network: '{network}' }})"))
    for width in (1440, 1000):
        page.set_viewport_size({"width": width, "height": 900})
        room = page.locator("[data-part=bars]").evaluate("part => Math.floor(part.clientWidth)")
        expect(bars).to_have_js_property("clientWidth", room)


def test_another_layer_forgets_what_was_pointed_at(open_app):
    page = open_app()
    page.evaluate("attnviz.viewer.pointing.point({ cell: [0, 0], channel: 3 })")
    page.evaluate("attnviz.viewer.set({ layer: attnviz.viewer.trace.layers[0].name })")
    assert page.evaluate("[attnviz.viewer.pointing.cell, attnviz.viewer.pointing.channel]") == [None, None]


def test_all_channels_are_asked_for_once_a_layer_and_sorted_by_how_much_the_gate_changes_them(open_app):
    page = open_app(GALLERY)
    control(page, "gallery").click()
    page.evaluate("held[0].report({ done: 30, total: 120 })")
    expect(page.locator(".av-gallery [role=status]")).to_contain_text("25%")
    page.evaluate("held[0].answer()")
    tiles = page.locator(".av-tile")
    weights = np.array(page.evaluate("[...attnviz.viewer.layer().channel.values]"))
    expect(tiles).to_have_count(len(weights))
    order = [int(tile) for tile in tiles.evaluate_all("all => all.map(({ dataset }) => dataset.channel)")]
    changes = np.arange(len(weights)) * abs(1 - weights)
    assert (np.diff(changes[order]) <= 1e-6).all()
    control(page, "tiles").select_option("size")
    order = [int(tile) for tile in tiles.evaluate_all("all => all.map(({ dataset }) => dataset.channel)")]
    assert (np.diff(weights[order]) <= 0).all()
    control(page, "gallery").click()
    control(page, "gallery").click()
    expect(tiles).to_have_count(len(weights))
    assert [name for name, _ in page.evaluate("calls")].count("gallery") == 1


def test_a_tile_shows_its_channel_and_chooses_it(open_app):
    page = open_app(GALLERY)
    control(page, "gallery").click()
    page.evaluate("held[0].answer()")
    tile = page.locator(".av-tile[aria-selected=false]").nth(1)
    channel = tile.get_attribute("data-channel")
    tile.hover()
    expect(page.locator(".av-what .av-readout")).to_contain_text(f"Channel {channel} passes")
    tile.click()
    assert page.evaluate("attnviz.viewer.state.channel") == int(channel)
    page.keyboard.press("Home")
    first = page.locator(".av-tile").first
    expect(first).to_be_focused()
    expect(first).to_have_attribute("aria-selected", "true")
    page.locator(".av-bar h1").hover()
    page.evaluate("attnviz.viewer.pointing.point({ channel: 1 })")
    expect(page.locator(".av-tile[data-pointed]")).to_have_attribute("data-channel", "1")


def test_who_leaves_gives_up_what_is_on_its_way(open_app):
    page = open_app(GALLERY)
    control(page, "gallery").click()
    page.locator("[data-gallery-close]").click()
    page.wait_for_function("held[0].signal.aborted")
    expect(page.locator(".av-gallery")).to_have_count(0)
    control(page, "gallery").click()
    page.locator(".av-item").first.click()
    page.wait_for_function("held[1].signal.aborted && held.length === 3")
    assert not page.evaluate("held[2].signal.aborted")


def test_without_a_host_that_has_them_no_channels_are_offered(open_app):
    page = open_app()
    expect(page.locator("[data-control=gallery]")).to_have_count(0)
    page.evaluate("attnviz.viewer.set({ gallery: true })")
    expect(page.locator(".av-gallery")).to_have_count(0)


def test_nothing_of_the_cards_is_hard_to_reach(open_app):
    page = open_app(GALLERY)
    control(page, "gallery").click()
    page.evaluate("held[0].answer()")
    expect(page.locator(".av-tile").first).to_be_visible()
    page.evaluate("attnviz.viewer.pointing.point({ cell: [0, 0], channel: 1 })")
    open_look(page)
    for way in ("dim", "colours", "photo"):
        choose_way(page, way)
        found = Axe().run(page, context=".attnviz", options={"resultTypes": ["violations"]})
        assert [(each["id"], each["nodes"][0]["html"][:99]) for each in found.response["violations"]] == []


@pytest.fixture(scope="module")
def dead() -> dict[str, dict]:
    """Captures of a network all of whose channel gates are 0.5."""
    network = stirred(18, "se")
    for name, values in network.named_parameters():
        if "fc2" in name:
            torch.nn.init.zeros_(values)
    return {"first cbam": packed(network, "cbam", "first")}


def test_what_the_channels_that_are_named_are_ranked_by_is_said(open_app):
    page = open_app()
    expect(page.locator("[data-rows-how]")).to_contain_text("mean size × (1 − gate)")


def test_a_dead_gate_is_marked_in_the_strip_and_explained_in_one_line(open_app, dead):
    page = open_app(others=dead)
    layers = page.locator(".av-item").count()
    expect(page.locator(".av-strip [data-badge=dead]")).to_have_count(layers)
    line = page.locator(".av-what > [data-badge=dead]")
    expect(line).to_have_text("Dead on this photo: every channel passes at 0.500.")
    label = page.locator(".av-item").first.get_attribute("aria-label")
    assert label.endswith("every channel passes at 0.500.")


def test_the_answer_says_of_how_many_classes_and_shows_them_as_chips(open_app, captures):
    page = open_app()
    expect(page.locator(".av-answer h2")).to_have_text("Most like, of its five classes")
    assert (
        page.locator(".av-percent, .av-label").evaluate_all(
            "all => new Set(all.map((each) => getComputedStyle(each).color)).size"
        )
        == 1
    )
    labels, best = page.evaluate("[attnviz.viewer.trace.network.labels, attnviz.viewer.trace.top[0][0]]")
    expect(page.locator(".av-class")).to_have_text(labels)
    expect(page.locator(".av-class[aria-current]")).to_have_text(best)


def test_a_network_of_imagenet_is_told_from_others_and_has_no_chips(open_app, captures):
    page = open_app(others=answering(captures, classes=1000, labels=[], accuracy=None))
    expect(page.locator(".av-answer h2")).to_have_text("Most like, of ImageNet’s 1,000 classes")
    expect(page.locator(".av-class")).to_have_count(0)
    expect(page.locator(".av-answer")).to_contain_text("knows only the 1,000 classes of ImageNet")


def answering(captures: dict[str, dict], **network) -> dict[str, dict]:
    """The captures with another answer, of a network of which other things are known."""
    return {
        key: {**capture, "top": TOP, "network": {**capture["network"], **network}}
        for key, capture in captures.items()
    }


@pytest.mark.parametrize("width", [1280, 390])
def test_bars_and_numbers_of_the_answer_never_lie_on_each_other(open_app, captures, width):
    page = open_app(others=answering(captures), width=width, height=844)
    boxes = page.locator(".av-top5 li").evaluate_all("""items => items.map((item) =>
      ['.av-label', '.av-percent', '.av-share', '.av-share > span'].map((part) => {
        const { left, right, top, bottom } = item.querySelector(part).getBoundingClientRect();
        return { left, right, top, bottom };
      }))""")
    for label, number, share, bar in boxes:
        assert label["right"] <= number["left"] and max(label["bottom"], number["bottom"]) <= share["top"]
        assert share["left"] == boxes[0][2]["left"] and share["right"] == boxes[0][2]["right"]
        assert number["right"] == pytest.approx(boxes[0][1]["right"], abs=0.6)
        assert bar["right"] <= share["right"]
    widths = [bar["right"] - bar["left"] for _, _, _, bar in boxes]
    whole = boxes[0][2]["right"] - boxes[0][2]["left"]
    np.testing.assert_allclose(widths, [0.864 * whole, 0.05 * whole, 0.0, 0.0, 0.0], atol=1)


TOP = [
    ["church", 0.864],
    ["a class of a long name that takes more than one line", 0.05],
    ["tench", 0.0004],
    ["parachute", 0.0],
    ["golf ball", 0.0],
]
