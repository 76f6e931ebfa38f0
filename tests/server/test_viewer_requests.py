"""What the page saves: the screen, everything that is compared, and what of a question is not believed."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import PIL.Image
import pytest
from helpers.page_client import TEMPLE

import attnviz
from attnviz.drawing.overlay import Look, overlay
from attnviz.server import page, viewer_requests
from attnviz.server.view_state import channels_of, pairs_of


def bundled(question, tmp_path) -> dict[str, bytes]:
    url = page.save(question)["url"]
    path = Path(url.removeprefix("gradio_api/file="))
    assert path.is_relative_to(tmp_path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_is_on_the_screen_can_be_saved(asked, tmp_path, examples):
    look = {"opacity": 0.3, "colormap": "magma", "scale": "map", "smooth": True, "order": "size"}
    files = bundled(
        {
            "what": "screen",
            "tab": "explore",
            "layer": "bam2",
            "shown": [{**TEMPLE, "network": "bam_resnet18"}],
            "look": look,
        },
        tmp_path,
    )
    assert {
        "bam2.overlay.png",
        "bam2.map.svg",
        "bam2.channels.png",
        "channels.csv",
        "manifest.json",
        "reproduce.py",
    } <= set(files)
    assert not any(name.startswith("bam1") for name in files) and "overview.png" not in files
    settings = json.loads(files["manifest.json"])["settings"]
    assert {**look, "dark": False, "bars": "own range"} == settings
    trace = attnviz.trace(attnviz.fast(attnviz.load("bam_resnet18")), examples / "temple.jpg")
    with np.load(io.BytesIO(files["arrays.npz"])) as arrays:
        np.testing.assert_array_equal(arrays["bam2.spatial"], trace.layers["bam2"].spatial)


def test_everything_that_is_compared_can_be_saved(asked, tmp_path):
    shown = [{**TEMPLE, "network": network} for network in ("cbam_resnet18", "resnet18", "bam_resnet18")]
    files = bundled(
        {"what": "screen", "tab": "networks", "block": "last", "shown": shown, "look": {}}, tmp_path
    )
    manifest = json.loads(files["manifest.json"])
    assert [list(each["layers"]) for each in manifest["traces"]] == [
        ["layer1.1", "layer2.1", "layer3.1", "layer4.1"],
        [],
        ["bam1", "bam2", "bam3"],
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
        assert [each["photo"] for each in json.loads(files["manifest.json"])["beside"]] == [
            each.photo.name for each in spanned
        ]
    assert len(asked) == 3  # on a scale that spans one network no other photo is asked for


def test_the_chosen_channel_is_saved_as_it_is_shown(asked, tmp_path, cbam, examples):
    question = {
        "tab": "explore",
        "layer": "layer4.1",
        "channel": 7,
        "shown": [TEMPLE],
        "look": {"scale": "fixed"},
    }
    files = bundled({**question, "what": "screen"}, tmp_path)
    seen = attnviz.features(attnviz.fast(cbam), examples / "temple.jpg", "layer4.1")
    with np.load(io.BytesIO(files["arrays.npz"])) as arrays:
        assert np.array_equal(arrays["layer4.1.channel-7.before"], seen.before[7])
        assert np.array_equal(arrays["layer4.1.channel-7.after"], seen.after[7])
    assert {"layer4.1.channel-7.png", "layer4.1.channel-7.svg"} <= set(files)
    for channel in (None, -1, 10**6, True, "7", [7], {}, 7.0):
        assert (
            channels_of(viewer_requests.traces.get(viewer_requests._asked(TEMPLE)), "layer4.1", channel) == []
        )
    assert channels_of(viewer_requests.traces.get(viewer_requests._asked(TEMPLE)), ["layer4.1"], 7) == []


def test_the_two_photos_that_are_compared_are_saved(asked, tmp_path, examples):
    shown = [
        {**TEMPLE, "network": "se_resnet18", "photo": f"example:{name}"}
        for name in ("temple", "cat", "flower")
    ]
    question = {
        "what": "screen",
        "tab": "photos",
        "layer": "layer3.1",
        "channel": 3,
        "shown": shown,
        "a": "example:flower",
        "b": None,
    }
    files = bundled({**question, "look": {"scale": "map"}}, tmp_path)
    manifest = json.loads(files["manifest.json"])
    assert manifest["pairs"] == [{"layer": "layer3.1", "a": "flower-se_resnet18/", "b": "cat-se_resnet18/"}]
    assert manifest["settings"]["bars"] == "fixed" and not any("channel-3" in name for name in files)
    network = attnviz.fast(attnviz.load("se_resnet18"))
    a, b = (
        attnviz.trace(network, examples / f"{name}.jpg").layers["layer3.1"].channel
        for name in ("flower", "cat")
    )
    rows = list(csv.DictReader(io.StringIO(files["pair.csv"].decode())))
    assert np.array_equal(np.array([row["difference"] for row in rows], np.float32), b - a)
    assert {"pair.png", "pair.svg"} <= set(files)


def test_two_photos_with_nothing_to_compare_are_no_pair(asked):
    traces = {
        name: viewer_requests.traces.get(viewer_requests._asked({**TEMPLE, "network": name}))
        for name in ("cbam_resnet18", "resnet18")
    }
    cbam, plain = traces["cbam_resnet18"], traces["resnet18"]
    narrow = replace(cbam, layers={"layer3.1": cbam.layers["layer2.1"]})
    for captures in ([], [("a", cbam)], [("a", cbam), ("b", plain)], [("a", cbam), ("b", narrow)]):
        assert pairs_of(captures, "layer3.1", "a", "b", "fixed") == []
    (pair,) = pairs_of([("a", cbam), ("b", narrow), ("c", cbam)], "layer3.1", ["a"], "c", "map")
    assert (pair.a, pair.b, pair.scale) == (cbam, cbam, "map")


@pytest.mark.parametrize(
    "wrong",
    [
        {"look": 3},
        {"look": [1]},
        {"look": {"opacity": 10**400, "scale": [], "order": {}, "colormap": 3, "smooth": "x"}},
        {"look": {"opacity": float("nan")}},
        {"beside": 3, "look": {"scale": "shown"}},
        {"beside": [3, None], "look": {"scale": "shown"}},
        {"tab": [], "layer": {}, "channel": [], "a": {}, "b": [], "block": 3, "what": {}},
        {"tab": "photos", "a": [1], "shown": [TEMPLE, 3]},
    ],
)
def test_what_is_wrong_in_a_question_gives_way_to_what_the_screen_begins_with(asked, wrong, tmp_path):
    files = bundled(
        {"what": "screen", "tab": "explore", "layer": "none", "shown": [TEMPLE], **wrong}, tmp_path
    )
    assert (
        set(files) == {"arrays.npz", "photo.png", "channels.csv", "manifest.json", "reproduce.py"}
        and len(asked) == 1
    )


def test_a_question_asks_for_so_many_captures_and_no_more(asked, monkeypatch):
    monkeypatch.setattr(viewer_requests, "_zipped", lambda files: Path("x"))
    named = [{**TEMPLE, "network": f"x{number}"} for number in range(100)]
    seen = viewer_requests.traces.get(viewer_requests._asked(TEMPLE))
    wanted = []
    monkeypatch.setattr(
        viewer_requests, "traces", SimpleNamespace(get=lambda asked: wanted.append(asked.network) or seen)
    )
    monkeypatch.setattr(viewer_requests, "network_of", lambda name: attnviz.load("cbam_resnet18"))
    page.save({"tab": "explore", "shown": named, "beside": named, "look": {"scale": "shown"}})
    assert len(wanted) == viewer_requests.MOST_SHOWN + viewer_requests.MOST_BESIDE


def test_no_room_is_a_sentence(asked, monkeypatch):
    monkeypatch.setattr(
        viewer_requests.tempfile,
        "mkdtemp",
        lambda **_: (_ for _ in ()).throw(OSError(28, "No space left on device")),
    )
    assert "no room" in page.save({"shown": [TEMPLE]})["error"]
    assert "空间" in page.save({"shown": [TEMPLE], "language": "zh"})["error"]
