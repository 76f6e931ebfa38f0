"""The page's handlers and settings, without a browser; tests/browser drives the page itself."""

from __future__ import annotations

import asyncio
import zipfile
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import torch
from conftest import stirred

import attnviz
from attnviz import page
from attnviz.uploads import Traces
from attnviz.viewer.inputs import OpenDropdown, PhotoInput

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
        for look in (LOOK, (0.2, "jet", "map", True, "size", True)):
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
    assert {"overview.png", "bam2.overlay.png", "bam1.channels.png", "channels.csv", "arrays.npz", "manifest.json"} <= names


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
    stale = OpenDropdown(["bam1", "bam2"]).preprocess("layer4.0")
    assert stale == "layer4.0" and OpenDropdown([]).preprocess(["layer4.0"]) is None
    for layer in (stale, None, "../../etc/passwd"):
        drawn = page.redraw(str(examples / "cat.jpg"), "bam_resnet18", "whole", layer, *LOOK)
        assert drawn[0].alt_text.startswith("Heat map of bam3") and "BAM weighs" in drawn[-1]


def test_six_or_more_examples_are_there_and_their_sources_are_named(examples):
    sources = (examples.parent / "SOURCES.md").read_text(encoding="utf-8")
    assert len(page.EXAMPLES) >= 6
    assert {path.stem for path in examples.iterdir()} == set(page.EXAMPLES)
    for name in page.EXAMPLES:
        assert f"`{name}.jpg`" in sources


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    torch.save({"state_dict": stirred(18, "cbam").state_dict(), "epoch": 3}, tmp_path / "mine <b>.pth")
    return tmp_path / "mine <b>.pth"


def opened_yours(checkpoint, labels=None, mine=(), limit=10**9) -> dict:
    made = page.open_yours(checkpoint and str(checkpoint), labels and str(labels), "cbam_resnet18", list(mine), limit)
    return dict(zip(("network", "opened", "mine", "trouble"), made, strict=True))


def test_a_checkpoint_is_opened_offered_and_shown(asked, examples, checkpoint, tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\nthe <e>\n", encoding="utf-8")
    made = opened_yours(checkpoint, tmp_path / "labels.txt")
    name = made["opened"]
    assert made["network"].value == name and made["mine"] == [("mine <b>.pth: CBAM ResNet-18 — yours", name)]
    assert made["network"].choices[-1] == made["mine"][0] and len(made["network"].choices) > 15
    shown = analysed(examples / "cat.jpg", name)
    assert set(shown["says"]) == {"a", "b", "c", "d", "the <e>"} and shown["layer"].value == "layer4.0"


def test_a_checkpoint_that_can_not_be_opened_leaves_the_network_before(asked, checkpoint, tmp_path):
    with pytest.warns(UserWarning, match="limit|bytes|MB"):
        made = opened_yours(checkpoint, limit=1000)
    assert made["opened"] == "cbam_resnet18" and made["network"] == gr.skip() and made["mine"] == []
    said = made["trouble"].value
    assert "mine" in said and "<b>" not in said and str(tmp_path) not in said
    (tmp_path / "labels.txt").write_text("a\nb\n", encoding="utf-8")
    with pytest.warns(UserWarning, match="2 labels"):
        opened_yours(checkpoint, tmp_path / "labels.txt")
    with pytest.warns(UserWarning):
        assert "plain ResNet-18" in opened_yours(saved(stirred(18, None), tmp_path))["trouble"].value
    assert opened_yours(None)["trouble"] == gr.skip()


def saved(network, folder) -> Path:
    torch.save(network.state_dict(), folder / "plain.pth")
    return folder / "plain.pth"


def test_a_deleted_checkpoint_is_gone_although_its_network_was_open(asked, examples, checkpoint):
    name = opened_yours(checkpoint)["opened"]
    analysed(examples / "cat.jpg", name)
    checkpoint.unlink()
    with pytest.warns(UserWarning, match="deleted after an hour"):
        analysed(examples / "coffee.jpg", name)
    page.expire()
    assert name not in page.picker.shelf.names()


@pytest.mark.parametrize("name", ["yours:guess", "../../etc/passwd", "models/cbam_resnet18", "timm/resnet50.a1_in1k", "", "x" * 10_000])
def test_what_is_not_offered_is_not_opened(asked, name):
    with pytest.warns(UserWarning):
        network, opened, trouble = page.fetch(name, "se_resnet18", [])
    assert network.value == opened == "se_resnet18" and trouble.visible and "<" not in trouble.value.replace("**", "")


def test_a_download_that_fails_is_a_sentence_and_the_page_goes_on(asked, examples, monkeypatch):
    def fails(name, report):
        report(1_000_000, 50_000_000)
        raise attnviz.NetworkError("github.com could not be reached: the networks that come with attnviz work without a connection.")

    monkeypatch.setattr(page.picker, "load", lambda name, report: fails(name, report))
    with pytest.warns(UserWarning, match="could not be reached"):
        network, opened, trouble = page.fetch("pytorchcv/cbam_resnet50", "cbam_resnet18", [])
    assert opened == network.value == "cbam_resnet18" and "could not be reached" in trouble.value
    assert len(analysed(examples / "cat.jpg")["says"]) == 5


def test_a_network_of_fixed_size_gets_a_crop_and_the_page_says_so(asked, examples, monkeypatch):
    network = attnviz.load("cbam_resnet18")
    network.card = replace(network.card, sides=(193, 224))
    monkeypatch.setattr(page, "network_of", lambda name: network)
    title = analysed(examples / "temple.jpg")["title"]
    assert "centre crop at 224 × 224 pixels" in title and "cropped to fit" in title
    assert "cropped to fit" not in analysed(examples / "temple.jpg", view="crop")["title"]


def test_the_picker_has_the_three_sources():
    titles = [title for title, _ in page.picker.choices([("m.pth: SE ResNet-18 — yours", "yours:x")])]
    assert titles[0] == "CBAM ResNet-18 — comes with attnviz" and titles[-1].endswith("yours")
    assert sum("— ImageNet, " in title for title in titles) == len(attnviz.list_networks("imagenet")) >= 17
    assert any("downloads 1" in title and "MB" in title for title in titles)


def test_every_event_is_hidden_from_the_api():
    built = page.build()
    assert all(function.api_visibility == "private" for function in built.fns.values() if function.fn)
