"""The page's handlers and settings, without a browser; tests/browser drives the page itself."""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from helpers.encoded_captures import unpacked
from helpers.page_client import TEMPLE, analysed, capture_of

import attnviz
from attnviz.capture.run import features_of_layers
from attnviz.server import page, viewer_requests
from attnviz.server.components import OpenDropdown, PhotoInput
from attnviz.server.settings import Settings
from attnviz.server.uploads import Results
from attnviz.server.work_queue import Turns


def started(header="", **query) -> dict:
    request = SimpleNamespace(query_params=query, headers={"accept-language": header})
    names = ("photo", "trouble", "error", "current", "value", "network", "opened", "view")
    made = dict(zip(names, page.start([], request), strict=True))
    return made | {"capture": made["value"]["capture"], "language": made["value"]["language"]}


def test_the_first_screen_is_a_worked_example(asked):
    made = started()
    value, capture = made["value"], made["capture"]
    assert (
        capture["photo"]["name"] == "temple.jpg" and capture["asked"]["example"] and value["language"] == "en"
    )
    assert (
        len(capture["layers"]) == 8
        and capture["top"][0][0] == "church"
        and capture["network"]["title"] == "CBAM ResNet-18"
    )
    assert ["se_resnet18", "SE ResNet-18"] in value["networks"] and len(value["examples"]) >= 6


def test_exploring_asks_for_one_forward_pass_and_a_channel_for_one_more(asked):
    capture = started()["capture"]
    page.channel({**capture["asked"], "layer": "layer3.1", "channel": 3})
    page.save(
        {"what": "screen", "tab": "explore", "layer": "layer3.1", "shown": [capture["asked"]], "look": {}}
    )
    assert len(asked) == 1
    page.capture({**TEMPLE, "network": "se_resnet18"})
    page.capture(TEMPLE)
    assert len(asked) == 2


def test_a_link_brings_back_what_it_names_and_nothing_else(asked):
    query = {"network": "bam_resnet18", "photo": "cat", "view": "crop", "layer": "bam2", "channel": "12"}
    made = started(
        **query, tab="photos", photos="cat,coffee,secret", a="coffee", b="secret", block="first", lang="zh"
    )
    capture = made["capture"]
    assert capture["asked"] == {
        "photo": "example:cat",
        "network": "bam_resnet18",
        "view": "crop",
        "example": True,
    }
    assert made["value"]["state"] == {
        "tab": "photos",
        "layer": "bam2",
        "channel": 12,
        "photos": ["example:cat", "example:coffee"],
        "a": "example:coffee",
        "block": "first",
    }
    assert made["opened"] == "bam_resnet18" and made["view"] == "crop" and made["language"] == "zh"


@pytest.mark.parametrize(
    "query",
    [
        {
            "network": "../../etc/passwd",
            "photo": "../page",
            "view": "x",
            "tab": "admin",
            "channel": "-1",
            "lang": "xx",
            "networks": "a,b",
            "block": "x",
        },
        {
            "network": "yours:guess",
            "photo": "/etc/passwd",
            "channel": "9" * 5000,
            "photos": "upload:x",
            "a": "upload:x",
            "b": "../page",
        },
        {"network": "timm/resnet50.a1_in1k"},
    ],
)
def test_a_link_can_ask_for_nothing_that_is_not_offered(asked, query):
    made = started(**query)
    assert made["capture"]["asked"] == {**TEMPLE, "example": True} and made["value"]["state"] == {}
    assert made["language"] == "en"


def test_chinese_browsers_get_chinese(asked):
    assert started("zh-CN,zh;q=0.9")["language"] == "zh" and started("de,en")["language"] == "en"
    assert started("zh-CN", lang="en")["language"] == "en"


def test_a_channels_features_are_those_of_the_network(asked, examples):
    network = attnviz.load("cbam_resnet18")
    seen = attnviz.features(network, examples / "temple.jpg", "layer4.1")
    answer = page.channel({**TEMPLE, "layer": "layer4.1", "channel": 7})
    for part, values in (("before", seen.before[7]), ("after", seen.after[7])):
        found = unpacked(answer["arrays"])[answer[part]]
        np.testing.assert_allclose(found, values, atol=np.ptp(values) / 1e5 + 1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"layer": "layer9.9"},
        {"channel": 10**6},
        {"channel": -1},
        {"channel": "1"},
        {"network": "../x"},
        {"network": None},
        {"photo": "upload:../../../../etc/passwd"},
        {"photo": "/etc/passwd"},
        {"photo": "example:../page"},
        {"photo": "upload:gone/x.png"},
        {"photo": 3},
        {"photo": "upload:"},
    ],
)
def test_a_wrong_question_is_answered_with_a_sentence(asked, wrong, tmp_path):
    question = {**TEMPLE, "layer": "layer4.1", "channel": 7, **wrong}
    answers = [page.channel(question)]
    if set(wrong) & {"photo", "network"}:
        answers += [page.capture(question), page.save({"shown": [question], "what": "all"})]
    for answer in answers:
        assert (
            set(answer) == {"error"}
            and str(tmp_path) not in answer["error"]
            and "Something went wrong" not in answer["error"]
        )


