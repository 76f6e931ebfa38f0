"""What a page opens with and what a visitor brings, asked as the app asks; tests/browser drives the page."""

from __future__ import annotations

import base64
import io
import json
import os
import re
from dataclasses import replace

import pytest
from helpers.json_values import JSON
from helpers.page_client import TEMPLE, error_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as any_of
from PIL import Image

from attnviz.server.inference import Compute
from attnviz.server.page import build


def test_the_first_screen_is_a_worked_example_with_all_that_can_be_chosen(client):
    opening = client.ask("start")
    capture = opening["capture"]
    assert capture["photo"]["name"] == "temple.jpg" and capture["asked"]["example"]
    assert len(capture["layers"]) == 8 and capture["top"][0][0] == "church"
    assert capture["network"]["title"] == "CBAM ResNet-18" and opening["trouble"] is None
    embedded = [row for row in opening["networks"] if row["group"] == "embedded"]
    assert [row["attention"] for row in embedded] == ["se", "cbam", "bam", ""]
    assert [row["name"] for row in opening["examples"]] == [
        *("temple.jpg", "springer.jpg", "cat.jpg", "taxis.jpg")
    ]
    assert opening["mine"] == [] and opening["minutes"] == 60


def test_examples_come_with_small_pictures(client):
    for row in client.ask("examples", network="cbam_resnet18")["examples"]:
        content = base64.b64decode(row["thumbnail"].removeprefix("data:image/jpeg;base64,"))
        assert Image.open(io.BytesIO(content)).size == (112, 112) and len(content) < 8_000


def test_the_examples_follow_the_network_and_the_language(client):
    rows = client.ask("examples", network="cbam_resnet18", language="zh")["examples"]
    assert [row["title"] for row in rows] == ["寺庙", "史宾格犬", "猫", "出租车"]
    assert [bool(row["mark"]) for row in rows] == [False, False, True, True]
    assert rows[0]["credit"] == "danielbuechele (CC BY 2.0)"
    rows = client.ask("examples", network="pytorchcv/cbam_resnet50", language="en")["examples"]
    assert rows[0]["title"] == "Pizza"


def test_an_example_that_is_not_there_is_one_sentence(client):
    said = error_of(client.viewer.capture({**TEMPLE, "photo": "example:flower"}))
    assert "no such example photo" in said


def test_exploring_asks_for_one_forward_pass_and_a_channel_for_one_more(client, passes):
    viewer = client.viewer
    capture = client.ask("start")["capture"]
    viewer.channel({**capture["asked"], "layer": "layer3.1", "channel": 3})
    look = {"what": "screen", "tab": "explore", "layer": "layer3.1", "look": {}}
    viewer.save({**look, "shown": [capture["asked"]]})
    assert len(passes.traced) == 1 and len(passes.layers) == 1
    viewer.capture({**TEMPLE, "network": "se_resnet18"})
    viewer.capture(TEMPLE)
    assert len(passes.traced) == 2


def test_a_page_begins_with_what_is_wanted(client):
    wanted = {"photo": "example:cat", "network": "bam_resnet18", "view": "crop"}
    assert client.ask("start", **wanted)["capture"]["asked"] == {**wanted, "example": True}


@pytest.mark.parametrize(
    "wanted",
    [
        {"network": "yours:guess", "photo": "example:../page"},
        {"network": "../../etc/passwd", "view": "x"},
        {"network": "timm/resnet50.a1_in1k"},
        {"network": ["a"], "photo": {"b": 3}, "view": None},
    ],
)
def test_what_is_not_offered_is_not_opened(client, wanted):
    opening = client.ask("start", **wanted)
    assert opening["capture"]["asked"] == {**TEMPLE, "example": True} and opening["trouble"] is None


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("pytorchcv/cbam_resnet50", "CBAM ResNet-50 is not here yet"),
        ("yours:guess", "no longer here: uploads are deleted after 60 min"),
        ("resnet51", "no network called “resnet51”"),
    ],
)
def test_it_is_said_why_another_network_is_shown_than_was_wanted(client, wanted, said):
    note = client.ask("start", network=wanted)["note"]
    assert said in note["en"] and note["en"].endswith("CBAM ResNet-18 is shown.")
    assert "现在显示的是 CBAM ResNet-18" in note["zh"]


