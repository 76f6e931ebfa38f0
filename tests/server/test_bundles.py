"""What the page saves: the screen, everything that is compared, and what of a request is not believed."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import PIL.Image
import pytest
from helpers.page_client import TEMPLE

import attnviz
from attnviz.drawing.look import Look
from attnviz.drawing.overlay import overlay
from attnviz.server.inference import Compute
from attnviz.server.shown import MOST_BESIDE, MOST_SHOWN

Saved = Callable[[dict], dict[str, bytes]]


@pytest.fixture
def saved(client, uploads) -> Saved:
    """The files of the zip that a request is answered with."""

    def files(request: dict) -> dict[str, bytes]:
        path = Path(unquote(client.viewer.save(request)["url"].removeprefix("gradio_api/file=")))
        assert path.is_relative_to(uploads)
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    return files


def test_what_is_on_the_screen_can_be_saved(saved, examples):
    look = {"opacity": 0.3, "colormap": "magma", "scale": "map", "smooth": True, "order": "size"}
    look["way"] = "dim"
    shown = [{**TEMPLE, "network": "bam_resnet18"}]
    files = saved({"what": "screen", "tab": "explore", "layer": "bam2", "shown": shown, "look": look})
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


@pytest.mark.slow
def test_everything_that_is_compared_can_be_saved(saved):
    shown = [{**TEMPLE, "network": network} for network in ("cbam_resnet18", "resnet18", "bam_resnet18")]
    request = {"what": "screen", "tab": "networks", "layer": "layer4.1", "shown": shown, "look": {}}
    files = saved({**request, "compared": {"bam_resnet18": "bam2"}})
    manifest = json.loads(files["manifest.json"])
    assert [list(trace["layers"]) for trace in manifest["traces"]] == [
        ["layer4.1"],
        [],
        ["bam2"],
    ]
    assert manifest["settings"]["scale"] == "fixed"
    assert all(f"{trace['folder']}photo.png" in files for trace in manifest["traces"])


def test_the_scale_of_what_is_shown_spans_what_is_compared(saved, passes, cbam, examples):
    beside = [{**TEMPLE, "photo": f"example:{name}"} for name in ("dog", "pizza")]
    request = {"what": "screen", "tab": "explore", "layer": "layer2.0", "shown": [TEMPLE], "beside": beside}
    photos = [attnviz.trace(cbam, examples / f"{name}.jpg") for name in ("temple", "dog", "pizza")]
    for scale, spanned in (("network", ()), ("shown", photos[1:])):
        files = saved({**request, "look": {"scale": scale, "way": "colours"}})
        drawn = np.asarray(PIL.Image.open(io.BytesIO(files["layer2.0.overlay.png"])))
        assert np.array_equal(drawn, np.asarray(overlay(photos[0], "layer2.0", Look(scale=scale), spanned)))
        beside_it = [row["photo"] for row in json.loads(files["manifest.json"])["beside"]]
        assert beside_it == [trace.photo.name for trace in spanned]
        # On a scale that spans one network no other photo is asked for.
        assert len(passes.traced) == (1 if scale == "network" else 3)


def test_the_chosen_channel_is_saved_as_it_is_shown(saved, cbam, examples):
    request = {"tab": "explore", "layer": "layer4.1", "channel": 7, "look": {"scale": "fixed"}}
    files = saved({**request, "what": "screen", "shown": [TEMPLE]})
    features = attnviz.features(attnviz.fast(cbam), examples / "temple.jpg", "layer4.1")
    with np.load(io.BytesIO(files["arrays.npz"])) as arrays:
        assert np.array_equal(arrays["layer4.1.channel-7.before"], features.before[7])
        assert np.array_equal(arrays["layer4.1.channel-7.after"], features.after[7])
    assert {"layer4.1.channel-7.png", "layer4.1.channel-7.svg"} <= set(files)


def test_the_two_photos_that_are_compared_are_saved(saved, examples):
    names = ("temple", "cat", "pizza")
    shown = [{**TEMPLE, "network": "se_resnet18", "photo": f"example:{name}"} for name in names]
    request = {"what": "screen", "tab": "photos", "layer": "layer3.1", "channel": 3, "shown": shown}
    files = saved({**request, "a": "example:pizza", "b": None, "look": {"scale": "map"}})
    manifest = json.loads(files["manifest.json"])
    assert manifest["pairs"] == [{"layer": "layer3.1", "a": "pizza-se_resnet18/", "b": "cat-se_resnet18/"}]
    assert manifest["settings"]["bars"] == "fixed" and not any("channel-3" in name for name in files)
    network = attnviz.fast(attnviz.load("se_resnet18"))
    a, b = (
        attnviz.trace(network, examples / f"{name}.jpg").layers["layer3.1"].channel
        for name in ("pizza", "cat")
    )
    rows = list(csv.DictReader(io.StringIO(files["pair.csv"].decode())))
    np.testing.assert_allclose([float(row["difference"]) for row in rows], b - a, rtol=1e-5, atol=1e-9)
    assert {"pair.png", "pair.svg"} <= set(files)


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
def test_what_is_wrong_in_a_request_gives_way_to_what_the_screen_begins_with(saved, passes, wrong):
    files = saved({"what": "screen", "tab": "explore", "layer": "none", "shown": [TEMPLE], **wrong})
    plain = {"arrays.npz", "photo.png", "channels.csv", "manifest.json", "reproduce.py", "README.txt"}
    assert set(files) == plain
    assert len(passes.traced) == 1


def test_a_request_asks_for_so_many_captures_and_no_more(visitor, cbam, examples):
    traced, trace = [], attnviz.trace(cbam, examples / "temple.jpg")
    compute = Compute(trace=lambda _network, photo, _view: traced.append(photo) or trace)
    client = visitor(compute=compute)
    belongings = client.service.visitors.of(client.session)
    arrived = [client.arrived(examples / "cat.jpg") for _ in range(60)]
    photos = [client.service.photos.take(upload, belongings) for upload in arrived]
    named = [{**TEMPLE, "photo": photo} for photo in photos]
    shown, beside = named[:30], named[30:]
    answer = client.viewer.save(
        {"tab": "explore", "shown": shown, "beside": beside, "look": {"scale": "shown"}}
    )
    assert "url" in answer and len(traced) == MOST_SHOWN + MOST_BESIDE


def test_no_room_is_a_sentence(client, uploads):
    (uploads / "saved").write_text("a file where a folder would have to be")
    assert "no room" in client.viewer.save({"shown": [TEMPLE]})["error"]["en"]
    assert "空间" in client.viewer.save({"shown": [TEMPLE]})["error"]["zh"]


def test_where_the_disk_would_run_full_nothing_is_saved_and_no_stump_stays(visitor, uploads):
    client = visitor(free_mb=10_000_000)
    assert "no room" in client.viewer.save({"shown": [TEMPLE]})["error"]["en"]
    assert [path for path in uploads.rglob("*") if path.is_file()] == []
    assert list((uploads / "saved").iterdir()) == []
