"""A viewer's requests are answered with plain values or a sentence, whatever they hold."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers.encoded_captures import unpacked
from helpers.json_values import JSON
from helpers.page_client import TEMPLE
from helpers.waiting import Waiting
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as any_of

import attnviz


@pytest.fixture
def viewer(client):
    return client.viewer


def test_a_channels_features_are_those_of_the_network(viewer, cbam, examples):
    expected = attnviz.features(cbam, examples / "temple.jpg", "layer4.1")
    answer = viewer.channel({**TEMPLE, "layer": "layer4.1", "channel": 7})
    for part, values in (("before", expected.before[7]), ("after", expected.after[7])):
        arrived = unpacked(answer["arrays"])[answer[part]]
        np.testing.assert_allclose(arrived, values, atol=np.ptp(values) / 1e5 + 1e-5)


def test_a_gallery_has_the_features_of_all_channels(viewer, cbam, examples):
    expected = attnviz.features(cbam, examples / "temple.jpg", "layer4.1").before
    answer = viewer.gallery({**TEMPLE, "layer": "layer4.1"})
    arrays = unpacked(answer["arrays"])
    np.testing.assert_allclose(arrays[answer["sizes"]], np.abs(expected).mean((1, 2)), rtol=1e-3)
    assert (len(expected), answer["height"], answer["width"]) == expected.shape
    flat = expected.reshape(len(expected), -1)
    shares = flat / np.abs(flat).max(1, keepdims=True)
    np.testing.assert_allclose(arrays[answer["shares"]], shares, atol=0.01)


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
def test_a_wrong_request_is_answered_with_a_sentence(viewer, wrong, tmp_path):
    request = {**TEMPLE, "layer": "layer4.1", "channel": 7, **wrong}
    answers = [viewer.channel(request)]
    if "channel" not in wrong:
        answers.append(viewer.gallery(request))
    if set(wrong) & {"photo", "network"}:
        answers += [viewer.capture(request), viewer.save({"shown": [request], "what": "all"})]
    for answer in answers:
        assert set(answer) == {"error"}
        said = answer["error"]["en"]
        assert str(tmp_path) not in said and "Something went wrong" not in said


@pytest.mark.parametrize("request_", [None, 3, [], "x", {}, {"shown": 3}, {"shown": [None]}, {"shown": []}])
def test_nonsense_is_answered_too(viewer, request_):
    for answer in (viewer.channel, viewer.gallery, viewer.capture, viewer.save):
        assert set(answer(request_)) == {"error"}


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=JSON, name=any_of.sampled_from(["channel", "gallery", "capture", "save", "progress"]))
def test_whatever_is_asked_is_answered_with_values_or_a_sentence(viewer, uploads, request, name):
    answer = getattr(viewer, name)(request)
    assert isinstance(answer, dict)
    assert "error" not in answer or (set(answer) == {"error"} and str(uploads) not in str(answer))
    json.dumps(answer)


def test_who_comes_when_the_line_is_full_is_told_so_in_every_language(visitor):
    client, began, end = visitor(passes=1, waiting=1), threading.Event(), threading.Event()
    service = client.service

    def hold(_network) -> None:
        began.set()
        assert end.wait(20)

    with ThreadPoolExecutor(4) as pool:
        held = [pool.submit(Waiting(service.inference).forward_pass, "cbam_resnet18", hold) for _ in range(2)]
        assert began.wait(20)
        while len(service.inference.queue) < 1:
            time.sleep(0.001)
        said = client.viewer.capture(TEMPLE)["error"]
        assert "number 2 in the line" in said["en"] and "第 2 位" in said["zh"]
        end.set()
        for done in held:
            done.result(20)
    assert len(client.viewer.capture(TEMPLE)["top"]) == 5


def test_what_nobody_foresaw_is_a_sentence_too(client, caplog, monkeypatch):
    monkeypatch.delattr(client.service.bundles, "_folder")
    answer = client.viewer.save({"shown": [TEMPLE]})
    assert "Something went wrong" in answer["error"]["en"] and "_folder" in caplog.text
