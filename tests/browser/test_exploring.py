"""A layer is explored: its numbers and colours, its cells and channels, its steps and tables."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from helpers.browser_actions import (
    CLICK_ALL,
    after,
    choose_network,
    control,
    next_frame,
    open_checkpoint,
    open_table,
    pixels,
    requests_of,
    set_slider,
)
from helpers.small_networks import stirred
from matplotlib import colormaps
from playwright.sync_api import expect

import attnviz
from attnviz._paths import EXAMPLES_FOLDER
from attnviz.analysis import ranked
from attnviz.drawing.style import COLORMAPS
from attnviz.languages.catalogue import say
from attnviz.mechanisms.choosing import diagram_of


def cell_colours(picture: np.ndarray, box, photo, grid) -> np.ndarray:
    """The colours in the middle of each cell whose middle lies on the photo."""
    height, width = grid
    rows = (box[1] + (np.arange(height) + 0.5) * (box[3] - box[1]) / height) / photo.height * picture.shape[0]
    columns = (box[0] + (np.arange(width) + 0.5) * (box[2] - box[0]) / width) / photo.width * picture.shape[1]
    return picture[
        np.ix_(rows[rows < picture.shape[0]].astype(int), columns[columns < picture.shape[1]].astype(int))
    ]


def test_the_browser_has_the_numbers_of_the_trace(visit, temple):
    page = visit()
    got = page.evaluate("""() => attnviz.viewer.trace.layers.map(({name, channel, map, steps}) => ({
      name,
      channel: [...channel.values],
      map: [...map.values],
      steps: steps.map(({name, values}) => [name, [...values]]),
    }))""")
    for layer, (name, expected) in zip(got, temple.layers.items(), strict=True):
        assert layer["name"] == name
        np.testing.assert_allclose(layer["channel"], expected.channel, atol=2e-5)
        np.testing.assert_allclose(layer["map"], expected.spatial.ravel(), atol=2e-5)
        for (step, values), own in zip(layer["steps"], expected.steps, strict=True):
            assert step == own.name
            np.testing.assert_allclose(values, own.values.ravel(), atol=np.ptp(own.values) / 1e4 + 1e-6)


def test_a_colour_means_the_number_that_it_says(visit, temple):
    page, layer = visit(query="&way=colours"), temple.layers["layer3.1"]
    page.locator(".av-item", has_text="layer3.1").click()
    set_slider(page, "opacity", 1)
    low, high = layer.spatial.min(), layer.spatial.max()
    for colours in COLORMAPS:
        control(page, "colours").select_option(colours)
        for scale, shares in (("fixed", layer.spatial), ("map", (layer.spatial - low) / (high - low))):
            control(page, "scale").select_option(scale)
            seen = cell_colours(
                pixels(page, ".av-photo"), temple.box("layer3.1"), temple.photo, layer.spatial.shape
            )
            np.testing.assert_allclose(
                seen, colormaps[colours](shares)[..., :3] * 255, atol=9, err_msg=f"{colours}, {scale}"
            )
    expect(page.locator(".av-where .av-ticks span").first).to_have_text(f"{low:.2f}")


def test_smoothing_grid_and_wiping_change_the_picture_and_no_number(visit, temple):
    page = visit(query="&way=colours")
    page.locator(".av-item", has_text="layer4.1").click()
    set_slider(page, "opacity", 1)
    plain = pixels(page, ".av-photo")
    control(page, "smooth").check()
    smooth = pixels(page, ".av-photo")
    assert np.abs(plain.astype(int) - smooth).mean() > 1
    expect(page.locator(".av-where")).to_contain_text("is ours, not the network's")
    control(page, "smooth").uncheck()
    set_slider(page, "wipe", 0.5)
    wiped = pixels(page, ".av-photo")
    half = wiped.shape[1] // 2
    np.testing.assert_array_equal(wiped[:, half + 4 :], plain[:, half + 4 :])
    set_slider(page, "opacity", 0)
    np.testing.assert_array_equal(wiped[:, : half - 4], pixels(page, ".av-photo")[:, : half - 4])
    before = pixels(page, ".av-marks")
    control(page, "grid").check()
    assert (pixels(page, ".av-marks") != before).any()


def test_exploring_asks_the_server_for_nothing_and_a_channel_once(visit):
    page = visit(query="&way=colours")
    sent = requests_of(page)
    page.locator(".av-item", has_text="layer2.1").click()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".av-where h2")).to_contain_text("layer3.0")
    for name, values in (
        ("colours", ("turbo",)),
        ("scale", ("stage", "network")),
        ("order", ("index", "surprise")),
        ("top", ("20",)),
    ):
        for value in values:
            control(page, name).select_option(value)
    set_slider(page, "opacity", 0.2)
    set_slider(page, "wipe", 0.4)
    control(page, "smooth").check()
    control(page, "grid").check()
    for selector in (".av-marks", ".av-bars"):
        page.locator(selector).hover(position={"x": 120, "y": 60})
        page.locator(selector).hover(position={"x": 180, "y": 90})
    page.locator(".av-marks").click(position={"x": 100, "y": 50})
    page.locator(".av-details:not([open]) > summary").evaluate_all(CLICK_ALL)
    title = page.locator("[data-part=channel] h3")
    before = len(sent)
    for channel in ("5", "6", "5"):  # the second time it is there already
        control(page, "find").fill(channel)
        expect(title).to_contain_text(f"Channel {channel} ")
        expect(page.locator(".av-channel figure")).to_have_count(3)
        expect(page.locator("[data-part=channel] .av-note")).not_to_have_text(say("en", "waiting"))
    # Whatever had been asked for before would have been noted by now
    # and once for the channel that each of the two layers opens with, and that the pointer rests on
    assert before <= 4 and len(sent) == before + 2
    assert all("component_server" in address for address in sent)


def test_a_cell_is_read_under_the_pointer_pinned_and_reached_by_keys(visit, temple):
    page, layer = visit(), temple.layers["layer4.0"]
    marks, readout = page.locator(".av-marks"), page.locator(".av-where .av-readout")
    size = marks.bounding_box()
    row, column = 3, 5
    point = {
        "x": size["width"] * (column + 0.5) / layer.shape[2],
        "y": size["height"] * (row + 0.5) / layer.shape[1],
    }
    marks.hover(position=point)
    expect(readout).to_have_text(f"Row 4, column 6 passes at {layer.spatial[row, column]:.3f}")
    marks.click(position=point)
    page.mouse.move(0, 0)
    expect(readout).to_have_text(f"Row 4, column 6 passes at {layer.spatial[row, column]:.3f}")
    expect(page.locator(".av-whose")).to_contain_text("cell (4, 6)")
    marks.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(readout).to_have_text(f"Row 5, column 7 passes at {layer.spatial[4, 6]:.3f}")
    assert marks.get_attribute("aria-valuetext") == readout.text_content()
    page.keyboard.press("Enter")
    expect(readout).to_contain_text("Row 5, column 7")
    page.keyboard.press("Escape")
    expect(readout).to_have_text(say("en", "readout_hint"))


def test_a_channel_is_found_by_number_by_name_and_by_keys(visit, temple):
    page, layer = visit(), temple.layers["layer4.0"]
    readout = page.locator(".av-what .av-readout")
    control(page, "find").fill("37")
    expect(readout).to_contain_text(f"Channel 37 passes at {layer.channel[37]:.3f}")
    features = attnviz.features(attnviz.load("cbam_resnet18"), temple.photo, "layer4.0")
    expect(page.locator(".av-channel figure").first).to_contain_text(f"{features.before[37].max():.3f}")
    expect(page.locator(".av-channel figure").last).to_contain_text(f"{features.after[37].max():.3f}")
    expect(page.locator(".av-whose")).to_contain_text("channel 37")
    control(page, "find").fill("999")
    expect(control(page, "find")).to_have_attribute("aria-invalid", "true")
    page.locator(".av-chip").nth(1).click()
    expect(page.locator(".av-chip").nth(1)).to_have_attribute("aria-pressed", "true")
    second = ranked(layer.channel, "size")[1]
    page.locator(".av-bars").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(readout).to_contain_text(f"Channel {second} passes at {layer.channel[second]:.3f}")
    page.keyboard.press("Enter")
    expect(page.locator("h3", has_text=f"Channel {second} of layer4.0")).to_be_visible()


def test_the_mechanism_is_that_of_the_network(visit):
    page = visit()
    nodes = page.locator(".av-mechanism .av-node")
    counts = {}
    for name in ("cbam_resnet18", "bam_resnet18", "se_resnet18"):
        if name != "cbam_resnet18":
            after(page, lambda name=name: choose_network(page, name))
        trace = attnviz.trace(attnviz.load(name), EXAMPLES_FOLDER / "temple.jpg")
        diagram = diagram_of(next(iter(trace.layers.values())))
        keys = nodes.evaluate_all("all => all.map((each) => each.dataset.node)")
        assert keys == [node.key for node in diagram.nodes]
        counts[name] = len(keys)
    assert len(set(counts.values())) == 3


def test_every_step_and_every_picture_has_a_table(visit, temple):
    page, layer = visit(query="&layer=layer4.0&channel=6"), temple.layers["layer4.0"]
    steps = {step.name: step.values for step in layer.steps}
    features = attnviz.features(attnviz.load("cbam_resnet18"), temple.photo, "layer4.0")
    _, height, width = layer.shape
    expect(page.locator('.av-mechanism [data-node="input"] .av-node-number')).to_be_visible()
    cells = open_table(page, "steps-cells-0")
    expect(cells).to_have_count(height * width)
    kept = [steps[name][3, 5] for name in ("mean_map", "maximum_map", "spatial_logits")]
    for value in (*kept, layer.spatial[3, 5], features.before[6, 3, 5], features.after[6, 3, 5]):
        expect(cells.nth(3 * width + 5)).to_contain_text(f"{value:.3f}".replace("-", "−"))
    expect(open_table(page, "steps-units-0")).to_have_count(steps["average_hidden"].size)
    expect(open_table(page, "steps-channels-0")).to_have_count(layer.channel.size)
    expect(open_table(page, "channel").nth(3 * width + 5)).to_contain_text(
        f"{features.after[6, 3, 5]:.3f}".replace("-", "−")
    )
    after(page, lambda: choose_network(page, "bam_resnet18"))
    page.locator(".av-item", has_text="bam2").click()
    control(page, "find").fill("9")
    expect(page.locator('[data-table^="steps-cells"] thead th')).to_contain_text(
        ["Row", "Column", "F", "M_s ( F )", "M_c ( F ) + M_s ( F )", "M ( F )", "1 + M ( F )", "F′"]
    )
    control(page, "tab-photos").click()
    expect(page.locator(".av-row-name")).to_have_count(3)
    expect(open_table(page, "photos").first).to_contain_text("temple.jpg")


@pytest.mark.parametrize(("attention", "widths"), [("cbam", (1280, 1440)), ("se", (1366,))])
def test_sixteen_layers_fit_beside_the_controls_with_names_that_can_be_read(
    visit, tmp_path, attention, widths
):
    torch.save(stirred(50, attention).state_dict(), tmp_path / "deep.pth")
    page = visit(widths[0], 900)
    open_checkpoint(page, tmp_path / "deep.pth")
    names = page.locator(".av-item-name")
    expect(names).to_have_count(16)
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        next_frame(page)
        assert page.locator(".av-strip-list").evaluate("list => list.scrollWidth <= list.clientWidth")
        for selector in (".av-item-name", ".av-item-range"):
            wide = "all => all.filter(each => each.scrollWidth > each.clientWidth).length"
            assert page.locator(selector).evaluate_all(wide) == 0
        assert names.first.text_content() in ("1.0", "layer1.0")
        assert names.last.text_content() in ("4.2", "layer4.2")
    expect(page.locator(".av-item").last).to_have_attribute("title", "layer4.2")
    expect(page.locator(".av-item").last).to_have_attribute("aria-label", re.compile("layer4.2"))