@pytest.mark.parametrize("question", [None, 3, [], "x", {}, {"shown": 3}, {"shown": [None]}, {"shown": []}])
def test_nonsense_is_answered_too(asked, question):
    for function in (page.channel, page.capture, page.save):
        assert set(function(question)) == {"error"}


def test_an_upload_is_named_without_its_folder_and_found_again(asked, noise_file, uploads):
    about = capture_of(noise_file)["asked"]
    assert re.fullmatch(r"upload:[\w-]{22}/noise\.png", about["photo"]) and not about["example"]
    again = page.capture(about)
    assert again["photo"]["name"] == "noise.png" and len(asked) == 1
    assert str(uploads) not in json.dumps(again)


def test_what_is_no_upload_can_not_be_asked_for_by_its_path(asked, noise_file, tmp_path):
    for path in (
        noise_file,
        "/etc/passwd",
        tmp_path / "uploads",
        tmp_path / "uploads" / ".." / noise_file.name,
    ):
        with pytest.warns(UserWarning, match="no longer here"):
            made = page.analyse_upload(str(path), "cbam_resnet18", "whole", [], "en", [])
        assert made[3] == gr.skip() and made[5] == []


def test_the_same_file_of_two_visitors_is_two_and_what_one_deletes_the_other_keeps(asked, noise_file):
    mine, theirs = (analysed(noise_file) for _ in range(2))
    assert mine["current"] != theirs["current"]
    made = page.delete_mine("whole", [], "en", mine["sent"])
    assert "error" in page.capture({**TEMPLE, "photo": mine["current"]})
    assert page.capture({**TEMPLE, "photo": theirs["current"]})["photo"]["name"] == "noise.png"
    assert made[0] is None and made[3] == "example:temple" and made[4]["forget"] and made[-1] == []


def test_a_photos_hour_begins_anew_when_it_is_used(asked, noise_file):
    photo = analysed(noise_file)["current"]
    path = Path(viewer_requests.path_of(photo))
    os.utime(path, (0, 0))
    page.capture({**TEMPLE, "photo": photo})
    assert path.stat().st_mtime > 10**9


def test_a_pass_that_takes_too_long_is_ended_and_the_next_one_runs(asked, noise_file, monkeypatch):
    monkeypatch.setattr(viewer_requests, "turns", Turns(1))
    monkeypatch.setattr(viewer_requests, "settings", replace(viewer_requests.settings, seconds=-1))
    with pytest.warns(UserWarning, match="was stopped"):
        analysed(noise_file)
    monkeypatch.setattr(viewer_requests, "settings", replace(viewer_requests.settings, seconds=30))
    assert len(capture_of(noise_file)["top"]) == 5
    ran = viewer_requests.forward_pass("cbam_resnet18", lambda own: own)
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in ran.modules())


def test_two_passes_run_through_one_network_at_once_on_its_one_set_of_weights(asked, monkeypatch):
    monkeypatch.setattr(viewer_requests, "turns", Turns(2))
    both = threading.Barrier(2)

    def passes(own):
        both.wait(20)  # breaks where the other has to wait for this one's end
        return own

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: viewer_requests.forward_pass("cbam_resnet18", passes), range(2))
    opened = page.network_of("cbam_resnet18")
    assert len({first, second, opened}) == 3
    for one, other, same in zip(
        first.state_dict().values(), second.state_dict().values(), opened.state_dict().values()
    ):
        assert one.data_ptr() == other.data_ptr() == same.data_ptr()


def test_photos_are_as_large_as_the_settings_say(asked, noise_file, tmp_path, monkeypatch, uploads):
    monkeypatch.setattr(viewer_requests, "settings", replace(viewer_requests.settings, photo_mb=1))
    large = tmp_path / "large.png"
    large.write_bytes(noise_file.read_bytes() + b" " * 1_000_000)
    with pytest.warns(UserWarning, match="“large.png” is larger than 1 MB"):
        analysed(large)
    assert [path for path in uploads.rglob("*") if path.is_file()] == []


