"""Single gates are set in the bars and on the map: what then is asked for, and how it is shown."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browser_actions import after, open_menu
from helpers.fake_host import packed_changed
from helpers.small_networks import stirred
from playwright.sync_api import Page, expect

# Any edits are answered with one changed capture, which says that it is of these.
HOST = """{
  edits: ['usual', 'off', 'set', 'patch'],
  async capture(asked) {
    calls.push(['capture', asked]);
    if (!asked.edits) return captures[key(asked)];
    const made = captures['first cbam changed'];
    return { ...made, asked: { ...made.asked, ...asked } };
  },
  async removePhoto() {},
  async stairs(asked, { how }, { report }) {
    calls.push(['stairs', { ...asked, how }]);
    report({ done: 1, total: 2 });
    const said = (scoreChange) => {
      const isOther = scoreChange < -2;
      return { answer: isOther ? 'class 2' : 'class 1', isOther, scoreChange, share: 0.5 };
    };
    const steps = [
      { layer: 'layer1.0', alone: said(-0.2), together: said(-0.2) },
      { layer: 'layer1.1', alone: said(1.5), together: said(-2.4) },
    ];
    const why = { en: 'It has no factor.', zh: '没有系数。' };
    return { how, before: { answer: 'class 1', share: 0.8 }, steps, leftOut: [{ layer: 'layer2.0', why }] };
  },
}"""
LAYER = "layer4.0"


@pytest.fixture(scope="module")
def changed(captures) -> dict[str, dict]:
    edits = {LAYER: [{"edit": "set", "channel": [[3, 0.0]], "cells": [[0, 0, 1.0]]}]}
    return {**captures, "first cbam changed": packed_changed(stirred(18, "cbam"), "cbam", "first", edits)}


@pytest.fixture
def app(open_app, changed):
    """The app with a host that sets gates, at a layer with a map, its switches in sight."""

    def opened(**size: int) -> Page:
        page = open_app(HOST, changed, **size)
        page.locator(f'.av-item[data-layer="{LAYER}"]').click()
        page.locator("[data-what-if]").click()
        expect(page.locator("[data-setting]")).to_have_count(2)
        return page

    return opened


def setting(page: Page) -> dict:
    """What is set of the layer in the network that is shown."""
    ((only,),) = page.evaluate("attnviz.viewer.trace.asked.edits").values()
    assert only.pop("edit") == "set"
    return only


def asked(page: Page) -> int:
    return page.evaluate("calls.length")


def test_bars_are_set_by_buttons_by_keys_and_by_dragging_and_each_is_taken_back(app):
    page = app()
    bars, panel = page.locator(".av-bars"), page.locator("[data-setting=channels]")
    bars.click(position={"x": 60, "y": 50})
    channel = page.evaluate("attnviz.viewer.state.channel")
    after(page, lambda: panel.locator("[data-set='0']").click())
    assert setting(page) == {"channel": [[channel, 0]]}
    expect(panel.locator("p[role=status]")).to_contain_text(f"channel {channel} set to 0")
    expect(page.locator("[data-switch='layer4.0']")).to_have_attribute("data-choice", "other")
    expect(page.locator("[data-part=changes]")).to_contain_text(f"channel {channel} set to 0.00")

    bars.focus()
    bars.press("ArrowRight")
    other = page.evaluate("attnviz.viewer.pointing.channel")
    after(page, lambda: bars.press("1"))
    assert setting(page) == {"channel": sorted([[channel, 0], [other, 1]])}

    before, box = asked(page), bars.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 30, box["y"] + 90)
    page.mouse.down()
    for height in (80, 60, 30):
        page.mouse.move(box["x"] + box["width"] - 40, box["y"] + height)
    after(page, page.mouse.up)
    third = page.evaluate("attnviz.viewer.state.channel")
    values = dict(setting(page)["channel"])
    assert asked(page) == before + 1 and {*values} == {channel, other, third}
    assert 0.6 < values[third] < 0.9  # 98 px from 0 to 1, 6 px below the top
    expect(page.locator("[data-take-back]")).to_have_count(3)

    after(page, lambda: panel.locator(f"[data-take-back='{third}']").click())
    assert setting(page) == {"channel": sorted([[channel, 0], [other, 1]])}
    after(page, lambda: panel.locator("[data-take-back-all]").click())
    expect(page.locator("[data-answer-change], [data-take-back]")).to_have_count(0)


def test_a_click_on_a_bar_still_chooses_it_and_asks_for_nothing(app):
    page = app()
    before = asked(page)
    page.locator(".av-bars").click(position={"x": 200, "y": 60})
    page.locator(".av-bars").press("Enter")
    assert asked(page) == before


def test_what_is_set_stands_behind_what_is_done_to_the_whole_layer(app):
    page = app()
    after(page, lambda: page.locator("[data-switch='layer4.0']").select_option("usual"))
    after(page, lambda: page.locator("[data-setting=channels] [data-set='1']").click())
    (edits,) = page.evaluate("calls.at(-1)[1].edits").values()
    assert [each["edit"] for each in edits] == ["usual", "set"]
    page.locator(".av-item[data-layer='layer4.1']").click()
    status = page.locator("[data-setting=channels] p[role=status]")
    expect(status).to_contain_text("as the changed network computes it")
    page.locator(".av-item[data-layer='layer1.0']").click()
    expect(status).to_contain_text("as the network computes it")


def test_a_stroke_of_the_brush_sets_cells_with_one_pass_and_is_undone(app):
    page = app()
    tools, box = page.locator("[data-setting=cells]"), page.locator("[data-part=map]").bounding_box()
    tools.locator("[data-brush]").click()
    tools.locator("[data-paint='1']").click()
    before = asked(page)
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 5)
    after(page, page.mouse.up)
    made = {"edit": "set", **setting(page)}
    cells = made["cells"]
    width = page.evaluate("attnviz.viewer.layer().width")
    assert asked(page) == before + 1
    assert cells == [[0, column, 1] for column in range(width)]  # also those that it leapt over
    expect(page.locator("[data-part=changes]")).to_contain_text(f"{width} cells set")
    after(page, lambda: page.locator("[data-reset-gates]").click())
    expect(tools.locator("[data-undo-stroke]")).to_have_count(0)  # it would change nothing
    after(page, lambda: page.evaluate("edits => attnviz.viewer.change(edits)", {LAYER: [made]}))
    after(page, lambda: tools.locator("[data-undo-stroke]").click())
    expect(page.locator("[data-answer-change], [data-undo-stroke]")).to_have_count(0)

    tools.locator("[data-brush]").click()  # away
    marks = page.locator(".av-marks")
    marks.focus()
    marks.press("ArrowDown")
    after(page, lambda: marks.press("0"))
    assert setting(page) == {"cells": [[1, 0, 0]]}
    after(page, lambda: tools.locator("[data-set-cell]").click())
    expect(page.locator("[data-answer-change]")).to_have_count(0)


def test_another_photos_gates_are_put_in_from_a_list_or_by_dropping_it_on_a_layer(app):
    page = app()
    layer = page.locator("[data-switch='layer4.0']")
    layer.focus()
    layer.select_option("ask")
    expect(page.locator("dialog[open]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(layer).to_have_value("own")
    layer.select_option("ask")
    assert page.locator("[data-take-gates]").evaluate_all(
        "all => all.map(({ dataset }) => dataset.takeGates)"
    ) == ["second"]
    after(page, lambda: page.locator("[data-take-gates=second]").click())
    patch = {"edit": "patch", "photo": "second"}
    assert page.evaluate("attnviz.viewer.trace.asked.edits") == {"layer4.0": [patch]}
    expect(page.locator("[data-part=changes]")).to_contain_text("layer4.0 gates of second.png")
    expect(layer).to_have_value("patch")
    expect(layer).to_be_focused()
    expect(layer.locator("option:checked")).to_have_text("second.png")
    expect(layer).to_have_attribute("title", "gates of second.png")
    expect(page.locator("dialog[open]")).to_have_count(0)
    target = page.locator("[data-layer='layer2.0']")
    after(page, lambda: page.locator("[data-photo=second]").drag_to(target))
    assert page.evaluate("attnviz.viewer.trace.asked.edits") == {"layer4.0": [patch], "layer2.0": [patch]}
    page.evaluate("attnviz.viewer.removePhoto('second')")
    expect(page.locator("[data-answer-change]")).to_have_count(0)
    assert not page.evaluate("attnviz.viewer.captures.all().some(({ asked }) => asked.edits)")


def test_stairs_are_a_figure_with_a_scale_in_which_each_bar_makes_its_change(app):
    page = app()
    page.locator("[data-stairs]").click()
    stairs, other = page.locator("[data-part=stairs]"), page.locator("[data-stair='together layer1.1']")
    expect(other).to_contain_text("−2.40 · 80% → 50% · ▸ class 2")
    expect(stairs).to_contain_text("layer2.0: It has no factor.")
    ticks = page.locator(".av-stairs-ticks").first.locator("span")
    assert ticks.all_inner_texts() == ["−3", "−2", "−1", "0", "1", "2"]
    left, right = ticks.first.bounding_box(), ticks.last.bounding_box()
    bar = page.locator("[data-stair='alone layer1.1'] b").bounding_box()
    middle = [box["x"] + box["width"] / 2 for box in (left, right)]
    assert bar["width"] == pytest.approx((middle[1] - middle[0]) * 1.5 / 5, rel=0.02)

    how = page.locator("[data-control=how]")
    how.focus()
    how.select_option("off")
    expect(how).to_be_focused()
    after(page, lambda: page.locator("[data-stair='together layer1.1']").click())
    off = [{"edit": "off"}]
    assert page.evaluate("attnviz.viewer.trace.asked.edits") == {"layer1.0": off, "layer1.1": off}
    expect(other).to_have_attribute("aria-pressed", "true")
    asked = page.evaluate("calls.filter(([name]) => name === 'stairs').map(([, asked]) => asked)")
    as_it_is = {"photo": "first", "network": "cbam", "view": "whole"}
    assert asked == [{**as_it_is, "how": "usual"}, {**as_it_is, "how": "off"}]  # asked for once each
    with page.expect_download() as table:
        page.locator("[data-stairs-csv]").click()
    rows = table.value.path().read_text().splitlines()
    assert len(rows) == 1 + 2 * 2 and rows[-1].startswith(
        "changed network: cbam,first.png,together,layer1.1,off"
    )
    violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in violations] == []
    page.locator("[data-stairs-close]").click()
    expect(stairs).to_have_count(0)
    expect(page.locator("[data-stairs]")).to_be_focused()


WRITING = """() => {
  const { prototype } = CanvasRenderingContext2D;
  const write = prototype.fillText;
  window.written = [];
  prototype.fillText = function (text, ...place) {
    written.push(text);
    write.call(this, text, ...place);
  };
}"""
PRESSED = """button => {
  written.length = 0;
  button.click();
  return [...written];  // into the picture: the page itself is drawn anew later
}"""
AT_THE_END = """button => {
  scrollTo(0, 1e6);
  const before = scrollY;
  button.click();
  return [before, scrollY];
}"""
CONTROLS = ("Brush", "1×1", "Drag", "Keys", "if…", "Dim", "Reset", "✕", "Save", "click")


def test_pictures_hold_no_controls_and_say_what_was_changed(app):
    page = app(width=1280, height=720)
    after(page, lambda: page.locator("[data-switch='layer4.0']").select_option("usual"))
    page.locator("[data-stairs]").click()
    expect(page.locator("[data-stairs-png]")).to_be_visible()
    page.evaluate(WRITING)
    written = {}
    for figure in ("map", "channels", "answer"):
        open_menu(page, f"take-{figure}")
        page.evaluate("written.length = 0")
        with page.expect_download():
            before, after_it = page.locator("[data-take=png]:visible").evaluate(AT_THE_END)
        assert after_it == before > 0
        written[figure] = page.evaluate("written")
    with page.expect_download() as download:
        of_stairs = page.locator("[data-stairs-png]").evaluate(PRESSED)
    assert download.value.suggested_filename == "first · cbam · stairs usual.png"
    page.evaluate("attnviz.viewer.speak('zh')")
    expect(page.locator("[data-stairs]")).to_have_text("阶梯")
    with page.expect_download():
        written_in_chinese = page.locator("[data-stairs-png]").evaluate(PRESSED)
    chinese = re.findall("[\u4e00-\u9fff]+", "\n".join(written_in_chinese))
    assert {len(words) for words in chinese} == {1}  # a sign alone can be put into its line
    for words in (*written.values(), of_stairs):
        assert [control for control in CONTROLS if control in words] == [] != words
    for words in written.values():
        assert any("layer4.0 usual" in line for line in words)


def test_the_diagram_marks_what_was_set_and_its_formula_says_so(app):
    page = app()
    page.evaluate("attnviz.viewer.set({ channel: 3, pin: [1, 1] })")
    after(page, lambda: page.locator("[data-setting=channels] [data-set='0']").click())
    edits = {LAYER: [{"edit": "set", "channel": [[3, 0]], "cells": [[0, 0, 1]]}]}  # what the capture is of
    after(page, lambda: page.evaluate("edits => attnviz.viewer.change(edits)", edits))
    gate, map_ = page.locator("[data-node=channel_gate]"), page.locator("[data-node=spatial_gate]")
    expect(page.locator(".av-node.av-edited")).to_have_count(2)
    badge, sign = gate.locator(".av-node-edited"), gate.locator(".av-node-sign")
    expect(badge).to_have_text("set")
    box = badge.bounding_box()
    assert box["y"] + box["height"] <= sign.bounding_box()["y"] + 1
    line = page.locator("[data-line=channel_gate] .av-math").last
    expect(line).to_have_text("Mc≔0.000")
    other = page.locator("[data-line=spatial_gate] .av-math").last
    expect(other).to_contain_text("σ")  # of a cell that was not set
    page.evaluate("attnviz.viewer.set({ channel: 4, pin: [0, 0] })")
    expect(other).to_have_text("Ms≔1.000")
    expect(line).to_contain_text("σ")
    assert "set" in map_.get_attribute("aria-label")


def test_nothing_is_offered_that_the_host_or_the_layer_has_not(open_app, changed):
    page = open_app("{ edits: ['usual', 'off'] }", changed)
    page.locator("[data-what-if]").click()
    expect(page.locator("[data-switch]")).not_to_have_count(0)
    expect(page.locator("[data-setting]")).to_have_count(0)
    page = open_app("{ edits: ['set'] }", changed)
    page.locator("[data-what-if]").click()
    after(page, lambda: page.locator("[data-network=se]").click())
    expect(page.locator("[data-setting]")).to_have_count(1)  # without a map


def test_on_a_phone_the_panels_fit_and_speak_another_language(app):
    page = app(width=390, height=844)
    page.evaluate("attnviz.viewer.speak('zh')")
    expect(page.locator("[data-brush]")).to_have_text("画笔")
    after(page, lambda: page.locator("[data-setting=channels] [data-set='0']").click())
    expect(page.locator("[data-row=set]")).to_contain_text("由你设定")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_tools_that_do_not_come_are_said_and_asked_for_again(visit):
    page = visit()
    later = page.locator("script[data-later]").get_attribute("data-later")
    page.route(f"**/{later}", lambda route: route.abort())
    page.locator("[data-what-if]").click()
    expect(page.locator(".av-notice")).not_to_be_empty()
    page.unroute(f"**/{later}")
    page.locator("[data-what-if]").click()
    page.locator("[data-what-if]").click()
    expect(page.locator("[data-switch]").first).to_be_visible()
