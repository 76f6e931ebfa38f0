"""The page's handlers and settings, without a browser; tests/browser drives the page itself."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import os
import re
import shutil
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import PIL.Image
import pytest
import torch
from conftest import stirred
from test_packing import unpacked

import attnviz
from attnviz import page, questions
from attnviz.capture import features_of
from attnviz.render import Look, overlay
from attnviz.screen import channels_of, pairs_of
from attnviz.settings import Settings
from attnviz.turns import Turns
from attnviz.uploads import Results, trace_bytes
from attnviz.viewer.inputs import OpenDropdown, PhotoInput

TEMPLE = {"photo": "example:temple", "network": "cbam_resnet18", "view": "whole"}


@pytest.fixture(autouse=True)
def uploads(monkeypatch, tmp_path) -> Path:
    """The folder of the uploads."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def arrived(path) -> str:
    """A file as Gradio puts it into the uploads: in a folder named after its content."""
    path = Path(path)
    place = questions.uploads_folder() / hashlib.sha256(path.read_bytes()).hexdigest() / path.name
    place.parent.mkdir(exist_ok=True)
    shutil.copyfile(path, place)
    return str(place)


@pytest.fixture
def asked(monkeypatch) -> list:
    """Every forward pass that the page asks for, in order."""
    passes = []

    def counted(question):
        passes.append(question)
        return questions.compute(question)

    monkeypatch.setattr(questions, "traces", Results(counted, trace_bytes))
    return passes


def analysed(photo, network="cbam_resnet18", view="whole", mine=(), language="en") -> dict:
    upload = arrived(photo) if Path(photo).exists() else str(photo)
    made = page.analyse_upload(upload, network, view, list(mine), language, [])
    return dict(zip(("photo", "trouble", "current", "value", "sent"), made, strict=True))


def capture_of(photo, network="cbam_resnet18", view="whole") -> dict:
    return analysed(photo, network, view)["value"]["capture"]


def started(header="", **query) -> dict:
    request = SimpleNamespace(query_params=query, headers={"accept-language": header})
    names = ("photo", "trouble", "current", "value", "network", "opened", "view")
    made = dict(zip(names, page.start([], request), strict=True))
    return made | {"capture": made["value"]["capture"], "language": made["value"]["language"]}


def test_the_first_screen_is_a_worked_example(asked):
    made = started()
    value, capture = made["value"], made["capture"]
    assert capture["photo"]["name"] == "temple.jpg" and capture["asked"]["example"] and value["language"] == "en"
    assert len(capture["layers"]) == 8 and capture["top"][0][0] == "church" and capture["network"]["title"] == "CBAM ResNet-18"
    assert ["se_resnet18", "SE ResNet-18"] in value["networks"] and len(value["examples"]) >= 6


def test_exploring_asks_for_one_forward_pass_and_a_channel_for_one_more(asked):
    capture = started()["capture"]
    page.channel({**capture["asked"], "layer": "layer3.1", "channel": 3})
    page.save({"what": "screen", "tab": "explore", "layer": "layer3.1", "shown": [capture["asked"]], "look": {}})
    assert len(asked) == 1
    page.capture({**TEMPLE, "network": "se_resnet18"})
    page.capture(TEMPLE)
    assert len(asked) == 2


def test_a_link_brings_back_what_it_names_and_nothing_else(asked):
    query = {"network": "bam_resnet18", "photo": "cat", "view": "crop", "layer": "bam2", "channel": "12"}
    made = started(**query, tab="photos", photos="cat,coffee,secret", a="coffee", b="secret", block="first", lang="zh")
    capture = made["capture"]
    assert capture["asked"] == {"photo": "example:cat", "network": "bam_resnet18", "view": "crop", "example": True}
    assert made["value"]["state"] == {
        "tab": "photos", "layer": "bam2", "channel": 12, "photos": ["example:cat", "example:coffee"], "a": "example:coffee",
        "block": "first",
    }
    assert made["opened"] == "bam_resnet18" and made["view"] == "crop" and made["language"] == "zh"


