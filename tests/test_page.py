"""The page's handlers and settings, without a browser; tests/browser drives the page itself."""

from __future__ import annotations

import asyncio
import zipfile
from pathlib import Path

import gradio as gr
import pytest

from attnviz import page
from attnviz.uploads import Traces
from attnviz.viewer.inputs import LayerInput, PhotoInput

LOOK = (0.6, "viridis", "fixed", False, "index", False)


@pytest.fixture
def asked(monkeypatch) -> list:
    """Every forward pass that the page asks for, in order."""
    passes = []

    def counted(question):
        passes.append(question)
        return page.compute(question)

    monkeypatch.setattr(page, "traces", Traces(counted))
    return passes


def analysed(photo, network="cbam_resnet18", view="whole", layer=None, look=LOOK) -> dict:
    names = (
        "photo", "trouble", "current", "layer", "says", "knows", "title", "map", "no_map", "to_cbam", "map_note", "map_controls", "bars",
        "channel_note", "order", "explained",
    )
    return dict(zip(names, page.analyse(str(photo), network, view, layer, *look), strict=True))


def test_layers_and_looks_never_run_the_network_again(asked, examples):
    photo = str(examples / "cat.jpg")
    analysed(photo)
    for layer in ("layer1.0", "layer2.1", "layer4.1"):
        for look in (LOOK, (0.2, "jet", "stretched", True, "size", True)):
            page.redraw(photo, "cbam_resnet18", "whole", layer, *look)
    page.save(photo, "cbam_resnet18", "whole", "layer1.0", *LOOK)
    analysed(photo, layer="layer2.0")
    assert len(asked) == 1
    analysed(photo, "se_resnet18")
    analysed(photo, view="crop")
    analysed(photo)
    assert len(asked) == 3


def test_the_first_screen_is_a_worked_example(asked, examples):
    shown = analysed(examples / "temple.jpg")
    assert "Example: temple" in shown["title"] and "384 × 256" in shown["title"]
    assert shown["layer"].value == "layer4.0" and len(shown["layer"].choices) == 8
    assert "8 × 12" in {value: title for title, value in shown["layer"].choices}["layer4.0"]
    assert len(shown["says"]) == 5 and "only 10 classes" in shown["knows"]
    assert "not Grad-CAM" in shown["explained"]


def test_se_says_why_there_is_no_map_and_a_plain_network_why_there_is_nothing(asked, examples):
    se = analysed(examples / "cat.jpg", "se_resnet18")
    assert se["map"].alt_text.endswith("without a map.") and "SE weighs channels only" in se["no_map"].value and se["bars"].visible
    plain = analysed(examples / "cat.jpg", "resnet18")
    assert plain["map"].alt_text.endswith("without a map.") and not plain["bars"].visible and len(plain["says"]) == 5


@pytest.mark.parametrize(
    ("before", "network", "after"),
    [
        ("layer2.1", "se_resnet18", "layer2.1"), ("layer2.1", "bam_resnet18", "bam2"), ("bam3", "cbam_resnet18", "layer3.0"),
        (None, "bam_resnet18", "bam3"),
    ],
)
def test_the_layer_stays_or_its_stage_does(asked, examples, before, network, after):
    assert analysed(examples / "cat.jpg", network, layer=before)["layer"].value == after


def test_a_bad_photo_is_one_sentence_without_a_path(asked, tmp_path):
    bad = tmp_path / "<img src=x onerror=alert(1)>.png"
    bad.write_text("no picture")
    with pytest.warns(UserWarning, match="not a picture"):
        shown = analysed(bad)
    said = shown["trouble"].value
    assert "not a picture" in said and "<" not in said and str(tmp_path) not in said
    assert shown["photo"] is None and all(value == gr.skip() for name, value in shown.items() if name not in ("photo", "trouble"))
    with pytest.warns(UserWarning, match="deleted after an hour"):
        assert "deleted after an hour" in analysed(tmp_path / "gone.png")["trouble"].value
        assert page.redraw(str(tmp_path / "gone.png"), "cbam_resnet18", "whole", "layer4.0", *LOOK) == (gr.skip(),) * 9
    with pytest.raises(gr.Error, match="deleted after an hour"):
        page.save(str(tmp_path / "gone.png"), "cbam_resnet18", "whole", "layer4.0", *LOOK)


def test_what_nobody_foresaw_is_a_sentence_too(asked, examples, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(page, "trace", broken)
    with pytest.warns(UserWarning, match="Something went wrong"):
        said = analysed(examples / "cat.jpg")["trouble"].value
    assert "secret" not in said and "secret detail" in caplog.text


def test_a_file_name_can_not_become_markup(asked, noise_file):
    name = noise_file.with_name("<b>x [a](http:b) `c` *d*.png")
    noise_file.rename(name)
    title = analysed(name)["title"]
    for mark in "<>[]`":
        assert mark not in title
    assert title.count("*") == 4   # our own bold


def test_everything_shown_can_be_saved(asked, examples, monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = page.save(str(examples / "cat.jpg"), "bam_resnet18", "whole", "bam2", *LOOK)
    assert Path(path).is_relative_to(tmp_path)
    names = set(zipfile.ZipFile(path).namelist())
    assert {"overview.png", "bam2.overlay.png", "bam1.channels.png", "channels.csv", "arrays.npz", "trace.json"} <= names


def test_pixels_sent_in_place_of_a_file_are_refused():
    payload = gr.Image().data_model(path="x.png", url="data:image/png;base64,AAAA")
    with pytest.raises(gr.Error, match="not an uploaded picture"):
        PhotoInput().preprocess(payload)
    assert PhotoInput().preprocess(None) is None


def test_an_address_in_place_of_a_file_is_refused_and_nothing_is_fetched(monkeypatch):
    fetched = []

    async def fetch(address, **_):
        fetched.append(address)

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_download", fetch)
    for address in ("https://example.org/huge.bin", "HTTP://127.0.0.1/x.png"):
        with pytest.raises(gr.Error, match="an address, not a picture"):
            asyncio.run(PhotoInput().async_move_resource_to_block_cache(address))
    assert fetched == []


def test_a_layer_of_the_network_before_is_resolved_not_refused(asked, examples):
    stale = LayerInput(["bam1", "bam2"]).preprocess("layer4.0")
    assert stale == "layer4.0" and LayerInput([]).preprocess(["layer4.0"]) is None
    for layer in (stale, None, "../../etc/passwd"):
        drawn = page.redraw(str(examples / "cat.jpg"), "bam_resnet18", "whole", layer, *LOOK)
        assert drawn[0].alt_text.startswith("Heat map of bam3") and "BAM weighs" in drawn[-1]


def test_six_or_more_examples_are_there_and_their_sources_are_named(examples):
    sources = (examples.parent / "SOURCES.md").read_text(encoding="utf-8")
    assert len(page.EXAMPLES) >= 6
    assert {path.stem for path in examples.iterdir()} == set(page.EXAMPLES)
    for name in page.EXAMPLES:
        assert f"`{name}.jpg`" in sources


def test_every_event_is_hidden_from_the_api():
    built = page.build()
    assert all(function.api_visibility == "private" for function in built.fns.values() if function.fn)