def test_nothing_is_said_of_a_network_that_was_not_named_or_is_shown(client):
    for wanted in ({}, {"network": None}, {"network": "bam_resnet18"}):
        assert client.ask("start", **wanted)["note"] is None


def test_a_reload_keeps_what_the_visitor_brought_and_no_other_visitor_gets_it(client, noise_file):
    other = replace(client, session="other")
    photo = client.upload(noise_file)["photo"]
    again = client.ask("start", photo=photo)
    assert again["capture"]["asked"]["photo"] == photo
    assert again["mine"] == [{"photo": photo, "name": "noise.png"}]
    theirs = other.ask("start", photo=photo)
    assert theirs["capture"]["asked"]["photo"] == "example:temple" and theirs["mine"] == []
    assert "no longer here" in theirs["trouble"]["en"]


def test_a_photo_that_is_gone_gives_way_to_an_example_and_that_is_said(visitor, noise_file):
    client = visitor(keep=5)
    photo = client.upload(noise_file)["photo"]
    client.service.photos.path_of(photo).unlink()
    opening = client.ask("start", photo=photo)
    assert opening["capture"]["asked"]["photo"] == "example:temple" and opening["mine"] == []
    assert "deleted after 5 min" in opening["trouble"]["en"] and "5" in opening["trouble"]["zh"]


def test_an_upload_is_named_without_its_folder_and_found_again(client, passes, noise_file):
    about = client.capture_of(noise_file)["asked"]
    assert re.fullmatch(r"upload:[\w-]{22}/noise\.png", about["photo"]) and not about["example"]
    again = client.viewer.capture(about)
    assert again["photo"]["name"] == "noise.png" and len(passes.traced) == 1
    assert str(client.service.folder) not in json.dumps(again)


def test_what_is_no_upload_can_not_be_taken_by_its_path(client, noise_file, uploads):
    for path in ("/etc/passwd", uploads, uploads / ".." / noise_file.name, uploads / "gone.png"):
        assert "no longer here" in error_of(client.ask("add_photo", upload=str(path)))
        assert "no longer here" in error_of(client.ask("add_network", upload=str(path)))


def test_the_same_file_of_two_visitors_is_two_and_what_one_deletes_the_other_keeps(client, noise_file):
    other = replace(client, session="other")
    mine, theirs = client.upload(noise_file), other.upload(noise_file)
    assert mine["photo"] != theirs["photo"]
    client.ask("forget")
    assert error_of(client.viewer.capture({**TEMPLE, "photo": mine["photo"]}))
    capture = client.viewer.capture({**TEMPLE, "photo": theirs["photo"]})
    assert capture["photo"]["name"] == "noise.png"


def test_a_photos_time_begins_anew_when_it_is_used(client, noise_file):
    photo = client.upload(noise_file)["photo"]
    path = client.service.photos.path_of(photo)
    os.utime(path, (0, 0))
    client.viewer.capture({**TEMPLE, "photo": photo})
    assert path.stat().st_mtime > 10**9


def test_a_bad_photo_is_one_sentence_in_every_language_without_a_path(client, tmp_path):
    bad = tmp_path / "holiday.png"
    bad.write_text("no picture")
    answer = client.upload(bad)
    assert "not a picture" in error_of(answer) and "图片" in error_of(answer, "zh")
    assert str(tmp_path) not in str(answer)


def test_what_nobody_foresaw_is_a_sentence_too(visitor, examples, caplog):
    def broken(*_):
        raise RuntimeError("secret detail")

    said = error_of(visitor(compute=Compute(trace=broken)).upload(examples / "cat.jpg"))
    assert "Something went wrong" in said and "secret" not in said and "secret detail" in caplog.text


ASKED = ("start", "networks", "examples", "add_photo", "remove_photo", "add_network", "forget")


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=JSON, name=any_of.sampled_from(ASKED))
def test_whatever_is_asked_is_answered_with_values_or_a_sentence(client, uploads, request, name):
    answer = getattr(client.visits, name)(request)
    assert isinstance(answer, dict)
    assert "error" not in answer or (set(answer) == {"error"} and str(uploads) not in str(answer))
    json.dumps(answer)


def test_only_the_api_is_in_the_api():
    public = [
        function for function in build().fns.values() if function.fn and function.api_visibility != "private"
    ]
    names = {"list_networks", "list_layers", "explain", "layer_gates", "what_if", "bundle"}
    assert {function.api_name for function in public} == names