@pytest.mark.parametrize(
    "query",
    [
        {"network": "../../etc/passwd", "photo": "../page", "view": "x", "tab": "admin", "channel": "-1",
         "lang": "xx", "networks": "a,b", "block": "x"},
        {"network": "yours:guess", "photo": "/etc/passwd", "channel": "9" * 5000, "photos": "upload:x", "a": "upload:x", "b": "../page"},
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
        {"layer": "layer9.9"}, {"channel": 10**6}, {"channel": -1}, {"channel": "1"}, {"network": "../x"}, {"network": None},
        {"photo": "upload:../../../../etc/passwd"}, {"photo": "/etc/passwd"}, {"photo": "example:../page"}, {"photo": "upload:gone/x.png"},
        {"photo": 3}, {"photo": "upload:"},
    ],
)
def test_a_wrong_question_is_answered_with_a_sentence(asked, wrong, tmp_path):
    question = {**TEMPLE, "layer": "layer4.1", "channel": 7, **wrong}
    answers = [page.channel(question)]
    if set(wrong) & {"photo", "network"}:
        answers += [page.capture(question), page.save({"shown": [question], "what": "all"})]
    for answer in answers:
        assert set(answer) == {"error"} and str(tmp_path) not in answer["error"] and "Something went wrong" not in answer["error"]


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
    for path in (noise_file, "/etc/passwd", tmp_path / "uploads", tmp_path / "uploads" / ".." / noise_file.name):
        with pytest.warns(UserWarning, match="no longer here"):
            made = page.analyse_upload(str(path), "cbam_resnet18", "whole", [], "en", [])
        assert made[2] == gr.skip() and made[4] == []


def test_the_same_file_of_two_visitors_is_two_and_what_one_deletes_the_other_keeps(asked, noise_file):
    mine, theirs = (analysed(noise_file) for _ in range(2))
    assert mine["current"] != theirs["current"]
    made = page.delete_mine("whole", [], "en", mine["sent"])
    assert "error" in page.capture({**TEMPLE, "photo": mine["current"]})
    assert page.capture({**TEMPLE, "photo": theirs["current"]})["photo"]["name"] == "noise.png"
    assert made[0] is None and made[2] == "example:temple" and made[3]["forget"] and made[-1] == []


def test_delete_leaves_nothing_of_a_visitor(asked, noise_file, checkpoint, uploads):
    photo, network = analysed(noise_file), opened_yours(checkpoint)
    page.channel({**TEMPLE, "photo": photo["current"], "layer": "layer1.0", "channel": 0})
    page.delete_mine("whole", network["mine"], "en", photo["sent"])
    assert [path for path in uploads.rglob("*") if path.is_file()] == []
    assert network["opened"] not in page.picker.shelf.names()
    token = photo["current"].split("/")[0].removeprefix("upload:")
    assert not any(token in kept.photo for results in (questions.traces, questions.layers_features) for kept in results._kept)


def test_a_photos_hour_begins_anew_when_it_is_used(asked, noise_file):
    photo = analysed(noise_file)["current"]
    path = Path(questions.path_of(photo))
    os.utime(path, (0, 0))
    page.capture({**TEMPLE, "photo": photo})
    assert path.stat().st_mtime > 10**9


def test_a_pass_that_takes_too_long_is_ended_and_the_next_one_runs(asked, noise_file, monkeypatch):
    monkeypatch.setattr(questions, "turns", Turns(1))
    monkeypatch.setattr(questions, "settings", replace(questions.settings, seconds=-1))
    with pytest.warns(UserWarning, match="was stopped"):
        analysed(noise_file)
    monkeypatch.setattr(questions, "settings", replace(questions.settings, seconds=30))
    assert len(capture_of(noise_file)["top"]) == 5
    ran = questions.forward_pass("cbam_resnet18", lambda own: own)
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in ran.modules())


