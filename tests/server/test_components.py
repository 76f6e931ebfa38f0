"""The page's inputs trust nothing that a browser sends."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import gradio as gr
import pytest

from attnviz.server.components import AttentionViewer, OpenDropdown, PhotoInput
from attnviz.server.routes import SESSION


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


def test_a_choice_of_another_moment_reaches_the_handler():
    assert OpenDropdown(["bam1", "bam2"]).preprocess("layer4.0") == "layer4.0"
    assert OpenDropdown([]).preprocess(["layer4.0"]) is None


class Answers:
    async def channel(self, request, session):
        return {"asked": request, "session": session}

    async def secret(self, request, session):
        raise AssertionError


def test_a_browser_can_call_the_viewers_functions_by_name_and_no_others():
    answers = Answers()
    viewer = AttentionViewer([answers.channel])
    asked = SimpleNamespace(scope={SESSION: "secret"})
    assert asyncio.run(viewer.channel(3, asked)) == {"asked": 3, "session": "secret"}
    assert viewer.channel._is_server_fn
    assert viewer.get_config()["server_fns"] == ["channel"] and not hasattr(viewer, "secret")


def test_the_viewers_value_goes_out_as_text_and_nothing_comes_back():
    viewer = AttentionViewer([])
    assert (
        json.loads(viewer.postprocess({"a": "中"})) == {"a": "中"} and viewer.preprocess('{"a": 1}') is None
    )