def test_who_comes_when_the_line_is_full_is_told_a_number(asked, monkeypatch):
    monkeypatch.setattr(viewer_requests, "turns", Turns(1, 0))
    with viewer_requests.turns.turn():
        assert "busy: you would be number 1" in page.capture(TEMPLE)["error"]
        assert "第 1 位" in page.capture({**TEMPLE, "language": "zh"})["error"]
    assert len(page.capture(TEMPLE)["top"]) == 5


def test_a_bad_photo_is_one_sentence_without_a_path(asked, tmp_path):
    bad = tmp_path / "<img src=x onerror=alert(1)>.png"
    bad.write_text("no picture")
    with pytest.warns(UserWarning, match="not a picture"):
        shown = analysed(bad)
    said = shown["trouble"].value
    assert "not a picture" in said and "<" not in said and str(tmp_path) not in said
    assert shown["photo"] is None and shown["value"] == shown["current"] == gr.skip()
    with pytest.warns(UserWarning, match="deleted after 60 min"):
        assert "deleted after 60 min" in analysed(tmp_path / "gone.png")["trouble"].value
    with pytest.warns(UserWarning, match="图片"):
        assert "图片" in analysed(bad, language="zh")["trouble"].value


def test_what_nobody_foresaw_is_a_sentence_too(asked, examples, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(viewer_requests, "trace", broken)
    with pytest.warns(UserWarning, match="Something went wrong"):
        said = analysed(examples / "cat.jpg")["trouble"].value
    assert "secret" not in said and "secret detail" in caplog.text
    monkeypatch.setattr(viewer_requests, "bundled", broken)
    assert "Something went wrong" in page.save({"shown": [TEMPLE]})["error"]


def test_every_language_says_everything_that_the_page_draws(asked):
    built = page.build()
    outputs = next(function for function in built.fns.values() if function.fn is page.speak).outputs
    for language in ("en", "zh"):
        words = page.speak(language, Settings(), [])
        assert len(words) == len(outputs) and words[0] == language


def test_a_message_follows_the_language(asked, tmp_path):
    bad = tmp_path / "<b>&holiday.png"
    bad.write_text("no picture")
    with pytest.warns(UserWarning, match="not a picture"):
        made = analysed(bad)
    error = made["error"]
    assert error.__traceback__ is None
    *_, photo, network = page.speak("zh", Settings(), [], error, None)
    assert (
        "不是这里能打开的图片" in photo.value
        and "holiday.png" in photo.value
        and "<" not in photo.value
        and network == gr.skip()
    )
    *_, photo, network = page.speak("en", Settings(), [], None, error)
    assert network.value == made["trouble"].value and photo == gr.skip()


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
    assert (
        OpenDropdown(["bam1", "bam2"]).preprocess("layer4.0") == "layer4.0"
        and OpenDropdown([]).preprocess(["layer4.0"]) is None
    )


def test_six_or_more_examples_are_there_and_their_sources_are_named(examples):
    sources = (examples.parent / "SOURCES.md").read_text(encoding="utf-8")
    assert len(page.EXAMPLES) >= 6
    assert {path.stem for path in examples.iterdir()} == set(page.EXAMPLES)
    for name in page.EXAMPLES:
        assert f"`{name}.jpg`" in sources


def test_only_the_api_is_in_the_api():
    shown = [
        function
        for function in page.build().fns.values()
        if function.fn and function.api_visibility != "private"
    ]
    assert {function.api_name for function in shown} == {
        "list_networks",
        "list_layers",
        "explain",
        "layer_gates",
        "bundle",
    }


def test_all_channels_of_a_small_network_cost_one_more_pass_of_a_large_one_one_a_layer(asked, monkeypatch):
    passes = []
    monkeypatch.setattr(
        viewer_requests,
        "features_of_layers",
        lambda *given: passes.append(given[2]) or features_of_layers(*given),
    )
    for kept in (viewer_requests.TOGETHER_BYTES, 1000):
        monkeypatch.setattr(viewer_requests, "TOGETHER_BYTES", kept)
        monkeypatch.setattr(
            viewer_requests, "layers_features", Results(viewer_requests.compute_features, lambda _: 0)
        )
        for layer in ("layer1.0", "layer4.1", "layer1.0"):
            answer = page.channel({**TEMPLE, "layer": layer, "channel": 2})
            found = attnviz.features(
                page.network_of("cbam_resnet18"), page.EXAMPLES_FOLDER / "temple.jpg", layer
            )
            after = unpacked(answer["arrays"])[answer["after"]]
            np.testing.assert_allclose(after, found.after[2], atol=np.ptp(found.after[2]) / 1e4 + 1e-5)
    assert [len(layers) for layers in passes] == [8, 1, 1]