def test_two_passes_run_through_one_network_at_once_on_its_one_set_of_weights(asked, monkeypatch):
    monkeypatch.setattr(questions, "turns", Turns(2))
    both = threading.Barrier(2)

    def passes(own):
        both.wait(20)   # breaks where the other has to wait for this one's end
        return own

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: questions.forward_pass("cbam_resnet18", passes), range(2))
    opened = page.network_of("cbam_resnet18")
    assert len({first, second, opened}) == 3
    for one, other, same in zip(first.state_dict().values(), second.state_dict().values(), opened.state_dict().values()):
        assert one.data_ptr() == other.data_ptr() == same.data_ptr()


def test_photos_are_as_large_as_the_settings_say(asked, noise_file, tmp_path, monkeypatch, uploads):
    monkeypatch.setattr(questions, "settings", replace(questions.settings, photo_mb=1))
    large = tmp_path / "large.png"
    large.write_bytes(noise_file.read_bytes() + b" " * 1_000_000)
    with pytest.warns(UserWarning, match="“large.png” is larger than 1 MB"):
        analysed(large)
    assert [path for path in uploads.rglob("*") if path.is_file()] == []


def test_who_comes_when_the_line_is_full_is_told_a_number(asked, monkeypatch):
    monkeypatch.setattr(questions, "turns", Turns(1, 0))
    with questions.turns.turn():
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
    with pytest.warns(UserWarning, match="deleted after an hour"):
        assert "deleted after an hour" in analysed(tmp_path / "gone.png")["trouble"].value
    with pytest.warns(UserWarning, match="图片"):
        assert "图片" in analysed(bad, language="zh")["trouble"].value


