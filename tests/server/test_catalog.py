"""The networks that a page offers: those that come with attnviz, those that are downloaded, and a visitor's
own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import torch
from helpers.page_client import TEMPLE, analysed, arrived, capture_of
from helpers.small_networks import stirred

import attnviz
from attnviz.server import page, viewer_requests
from attnviz.server.settings import Settings


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    torch.save({"state_dict": stirred(18, "cbam").state_dict(), "epoch": 3}, tmp_path / "mine <b>.pth")
    return tmp_path / "mine <b>.pth"


def saved(network, folder) -> Path:
    torch.save(network.state_dict(), folder / "plain.pth")
    return folder / "plain.pth"


def opened_yours(checkpoint, labels=None, mine=(), limit=10**9) -> dict:
    made = page.open_yours(
        checkpoint and arrived(checkpoint),
        labels and arrived(labels),
        "cbam_resnet18",
        list(mine),
        "en",
        limit,
    )
    return dict(zip(("network", "opened", "mine", "trouble", "error"), made, strict=True))


def test_a_checkpoint_is_opened_offered_and_shown(asked, examples, checkpoint, tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\nthe <e>\n", encoding="utf-8")
    made = opened_yours(checkpoint, tmp_path / "labels.txt")
    name = made["opened"]
    assert made["network"].value == name and made["mine"] == [("mine <b>.pth: CBAM ResNet-18", name)]
    assert (
        made["network"].choices[-1] == ("mine <b>.pth: CBAM ResNet-18 — yours", name)
        and len(made["network"].choices) > 15
    )
    value = analysed(examples / "cat.jpg", name, mine=made["mine"])["value"]
    assert {label for label, _ in value["capture"]["top"]} == {"a", "b", "c", "d", "the <e>"}
    assert [name, "mine <b>.pth: CBAM ResNet-18"] in value["networks"]


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


def test_a_deleted_checkpoint_is_gone_although_its_network_was_open(asked, examples, checkpoint):
    name = opened_yours(checkpoint)["opened"]
    analysed(examples / "cat.jpg", name)
    page.catalog.checkpoints.get(name).path.unlink()
    with pytest.warns(UserWarning, match="deleted after 60 min"):
        analysed(examples / "coffee.jpg", name)
    page.catalog.expire()
    assert name not in page.catalog.shelf.names()


def test_delete_leaves_nothing_of_a_visitor(asked, noise_file, checkpoint, uploads):
    photo, network = analysed(noise_file), opened_yours(checkpoint)
    page.channel({**TEMPLE, "photo": photo["current"], "layer": "layer1.0", "channel": 0})
    page.delete_mine("whole", network["mine"], "en", photo["sent"])
    assert [path for path in uploads.rglob("*") if path.is_file()] == []
    assert network["opened"] not in page.catalog.shelf.names()
    token = photo["current"].split("/")[0].removeprefix("upload:")
    assert not any(
        token in kept.photo
        for results in (viewer_requests.traces, viewer_requests.layers_features)
        for kept in results._kept
    )


@pytest.mark.parametrize(
    "name",
    ["yours:guess", "../../etc/passwd", "models/cbam_resnet18", "timm/resnet50.a1_in1k", "", "x" * 10_000],
)
def test_what_is_not_offered_is_not_opened(asked, name):
    with pytest.warns(UserWarning):
        network, opened, trouble, _ = page.fetch(name, "se_resnet18", [], "en")
    assert (
        network.value == opened == "se_resnet18"
        and trouble.visible
        and "<" not in trouble.value.replace("**", "")
    )


def test_a_download_that_fails_is_a_sentence_and_the_page_goes_on(asked, examples, monkeypatch):
    def fails(name, report):
        report(1_000_000, 50_000_000)
        raise attnviz.NetworkError("download_unreachable", host="github.com", title="CBAM ResNet-50")

    monkeypatch.setattr(page.catalog, "load", lambda name, report: fails(name, report))
    with pytest.warns(UserWarning, match="can't be reached"):
        network, opened, trouble, _ = page.fetch("pytorchcv/cbam_resnet50", "cbam_resnet18", [], "en")
    assert opened == network.value == "cbam_resnet18" and "can't be reached" in trouble.value
    assert len(capture_of(examples / "cat.jpg")["top"]) == 5


def test_a_network_of_fixed_size_gets_a_crop_and_the_page_says_so(asked, examples, monkeypatch):
    network = attnviz.load("cbam_resnet18")
    network.card = replace(network.card, sides=(193, 224))
    monkeypatch.setattr(viewer_requests, "network_of", lambda name: network)
    seen = capture_of(examples / "temple.jpg")["seen"]
    assert seen["size"] == [224, 224] and seen["forced"] and not seen["whole"]
    assert not capture_of(examples / "temple.jpg", view="crop")["seen"]["forced"]


def test_the_picker_has_the_three_sources():
    titles = [title for title, _ in page.catalog.choices([("m.pth: SE ResNet-18", "yours:x")])]
    assert titles[0] == "CBAM ResNet-18 — comes with attnviz" and titles[-1] == "m.pth: SE ResNet-18 — yours"
    assert all(
        re.search("[\u4e00-\u9fff]", title)
        for title, _ in page.catalog.choices([("m.pth: SE ResNet-18", "yours:x")], "zh")
    )
    assert sum("— ImageNet, " in title for title in titles) == len(attnviz.list_networks("imagenet")) >= 17
    assert any("downloads 1" in title and "MB" in title for title in titles)


def test_a_public_page_can_do_without_checkpoints():
    built = page.build(Settings(checkpoints=False))
    assert not any(getattr(function.fn, "func", None) is page.open_yours for function in built.fns.values())
    assert any(
        getattr(function.fn, "func", None) is page.open_yours for function in page.build().fns.values()
    )
