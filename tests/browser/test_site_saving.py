"""What a page without a server saves is what the library writes."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers.browser_actions import (
    after,
    control,
    nothing_is_on_its_way,
    open_menu,
    said,
    save,
    wait_until_drawn,
)
from helpers.file_server import handing_out
from PIL import Image
from playwright.sync_api import Page, expect

import attnviz
from attnviz._paths import EXAMPLES_FOLDER
from attnviz.drawing.channel import Channel
from attnviz.export import reproduce, tables
from attnviz.photos.example_photos import PHOTOS
from attnviz.site.content import SitePlan
from attnviz.site.writing import write_site

CREDITS = {photo.path.name: photo.credit for photo in PHOTOS.values()}
NETWORKS = ("cbam_resnet18", "bam_resnet18", "resnet18")


@pytest.fixture(scope="module")
def names_on_site() -> tuple[str, ...]:
    return NETWORKS


@pytest.fixture
def opened(open_url, site_address):
    """Opens the page with what an address asks for."""

    def page(query: str = "") -> Page:
        return open_url(f"{site_address}?{query}", viewport={"width": 1280, "height": 900})

    return page


def saved(page, act) -> Path:
    """The file that is saved by an act."""
    with page.expect_download(timeout=60_000) as download:
        act()
    expect(said(page)).to_contain_text("Saved")
    return download.value.path()


@pytest.mark.parametrize(("network", "layer"), [("cbam_resnet18", "layer3.1"), ("bam_resnet18", "bam2")])
def test_a_zip_holds_the_arrays_and_the_script_makes_them_again(opened, tmp_path, capsys, network, layer):
    page = opened(f"network={network}&photo=springer&layer={layer}&channel=5")
    expect(page.locator("[data-menu=take-channel]")).to_be_visible()
    trace = attnviz.trace(attnviz.load(network), EXAMPLES_FOLDER / "springer.jpg")
    for what in ("screen", "all"):
        folder = tmp_path / what
        with zipfile.ZipFile(saved(page, lambda what=what: save(page, what))) as archive:
            assert archive.testzip() is None
            archive.extractall(folder)
        names = {path.name for path in folder.iterdir()}
        pictures = {f"{layer}.map.png", f"{layer}.channels.png", f"{layer}.channel-5.png", "answer.png"}
        numbers = {"arrays.npz", "channels.csv", "manifest.json", "photo.png", "README.txt", "reproduce.py"}
        assert names == {*pictures, *numbers, *({"overview.png"} if what == "all" else ())}
        picture = np.asarray(Image.open(folder / "photo.png").convert("RGB"))
        np.testing.assert_array_equal(picture, trace.photo.pixels)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["files"] == sorted(names)
        (entry,) = manifest["traces"]
        layers = list(trace.layers) if what == "all" else [layer]
        assert list(entry["layers"]) == layers and entry["preprocessing"]["view"] == "whole"
        with np.load(folder / "arrays.npz") as arrays:
            assert {f"{layer}.channel-5.before", "logits"} <= {*arrays}
            for name in layers:
                for part in ("channel", "spatial", "sizes", "channel_logits", "spatial_logits"):
                    values = getattr(trace.layers[name], part)
                    assert (values is None) == (f"{name}.{part}" not in arrays)
                    if values is not None:
                        np.testing.assert_allclose(arrays[f"{name}.{part}"], values, atol=1e-4)
        assert "springer.jpg in " + network in (folder / "README.txt").read_text(encoding="utf-8")
        assert reproduce.main(folder, []) == 0 and "arrays: " in capsys.readouterr().out

    # gates are switched, another photo's are put in, and all that is saved says so
    page.locator("[data-what-if]").click()
    after(page, lambda: page.locator(f'[data-switch="{layer}"]').select_option("usual"))
    expect(page.locator("[data-answer-change]")).to_have_count(1)
    patched = next(iter(trace.layers))
    after(page, lambda: page.evaluate(PATCH, patched))
    folder = tmp_path / "changed"
    with zipfile.ZipFile(saved(page, lambda: save(page, "screen"))) as archive:
        archive.extractall(folder)
    (entry,) = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["traces"]
    put_in = [{"edit": "patch", "photo": "gates-of-cat.png"}]
    assert entry["edits"] == {"layers": {layer: [{"edit": "usual"}], patched: put_in}, "recompute": True}
    assert entry["others"]["gates-of-cat.png"]["name"] == "cat.jpg" and (folder / "gates-of-cat.png").exists()
    label, probability = trace.top(1)[0]
    assert entry["before"]["predictions"][0] == {"label": label, "probability": pytest.approx(probability)}
    with np.load(folder / "arrays.npz") as arrays:
        change = arrays["logits"][trace.logits.argmax()] - trace.logits.max()
    assert entry["before"]["score_change"] == pytest.approx(float(change), abs=1e-3)
    assert any("not the network that was trained" in remark for remark in entry["remarks"])
    rows = rows_of((folder / "channels.csv").read_bytes())
    assert {row[1] for row in rows[1:]} == {f"{network} (changed network)"}
    assert f"in {network} (changed network)" in (folder / "README.txt").read_text(encoding="utf-8")
    with np.load(folder / "arrays.npz") as arrays:
        assert np.abs(arrays["logits"] - trace.logits).max() > 0.1
    assert reproduce.main(folder, []) == 0 and "arrays: " in capsys.readouterr().out


PATCH = """(layer) => {
  const { viewer } = attnviz;
  viewer.change({ ...viewer.edits(), [layer]: [{ edit: 'patch', photo: 'example:cat' }] });
}"""


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))


def assert_same_table(found: bytes, expected: bytes) -> None:
    ours, theirs = rows_of(found), rows_of(expected)
    assert len(ours) == len(theirs) and ours[0] == theirs[0]
    for one, other in zip(ours[1:], theirs[1:]):
        for cell, wanted in zip(one, other, strict=True):
            try:
                assert float(cell) == pytest.approx(float(wanted), rel=1e-4, abs=2e-5)
            except ValueError:
                assert cell == wanted


def test_the_numbers_of_a_figure_are_in_the_librarys_tables(opened):
    layer = "layer3.0"
    page = opened(f"network=cbam_resnet18&photo=temple&layer={layer}&channel=9")
    expect(page.locator("[data-menu=take-channel]")).to_be_visible()
    network = attnviz.load("cbam_resnet18")
    trace = attnviz.trace(network, EXAMPLES_FOLDER / "temple.jpg")
    features = attnviz.features(network, EXAMPLES_FOLDER / "temple.jpg", layer)
    attention, channel = trace.layers[layer], Channel(layer, 9, features.before[9], features.after[9])
    expected = {
        "map": tables.map_table(attention),
        "channels": tables.weights_table(attention),
        "channel": tables.channel_table(attention, channel),
        "steps": tables.steps_table(attention),
        "answer": tables.answers_table(trace),
    }
    for figure, content in expected.items():
        open_menu(page, f"take-{figure}")
        path = saved(page, lambda: page.locator("[data-take=csv]:visible").click())
        assert_same_table(path.read_bytes(), content)
        expect(page.locator("[data-take=pdf]")).to_have_count(0)


def test_comparisons_are_saved_with_all_that_is_compared(opened, tmp_path):
    page = opened("network=cbam_resnet18&tab=networks")
    nothing_is_on_its_way(page)
    with zipfile.ZipFile(saved(page, lambda: save(page, "screen"))) as archive:
        names = archive.namelist()
    assert {f"temple-{name}/arrays.npz" for name in NETWORKS} < {*names} and "networks.png" in names
    control(page, "tab-photos").click()
    nothing_is_on_its_way(page)
    networks = {name: attnviz.load(name) for name in NETWORKS}
    layer = page.evaluate("attnviz.viewer.state.layer")
    photos = [name.removeprefix("example:") for name in page.evaluate("attnviz.viewer.state.photos")]
    traces = [attnviz.trace(networks["cbam_resnet18"], EXAMPLES_FOLDER / f"{name}.jpg") for name in photos]
    for figure, content in {
        "photos": tables.layers_table([(trace, tuple(trace.layers)) for trace in traces]),
        "spread": tables.photos_table(traces, layer),
    }.items():
        open_menu(page, f"take-{figure}")
        path = saved(page, lambda: page.locator("[data-take=csv]:visible").click())
        assert_same_table(path.read_bytes(), content)


def test_what_a_page_without_a_server_does_not_draw_is_not_offered(opened):
    page = opened()
    open_menu(page, "save")
    for what, count in {"screen": 1, "all": 1, "page": 1, "paper": 0}.items():
        expect(page.locator(f"[data-save={what}]")).to_have_count(count)


@pytest.mark.parametrize("form", ["page", "page.html"], ids=["folder", "one file"])
def test_a_page_is_saved_that_opens_alone_as_it_was_set(browser, open_file, tmp_path, form):
    out = tmp_path / form
    write_site(SitePlan(("bam_resnet18",)), out)
    with handing_out(tmp_path) as address:
        page = browser.new_page(locale="en-US")
        query = "?layer=bam2&channel=12&colours=magma&photo=springer" if form == "page" else ""
        page.goto(f"{address}{form}{query}")
        wait_until_drawn(page)
        content = saved(page, lambda: save(page, "page")).read_bytes()
        asked = page.evaluate("[attnviz.viewer.trace.photo.name, attnviz.viewer.state]")
        shown = page.evaluate("attnviz.viewer.trace.layers.map(({ map }) => [...map.values])")
        page.close()
    copy = tmp_path / "saved.html"
    copy.write_bytes(content)
    opened = open_file(copy)
    wait_until_drawn(opened)
    name, state = opened.evaluate("[attnviz.viewer.trace.photo.name, attnviz.viewer.state]")
    assert name == asked[0] and opened.title() == f"{name} · BAM ResNet-18 – attnviz"
    expect(opened.locator(".av-heading")).to_contain_text(CREDITS[name])
    nothing = opened.locator(".av-node-nothing")
    assert {*nothing.all_inner_texts()} == {"–"}  # not on its way: the features are not in the page
    for key in ("layer", "channel", "colours", "way", "scale", "order", "tab"):
        assert state[key] == asked[1][key], key
    assert opened.evaluate("attnviz.viewer.trace.layers.map(({ map }) => [...map.values])") == shown


def test_a_network_without_attention_is_saved_too(opened):
    page = opened("network=resnet18")
    with zipfile.ZipFile(saved(page, lambda: save(page, "all"))) as archive:
        assert "photo.png" in archive.namelist()
    after(page, lambda: page.locator("[data-network=bam_resnet18]").first.click())