def test_what_nobody_foresaw_is_a_sentence_too(asked, examples, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(questions, "trace", broken)
    with pytest.warns(UserWarning, match="Something went wrong"):
        said = analysed(examples / "cat.jpg")["trouble"].value
    assert "secret" not in said and "secret detail" in caplog.text
    monkeypatch.setattr(questions, "bundled", broken)
    assert "Something went wrong" in page.save({"shown": [TEMPLE]})["error"]


def bundled(question, tmp_path) -> dict[str, bytes]:
    url = page.save(question)["url"]
    path = Path(url.removeprefix("gradio_api/file="))
    assert path.is_relative_to(tmp_path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_is_on_the_screen_can_be_saved(asked, tmp_path, examples):
    look = {"opacity": 0.3, "colormap": "magma", "scale": "map", "smooth": True, "order": "size"}
    files = bundled({"what": "screen", "tab": "explore", "layer": "bam2", "shown": [{**TEMPLE, "network": "bam_resnet18"}], "look": look},
                    tmp_path)
    assert {"bam2.overlay.png", "bam2.map.svg", "bam2.channels.png", "channels.csv", "manifest.json", "reproduce.py"} <= set(files)
    assert not any(name.startswith("bam1") for name in files) and "overview.png" not in files
    settings = json.loads(files["manifest.json"])["settings"]
    assert {**look, "dark": False, "bars": "own range"} == settings
    trace = attnviz.trace(attnviz.fast(attnviz.load("bam_resnet18")), examples / "temple.jpg")
    with np.load(io.BytesIO(files["arrays.npz"])) as arrays:
        np.testing.assert_array_equal(arrays["bam2.spatial"], trace.layers["bam2"].spatial)


def test_everything_that_is_compared_can_be_saved(asked, tmp_path):
    shown = [{**TEMPLE, "network": network} for network in ("cbam_resnet18", "resnet18", "bam_resnet18")]
    files = bundled({"what": "screen", "tab": "networks", "block": "last", "shown": shown, "look": {}}, tmp_path)
    manifest = json.loads(files["manifest.json"])
    assert [list(each["layers"]) for each in manifest["traces"]] == [
        ["layer1.1", "layer2.1", "layer3.1", "layer4.1"], [], ["bam1", "bam2", "bam3"],
    ]
    assert manifest["settings"]["scale"] == "shown"
    assert all(f"{each['folder']}photo.png" in files for each in manifest["traces"])


def test_the_scale_of_what_is_shown_spans_what_is_compared(asked, tmp_path, cbam, examples):
    beside = [{**TEMPLE, "photo": f"example:{name}"} for name in ("galaxies", "flower")]
    question = {"what": "screen", "tab": "explore", "layer": "layer2.0", "shown": [TEMPLE], "beside": beside}
    photos = [attnviz.trace(cbam, examples / f"{name}.jpg") for name in ("temple", "galaxies", "flower")]
    for scale, spanned in (("shown", photos[1:]), ("network", ())):
        files = bundled({**question, "look": {"scale": scale}}, tmp_path)
        drawn = np.asarray(PIL.Image.open(io.BytesIO(files["layer2.0.overlay.png"])))
        assert np.array_equal(drawn, np.asarray(overlay(photos[0], "layer2.0", Look(scale=scale), spanned)))
        assert [each["photo"] for each in json.loads(files["manifest.json"])["beside"]] == [each.photo.name for each in spanned]
    assert len(asked) == 3   # on a scale that spans one network no other photo is asked for


def test_the_chosen_channel_is_saved_as_it_is_shown(asked, tmp_path, cbam, examples):
    question = {"tab": "explore", "layer": "layer4.1", "channel": 7, "shown": [TEMPLE], "look": {"scale": "fixed"}}
    files = bundled({**question, "what": "screen"}, tmp_path)
    seen = attnviz.features(attnviz.fast(cbam), examples / "temple.jpg", "layer4.1")
    with np.load(io.BytesIO(files["arrays.npz"])) as arrays:
        assert np.array_equal(arrays["layer4.1.channel-7.before"], seen.before[7])
        assert np.array_equal(arrays["layer4.1.channel-7.after"], seen.after[7])
    assert {"layer4.1.channel-7.png", "layer4.1.channel-7.svg"} <= set(files)
    for channel in (None, -1, 10**6, True, "7", [7], {}, 7.0):
        assert channels_of(questions.traces.get(questions._asked(TEMPLE)), "layer4.1", channel) == []
    assert channels_of(questions.traces.get(questions._asked(TEMPLE)), ["layer4.1"], 7) == []


def test_the_two_photos_that_are_compared_are_saved(asked, tmp_path, examples):
    shown = [{**TEMPLE, "network": "se_resnet18", "photo": f"example:{name}"} for name in ("temple", "cat", "flower")]
    question = {"what": "screen", "tab": "photos", "layer": "layer3.1", "channel": 3, "shown": shown, "a": "example:flower", "b": None}
    files = bundled({**question, "look": {"scale": "map"}}, tmp_path)
    manifest = json.loads(files["manifest.json"])
    assert manifest["pairs"] == [{"layer": "layer3.1", "a": "flower-se_resnet18/", "b": "cat-se_resnet18/"}]
    assert manifest["settings"]["bars"] == "fixed" and not any("channel-3" in name for name in files)
    network = attnviz.fast(attnviz.load("se_resnet18"))
    a, b = (attnviz.trace(network, examples / f"{name}.jpg").layers["layer3.1"].channel for name in ("flower", "cat"))
    rows = list(csv.DictReader(io.StringIO(files["pair.csv"].decode())))
    assert np.array_equal(np.array([row["difference"] for row in rows], np.float32), b - a)
    assert {"pair.png", "pair.svg"} <= set(files)


def test_two_photos_with_nothing_to_compare_are_no_pair(asked):
    traces = {name: questions.traces.get(questions._asked({**TEMPLE, "network": name})) for name in ("cbam_resnet18", "resnet18")}
    cbam, plain = traces["cbam_resnet18"], traces["resnet18"]
    narrow = replace(cbam, layers={"layer3.1": cbam.layers["layer2.1"]})
    for captures in ([], [("a", cbam)], [("a", cbam), ("b", plain)], [("a", cbam), ("b", narrow)]):
        assert pairs_of(captures, "layer3.1", "a", "b", "fixed") == []
    (pair,) = pairs_of([("a", cbam), ("b", narrow), ("c", cbam)], "layer3.1", ["a"], "c", "map")
    assert (pair.a, pair.b, pair.scale) == (cbam, cbam, "map")


@pytest.mark.parametrize("wrong", [
    {"look": 3}, {"look": [1]}, {"look": {"opacity": 10**400, "scale": [], "order": {}, "colormap": 3, "smooth": "x"}},
    {"look": {"opacity": float("nan")}}, {"beside": 3, "look": {"scale": "shown"}}, {"beside": [3, None], "look": {"scale": "shown"}},
    {"tab": [], "layer": {}, "channel": [], "a": {}, "b": [], "block": 3, "what": {}}, {"tab": "photos", "a": [1], "shown": [TEMPLE, 3]},
])
def test_what_is_wrong_in_a_question_gives_way_to_what_the_screen_begins_with(asked, wrong, tmp_path):
    files = bundled({"what": "screen", "tab": "explore", "layer": "none", "shown": [TEMPLE], **wrong}, tmp_path)
    assert set(files) == {"arrays.npz", "photo.png", "channels.csv", "manifest.json", "reproduce.py"} and len(asked) == 1


def test_a_question_asks_for_so_many_captures_and_no_more(asked, monkeypatch):
    monkeypatch.setattr(questions, "_zipped", lambda files: Path("x"))
    named = [{**TEMPLE, "network": f"x{number}"} for number in range(100)]
    seen = questions.traces.get(questions._asked(TEMPLE))
    wanted = []
    monkeypatch.setattr(questions, "traces", SimpleNamespace(get=lambda asked: wanted.append(asked.network) or seen))
    monkeypatch.setattr(questions, "network_of", lambda name: attnviz.load("cbam_resnet18"))
    page.save({"tab": "explore", "shown": named, "beside": named, "look": {"scale": "shown"}})
    assert len(wanted) == questions.MOST_SHOWN + questions.MOST_BESIDE


def test_no_room_is_a_sentence(asked, monkeypatch):
    monkeypatch.setattr(questions.tempfile, "mkdtemp", lambda **_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert "no room" in page.save({"shown": [TEMPLE]})["error"]
    assert "空间" in page.save({"shown": [TEMPLE], "language": "zh"})["error"]


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
        english = analysed(bad)["trouble"].value
    *_, photo, network = page.speak("zh", Settings(), [], english, None)
    assert "不是这里能打开的图片" in photo.value and "holiday.png" in photo.value and "<" not in photo.value and network == gr.skip()
    *_, photo, network = page.speak("en", Settings(), [], None, photo.value)
    assert network.value == english and photo == gr.skip()


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
    assert OpenDropdown(["bam1", "bam2"]).preprocess("layer4.0") == "layer4.0" and OpenDropdown([]).preprocess(["layer4.0"]) is None


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
    made = page.open_yours(checkpoint and arrived(checkpoint), labels and arrived(labels), "cbam_resnet18", list(mine), "en", limit)
    return dict(zip(("network", "opened", "mine", "trouble"), made, strict=True))


def test_a_checkpoint_is_opened_offered_and_shown(asked, examples, checkpoint, tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\nthe <e>\n", encoding="utf-8")
    made = opened_yours(checkpoint, tmp_path / "labels.txt")
    name = made["opened"]
    assert made["network"].value == name and made["mine"] == [("mine <b>.pth: CBAM ResNet-18", name)]
    assert made["network"].choices[-1] == ("mine <b>.pth: CBAM ResNet-18 — yours", name) and len(made["network"].choices) > 15
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


def saved(network, folder) -> Path:
    torch.save(network.state_dict(), folder / "plain.pth")
    return folder / "plain.pth"


def test_a_deleted_checkpoint_is_gone_although_its_network_was_open(asked, examples, checkpoint):
    name = opened_yours(checkpoint)["opened"]
    analysed(examples / "cat.jpg", name)
    page.picker.checkpoints.get(name).path.unlink()
    with pytest.warns(UserWarning, match="deleted after an hour"):
        analysed(examples / "coffee.jpg", name)
    page.picker.expire()
    assert name not in page.picker.shelf.names()


@pytest.mark.parametrize("name", ["yours:guess", "../../etc/passwd", "models/cbam_resnet18", "timm/resnet50.a1_in1k", "", "x" * 10_000])
def test_what_is_not_offered_is_not_opened(asked, name):
    with pytest.warns(UserWarning):
        network, opened, trouble = page.fetch(name, "se_resnet18", [], "en")
    assert network.value == opened == "se_resnet18" and trouble.visible and "<" not in trouble.value.replace("**", "")


def test_a_download_that_fails_is_a_sentence_and_the_page_goes_on(asked, examples, monkeypatch):
    def fails(name, report):
        report(1_000_000, 50_000_000)
        raise attnviz.NetworkError("github.com could not be reached: the networks that come with attnviz work without a connection.")

    monkeypatch.setattr(page.picker, "load", lambda name, report: fails(name, report))
    with pytest.warns(UserWarning, match="could not be reached"):
        network, opened, trouble = page.fetch("pytorchcv/cbam_resnet50", "cbam_resnet18", [], "en")
    assert opened == network.value == "cbam_resnet18" and "could not be reached" in trouble.value
    assert len(capture_of(examples / "cat.jpg")["top"]) == 5


def test_a_network_of_fixed_size_gets_a_crop_and_the_page_says_so(asked, examples, monkeypatch):
    network = attnviz.load("cbam_resnet18")
    network.card = replace(network.card, sides=(193, 224))
    monkeypatch.setattr(questions, "network_of", lambda name: network)
    seen = capture_of(examples / "temple.jpg")["seen"]
    assert seen["size"] == [224, 224] and seen["forced"] and not seen["whole"]
    assert not capture_of(examples / "temple.jpg", view="crop")["seen"]["forced"]


def test_the_picker_has_the_three_sources():
    titles = [title for title, _ in page.picker.choices([("m.pth: SE ResNet-18", "yours:x")])]
    assert titles[0] == "CBAM ResNet-18 — comes with attnviz" and titles[-1] == "m.pth: SE ResNet-18 — yours"
    assert all(re.search("[\u4e00-\u9fff]", title) for title, _ in page.picker.choices([("m.pth: SE ResNet-18", "yours:x")], "zh"))
    assert sum("— ImageNet, " in title for title in titles) == len(attnviz.list_networks("imagenet")) >= 17
    assert any("downloads 1" in title and "MB" in title for title in titles)


def test_only_the_api_is_in_the_api():
    shown = [function for function in page.build().fns.values() if function.fn and function.api_visibility != "private"]
    assert {function.api_name for function in shown} == {"list_networks", "list_layers", "explain", "layer_gates", "bundle"}


def test_a_public_page_can_do_without_checkpoints():
    built = page.build(Settings(checkpoints=False))
    assert not any(getattr(function.fn, "func", None) is page.open_yours for function in built.fns.values())
    assert any(getattr(function.fn, "func", None) is page.open_yours for function in page.build().fns.values())


def test_all_channels_of_a_small_network_cost_one_more_pass_of_a_large_one_one_a_layer(asked, monkeypatch):
    passes = []
    monkeypatch.setattr(questions, "features_of", lambda *given: passes.append(given[2]) or features_of(*given))
    for kept in (questions.TOGETHER_BYTES, 1000):
        monkeypatch.setattr(questions, "TOGETHER_BYTES", kept)
        monkeypatch.setattr(questions, "layers_features", Results(questions.compute_features, lambda _: 0))
        for layer in ("layer1.0", "layer4.1", "layer1.0"):
            answer = page.channel({**TEMPLE, "layer": layer, "channel": 2})
            found = attnviz.features(page.network_of("cbam_resnet18"), page.EXAMPLES_FOLDER / "temple.jpg", layer)
            after = unpacked(answer["arrays"])[answer["after"]]
            np.testing.assert_allclose(after, found.after[2], atol=np.ptp(found.after[2]) / 1e4 + 1e-5)
    assert [len(layers) for layers in passes] == [8, 1, 1]
