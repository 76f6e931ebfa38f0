"""The page's handlers, without a browser; tests/browser drives the page itself."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest
from helpers.page_client import TEMPLE

from attnviz.errors import PhotoError
from attnviz.server.inference import Compute
from attnviz.server.layout import WORDS
from attnviz.server.page import build


def started(client, header="", **query) -> dict:
    request = SimpleNamespace(query_params=query, headers={"accept-language": header}, session_hash="visitor")
    return client.named(client.handlers.start(request=request))


def test_the_first_screen_is_a_worked_example(client):
    value = started(client)["viewer"]
    capture = value["capture"]
    assert capture["photo"]["name"] == "temple.jpg" and capture["asked"]["example"]
    assert value["language"] == "en" and value["state"] == {}
    assert len(capture["layers"]) == 8 and capture["top"][0][0] == "church"
    assert capture["network"]["title"] == "CBAM ResNet-18"
    assert ["se_resnet18", "SE ResNet-18"] in value["networks"]


def test_exploring_asks_for_one_forward_pass_and_a_channel_for_one_more(client, passes):
    viewer = client.viewer
    capture = started(client)["viewer"]["capture"]
    viewer.channel({**capture["asked"], "layer": "layer3.1", "channel": 3})
    look = {"what": "screen", "tab": "explore", "layer": "layer3.1", "look": {}}
    viewer.save({**look, "shown": [capture["asked"]]})
    assert len(passes.traced) == 1 and len(passes.layers) == 1
    viewer.capture({**TEMPLE, "network": "se_resnet18"})
    viewer.capture(TEMPLE)
    assert len(passes.traced) == 2


def test_a_link_begins_the_page_with_what_it_names(client):
    query = {"network": "bam_resnet18", "photo": "cat", "view": "crop", "layer": "bam2", "lang": "zh"}
    updates = started(client, **query)
    asked = {"photo": "example:cat", "network": "bam_resnet18", "view": "crop", "example": True}
    assert updates["viewer"]["capture"]["asked"] == asked
    assert updates["viewer"]["state"] == {"layer": "bam2"} and updates["viewer"]["language"] == "zh"
    assert updates["network"]["value"] == updates["opened"] == "bam_resnet18" and updates["view"] == "crop"


def test_a_link_to_what_is_not_offered_begins_it_as_ever(client):
    updates = started(client, network="yours:guess", photo="/etc/passwd")
    assert updates["viewer"]["capture"]["asked"] == {**TEMPLE, "example": True}
    assert updates["opened"] == "cbam_resnet18"


def test_an_upload_is_named_without_its_folder_and_found_again(client, passes, noise_file):
    about = client.capture_of(noise_file)["asked"]
    assert re.fullmatch(r"upload:[\w-]{22}/noise\.png", about["photo"]) and not about["example"]
    again = client.viewer.capture(about)
    assert again["photo"]["name"] == "noise.png" and len(passes.traced) == 1
    assert str(client.service.folder) not in json.dumps(again)


def test_what_is_no_upload_can_not_be_asked_for_by_its_path(client, noise_file, uploads):
    for path in ("/etc/passwd", uploads, uploads / ".." / noise_file.name, uploads / "gone.png"):
        with pytest.warns(UserWarning, match="no longer here"):
            updates = client.named(client.handlers.analyse_upload(str(path), "cbam_resnet18", "whole", "en"))
        assert "current" not in updates


def test_the_same_file_of_two_visitors_is_two_and_what_one_deletes_the_other_keeps(client, noise_file):
    other = replace(client, session="other")
    mine, theirs = client.upload(noise_file), other.upload(noise_file)
    assert mine["current"] != theirs["current"]
    updates = client.named(client.handlers.delete_mine("whole", "en"))
    assert "error" in client.viewer.capture({**TEMPLE, "photo": mine["current"]})
    capture = client.viewer.capture({**TEMPLE, "photo": theirs["current"]})
    assert capture["photo"]["name"] == "noise.png"
    assert updates["photo"] is None and updates["current"] == "example:temple"
    assert updates["viewer"]["forget"]


def test_a_photos_time_begins_anew_when_it_is_used(client, noise_file):
    photo = client.upload(noise_file)["current"]
    path = client.service.photos.path_of(photo)
    os.utime(path, (0, 0))
    client.viewer.capture({**TEMPLE, "photo": photo})
    assert path.stat().st_mtime > 10**9


def test_a_bad_photo_is_one_sentence_without_a_path(client, visitor, tmp_path):
    bad = tmp_path / "<img src=x onerror=alert(1)>.png"
    bad.write_text("no picture")
    with pytest.warns(UserWarning, match="not a picture"):
        updates = client.upload(bad)
    said = updates["trouble"]["value"]
    assert "not a picture" in said and "<" not in said and str(tmp_path) not in said
    assert updates["trouble"]["visible"] and updates["photo"] is None
    assert not {"viewer", "current"} & updates.keys()
    with pytest.warns(UserWarning, match="图片"):
        assert "图片" in visitor(language="zh").upload(bad)["trouble"]["value"]


def test_a_photo_that_is_gone_is_told_with_the_time_of_the_settings(visitor, tmp_path):
    with pytest.warns(UserWarning, match="deleted after 5 min"):
        assert "deleted after 5 min" in visitor(keep=5).upload(tmp_path / "gone.png")["trouble"]["value"]


def test_what_nobody_foresaw_is_a_sentence_too(visitor, examples, caplog):
    def broken(*_):
        raise RuntimeError("secret detail")

    with pytest.warns(UserWarning, match="Something went wrong"):
        said = visitor(compute=Compute(trace=broken)).upload(examples / "cat.jpg")["trouble"]["value"]
    assert "secret" not in said and "secret detail" in caplog.text


def test_every_language_says_everything_that_the_page_draws(client):
    names = {component: key for component, _, key in WORDS}
    for language in ("en", "zh"):
        updates = client.named(client.handlers.speak(language, "se_resnet18", None, None))
        assert updates["language"]["value"] == language and names.keys() <= updates.keys()
    english, chinese = (
        client.named(client.handlers.speak(language, "se_resnet18", None, None)) for language in ("en", "zh")
    )
    assert all(english[name] != chinese[name] for name in (*names, "heading", "switch"))


def test_what_is_spoken_is_what_the_event_gives_out(client):
    on = client.components
    spoken = [*on.spoken(), on.credits, on.network_note, on.other, on.trouble, on.network_trouble]
    updates = client.handlers.speak("zh", "se_resnet18", None, None)
    assert {component._id for component in updates} == {component._id for component in spoken}


def test_a_message_follows_the_language(client, tmp_path):
    bad = tmp_path / "<b>&holiday.png"
    bad.write_text("no picture")
    with pytest.warns(UserWarning, match="not a picture"):
        updates = client.upload(bad)
    error = updates["error"]
    assert isinstance(error, PhotoError) and error.__traceback__ is None
    chinese = client.named(client.handlers.speak("zh", "se_resnet18", error, None))
    assert "是文本" in chinese["trouble"]["value"] and "holiday.png" in chinese["trouble"]["value"]
    assert "<" not in chinese["trouble"]["value"] and "network_trouble" not in chinese
    english = client.named(client.handlers.speak("en", "se_resnet18", None, error))
    assert english["network_trouble"] == updates["trouble"] and "trouble" not in english


def thumbnail(name: str) -> SimpleNamespace:
    """That the example with this file is chosen, as Gradio tells it."""
    return SimpleNamespace(index=0, value={"image": {"orig_name": name, "url": f"x/{name}"}, "caption": ""})


def test_an_example_that_is_chosen_is_analysed_whatever_network_is_chosen_meanwhile(client):
    for name in ("cat", "pizza"):
        event = thumbnail(f"{name}.jpg")
        updates = client.named(client.handlers.analyse_example("se_resnet18", "whole", "en", event))
        assert updates["current"] == f"example:{name}"
        assert updates["viewer"]["capture"]["photo"]["name"] == f"{name}.jpg"


@pytest.mark.parametrize("value", [None, {}, {"image": None}, "x", thumbnail("flower.jpg").value])
def test_an_example_that_is_not_there_is_one_sentence(client, value):
    event = SimpleNamespace(index=0, value=value)
    with pytest.warns(UserWarning, match="no such example photo"):
        updates = client.named(client.handlers.analyse_example("se_resnet18", "whole", "en", event))
    assert not {"viewer", "current"} & updates.keys()


def test_the_examples_follow_the_network_and_the_language(client):
    value = started(client)["viewer"]
    assert [row["name"] for row in value["examples"]] == [
        *("temple.jpg", "springer.jpg", "cat.jpg", "taxis.jpg")
    ]
    updates = client.named(client.handlers.speak("zh", "cbam_resnet18", None, None))
    assert [row["title"] for row in updates["examples"]["value"]] == ["寺庙", "史宾格犬", "猫", "出租车"]
    assert "danielbuechele (CC BY 2.0)" in updates["credits"]["value"]
    updates = client.named(client.handlers.speak("en", "pytorchcv/cbam_resnet50", None, None))
    assert updates["examples"]["value"][0]["title"] == "Pizza"


def test_only_the_api_is_in_the_api():
    public = [
        function for function in build().fns.values() if function.fn and function.api_visibility != "private"
    ]
    names = {"list_networks", "list_layers", "explain", "layer_gates", "bundle"}
    assert {function.api_name for function in public} == names


def test_a_skipped_handler_changes_nothing(client):
    assert client.handlers.open_yours(None, None, [], "en") == gr.skip()
