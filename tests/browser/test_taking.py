"""Every figure can be taken away: what is on the screen as a picture, all else as asked of the host."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from helpers.browser_actions import control, open_menu, said
from PIL import Image
from playwright.sync_api import Download, Page, expect

from attnviz.languages.catalogue import say

SAVES = """{
  async save(asked, { signal, report } = {}) {
    calls.push(['save', asked]);
    const name = `${asked.name}.${asked.format ?? 'zip'}`;
    if (!window.isSaving) return { address: 'data:text/plain,saved', name };
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => { calls.push(['given up']); reject(signal.reason); });
      held.push({ report });
    });
  },
  async link() { return { key: 'link_copied' } },
  async features() {
    const cells = { values: new Float32Array([1, 2, 3, 4, 5, 6]), height: 2, width: 3, grain: 0 };
    return { before: cells, after: cells };
  },
}"""


def asked_to_save(page: Page) -> dict:
    """What the host was asked last."""
    name, asked = page.evaluate("calls.at(-1)")
    assert name == "save"
    return asked


def take(page: Page, figure: str, form: str) -> None:
    open_menu(page, f"take-{figure}")
    page.locator(f'[data-take="{form}"]').click()


def downloaded(page: Page, act) -> Download:
    with page.expect_download() as download:
        act()
    return download.value


def picture(download: Download, tmp_path: Path) -> Image.Image:
    path = tmp_path / "taken.png"
    download.save_as(path)
    return Image.open(io.BytesIO(path.read_bytes())).convert("RGB")


def test_a_picture_of_a_figure_is_what_is_on_the_screen_twice_as_fine(open_app, tmp_path):
    page = open_app(SAVES)
    download = downloaded(page, lambda: take(page, "map", "png"))
    # controls take no room in it
    page.add_style_tag(content=".av-where :is(.av-ways, .av-take-figure) { display: none }")
    box = page.locator(".av-where").bounding_box()
    photo = page.locator(".av-photo").bounding_box()
    shown = Image.open(io.BytesIO(page.locator(".av-photo").screenshot())).convert("RGB")
    layer = page.evaluate("attnviz.viewer.state.layer")
    assert download.suggested_filename == f"first · cbam · {layer} · map.png"
    taken = picture(download, tmp_path)
    assert taken.width == pytest.approx(2 * (box["width"] + 24), abs=2)
    left, top = (2 * (photo[side] - box[side] + 12) for side in ("x", "y"))
    part = taken.crop((left, top, left + 2 * photo["width"], top + 2 * photo["height"]))
    coarse = (shown.width // 20, shown.height // 20)  # the photo is noise, which half a pixel changes
    small, large = (np.asarray(each.resize(coarse, Image.Resampling.BOX), int) for each in (part, shown))
    assert np.abs(small - large).mean() <= 4 < large.std()
    assert page.evaluate("calls").count("save") == 0  # no host is needed


def test_a_host_that_saves_nothing_still_gives_pictures(open_app):
    page = open_app()
    open_menu(page, "take-map")
    items = page.locator(".av-take-figure .av-menu-panel button")
    expect(items).to_have_count(page.evaluate("navigator.clipboard ? 2 : 1"))
    expect(page.locator("[data-menu=take-steps]")).to_have_count(0)  # which only a host draws


@pytest.mark.parametrize("form", ["svg", "pdf", "csv"])
@pytest.mark.parametrize("figure", ["map", "channels", "channel", "steps"])
def test_vectors_and_numbers_are_asked_of_the_host(open_app, figure, form):
    page = open_app(SAVES)
    take(page, figure, form)
    asked = asked_to_save(page)
    assert (asked["what"], asked["figure"], asked["format"]) == ("figure", figure, form)
    assert asked["shown"] == [{**asked["shown"][0], "photo": "first", "network": "cbam", "view": "whole"}]
    assert asked["layer"] == page.evaluate("attnviz.viewer.state.layer")
    assert asked["layer"] in asked["name"] and asked["name"].startswith("first · cbam · ")


def test_the_answer_has_numbers_but_no_vectors(open_app):
    page = open_app(SAVES)
    open_menu(page, "take-answer")
    names = page.locator("[data-take]").evaluate_all("all => all.map(({ dataset }) => dataset.take)")
    assert set(names) - {"copy"} == {"png", "csv"}


def with_clipboard(write: str) -> str:
    """What the host can do, in a browser whose clipboard does this; "null": that has none."""
    return f"""(() => {{
      const write = {write};
      window.ClipboardItem = class {{ constructor(parts) {{ Object.assign(this, {{ parts }}); }} }};
      Object.defineProperty(navigator, 'clipboard', {{ value: write && {{ write }} }});
      return {SAVES};
    }})()"""


def test_a_copied_picture_is_that_of_the_figure(open_app):
    page = open_app(with_clipboard("async ([item]) => { window.copied = await item.parts['image/png']; }"))
    take(page, "map", "copy")
    expect(said(page)).to_contain_text(say("en", "picture_copied"))
    size = page.evaluate("createImageBitmap(copied).then(({ width, height }) => [width, height])")
    box = page.locator(".av-where .av-photo").bounding_box()
    assert page.evaluate("copied.type") == "image/png" and size[0] >= 2 * box["width"] - 2


def test_a_browser_that_does_not_let_the_page_copy_is_told(open_app):
    page = open_app(with_clipboard("async () => { throw new DOMException('no', 'NotAllowedError'); }"))
    take(page, "map", "copy")
    expect(said(page)).to_contain_text(say("en", "picture_not_copied"))


@pytest.mark.parametrize("form", ["png", "copy"])
def test_a_picture_that_can_not_be_drawn_is_told_and_nothing_stays_hidden(open_app, form):
    page = open_app(with_clipboard("async () => {}"))
    page.evaluate("""document.querySelectorAll('canvas').forEach((canvas) => {
      canvas.pictureAt = () => { throw new Error('no room'); };
    })""")
    take(page, "map", form)
    expect(said(page)).to_contain_text(say("en", "picture_not_drawn"))
    expect(page.locator(".av-where .av-ways")).to_be_visible()


def test_where_there_is_no_clipboard_nothing_offers_to_copy(open_app):
    page = open_app(with_clipboard("null"))
    open_menu(page, "take-map")
    expect(page.locator('[data-take="png"]')).to_be_visible()
    expect(page.locator('[data-take="copy"]')).to_have_count(0)


def test_a_figure_for_a_paper_is_asked_as_it_is_chosen_and_has_a_caption(open_app):
    page = open_app(SAVES)
    open_menu(page, "save")
    page.locator("[data-save=paper]").click()
    dialog = page.locator(".av-paper")
    layer = page.evaluate("attnviz.viewer.state.layer")
    other = page.evaluate("attnviz.viewer.trace.layers[0].name")
    caption = page.locator("[data-caption]")
    expect(caption).to_contain_text(
        "(a) the photo, first.png; (b) the photo dimmed by the spatial gate of " + layer
    )
    expect(caption).to_contain_text("(c) the gates of the")
    dialog.locator("input[name=channel]").check()
    expect(caption).to_contain_text("(d–f) channel")
    dialog.locator("input[name=channels]").uncheck()
    expect(caption).to_contain_text("(c–e) channel")
    dialog.locator(f'input[name="{other}"]').check()
    page.locator("[data-control=paper-width]").select_option("85")
    page.locator("[data-control=paper-format]").select_option("svg")
    page.locator("[data-paper-save]").click()
    asked = asked_to_save(page)
    assert (asked["what"], asked["width"], asked["format"]) == ("paper", 85, "svg")
    assert set(asked["panels"]) == {"photo", "map", "channel"}
    assert set(asked["layers"]) == {layer, other}
    expect(dialog).not_to_be_visible()


def test_saving_everything_says_how_far_it_is_and_can_be_given_up(open_app):
    page = open_app(SAVES)
    page.evaluate("window.isSaving = true")
    open_menu(page, "save")
    page.locator("[data-save=all]").click()
    page.evaluate("held[0].report({ done: 33, total: 132 })")
    expect(page.locator(".av-waiting")).to_contain_text("25%")
    page.locator(".av-waiting button").click()
    assert page.evaluate("calls.at(-1)") == ["given up"]
    expect(page.locator(".av-waiting")).to_be_empty()
    expect(said(page)).to_be_empty()


@pytest.mark.parametrize(
    ("what", "name"), [("screen", "first · cbam · LAYER"), ("all", "first · cbam · all layers")]
)
def test_a_zip_is_called_by_what_is_in_it(open_app, what, name):
    page = open_app(SAVES)
    open_menu(page, "save")
    page.locator(f"[data-save={what}]").click()
    layer = page.evaluate("attnviz.viewer.state.layer")
    assert asked_to_save(page)["name"] == name.replace("LAYER", layer)


def test_a_page_is_saved_as_it_is_set(open_app):
    page = open_app(SAVES)
    control(page, "colours").select_option("magma")
    open_menu(page, "save")
    page.locator("[data-save=page]").click()
    asked = asked_to_save(page)
    assert asked["what"] == "page" and asked["look"]["colormap"] == "magma"
    assert asked["channel"] == page.evaluate("attnviz.viewer.state.channel")


def test_a_right_click_on_the_map_saves_what_one_sees(open_app):
    page = open_app()
    shown = page.locator(".av-photo").screenshot()
    top = page.locator(".av-marks")
    opaque = top.evaluate(
        """canvas => {
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return data.filter((_, place) => place % 4 === 3).every((alpha) => alpha === 255);
        }"""
    )
    assert opaque
    seen = np.asarray(Image.open(io.BytesIO(shown)).convert("RGB")).astype(int)
    drawn = np.asarray(Image.open(io.BytesIO(top.screenshot())).convert("RGB")).astype(int)
    assert np.abs(seen - drawn).max() <= 3


def test_a_picture_for_a_post_has_the_size_of_link_cards(open_app, tmp_path):
    page = open_app(SAVES)
    open_menu(page, "share")
    download = downloaded(page, lambda: page.locator("[data-post]").click())
    taken = picture(download, tmp_path)
    assert taken.size == (1200, 630) and len(taken.getcolors(1 << 20)) > 500


def test_the_menus_have_room_on_a_phone(open_app):
    page = open_app(SAVES, width=390, height=844)
    for figure in ("map", "channels"):
        open_menu(page, f"take-{figure}")
        box = page.locator(".av-take-figure .av-menu-panel").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        page.keyboard.press("Escape")
