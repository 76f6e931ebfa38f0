"""A bundle holds the pictures, numbers and photo of each trace, under the names that it says."""

from __future__ import annotations

import io
import itertools
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from helpers import brought_networks
from helpers.bundles import channel_of, noise_photo, selection_of, table
from helpers.drawings import svg_text
from helpers.small_networks import stirred
from PIL import Image

import attnviz
from attnviz.analysis import ORDERS, SCALES
from attnviz.drawing.channel import Channel
from attnviz.drawing.look import Look
from attnviz.drawing.overlay import overlay
from attnviz.drawing.pair import Pair
from attnviz.export.bundle import bundle, file_count
from attnviz.export.selection import Selection
from attnviz.networks.card import Card


@pytest.mark.slow  # draws everything
def test_every_picture_opens():
    files = dict(bundle([selection_of(stirred(18, "cbam"), noise_photo())], Look(), overview=True))
    pictures = [name for name in files if name.endswith(".png") and name != "photo.png"]
    assert len(pictures) == 5 * 8 + 1
    for name in pictures:
        Image.open(io.BytesIO(files[name])).load()
        if ".overlay." not in name:
            assert ElementTree.fromstring(files[name.removesuffix("png") + "svg"]).tag.endswith("svg")
    assert Image.open(io.BytesIO(files["layer1.0.overlay.png"])).size == (140, 90)


def test_a_layer_without_a_map_has_pictures_of_its_channels_only():
    selection = replace(selection_of(stirred(18, "se"), noise_photo()), layers=("layer1.0",))
    pictures = {name for name in dict(bundle([selection], Look())) if name.startswith("layer1.0")}
    assert pictures == {
        f"layer1.0.{kind}.{suffix}" for kind in ("channels", "diagram", "steps") for suffix in ("png", "svg")
    }


def test_any_number_of_threads_makes_the_same_files_in_the_same_order():
    selection = selection_of(stirred(18, "cbam"), noise_photo())
    selection = replace(selection, layers=selection.layers[:3])
    alone, together = (list(bundle([selection], Look(), threads=threads)) for threads in (1, 3))
    assert alone == together


def test_the_photo_is_all_its_pixels_and_nothing_else(examples):
    selection = selection_of(stirred(18, "se"), attnviz.open_photo(examples / "cat.jpg"))
    files = dict(bundle([replace(selection, layers=())], Look()))
    photo = Image.open(io.BytesIO(files["photo.png"]))
    assert np.array_equal(np.asarray(photo), selection.trace.photo.pixels) and not photo.info


def test_several_traces_have_folders_of_their_own_and_one_table():
    selections = [selection_of(stirred(18, attention), noise_photo("a/b.png")) for attention in ("se", "bam")]
    first_layers = [replace(selection, layers=selection.layers[:1]) for selection in selections]
    files = dict(bundle(first_layers, Look(scale="shown")))
    folders = [entry["folder"] for entry in json.loads(files["manifest.json"])["traces"]]
    assert folders == ["b-ResNet/", "b-ResNet-2/"]
    assert {name.rpartition("/")[0] + "/" for name in files} == {*folders, "/"}
    assert {row["layer"] for row in table(files["channels.csv"])} == {"layer1.0", "bam1"}


@pytest.mark.parametrize(
    ("name", "layer", "view"),
    [
        ("cbam_resnet18", "layer3.1", "crop"),
        ("bam_resnet18", "bam2", "whole"),
        ("se_resnet18", "layer4.1", "whole"),
    ],
)
def test_a_chosen_channel_is_drawn_and_written(name, layer, view, examples):
    network, photo = attnviz.load(name), attnviz.open_photo(examples / "pizza.jpg")
    selection = channel_of(network, photo, layer, 7, view)
    files = dict(bundle([selection], Look()))
    features = attnviz.features(network, photo, layer, view)
    with np.load(io.BytesIO(files["arrays.npz"])) as arrays:
        before, after = (arrays[f"{layer}.channel-7.{side}"] for side in ("before", "after"))
    assert np.array_equal(before, features.before[7]) and np.array_equal(after, features.after[7])
    factor = selection.trace.layers[layer].factor()[7]
    np.testing.assert_allclose(before * factor, after, atol=1e-5)
    assert Image.open(io.BytesIO(files[f"{layer}.channel-7.png"])).width > 1000
    assert "channel 7" in svg_text(files[f"{layer}.channel-7.svg"])
    (entry,) = json.loads(files["manifest.json"])["traces"]
    assert entry["channels"] == [{"layer": layer, "channel": 7, "arrays": f"{layer}.channel-7"}]


def test_bars_span_their_own_range_on_other_scales_unless_they_stand_side_by_side():
    selection = selection_of(stirred(18, "se"), noise_photo())
    selection = replace(selection, layers=("layer1.0",))
    for scale, side_by_side, own_range in (
        ("fixed", False, False),
        ("map", False, True),
        ("map", True, False),
    ):
        files = dict(bundle([selection], Look(scale=scale), side_by_side=side_by_side))
        assert ("over their own range" in svg_text(files["layer1.0.channels.svg"])) == own_range
        settings = json.loads(files["manifest.json"])["settings"]
        assert settings["bars"] == ("own range" if own_range else "fixed")


def test_two_photos_are_compared_channel_by_channel(examples):
    network = attnviz.load("se_resnet18")
    temple, cat, pizza = (
        replace(selection_of(network, attnviz.open_photo(examples / f"{name}.jpg")), layers=("layer3.1",))
        for name in ("temple", "cat", "pizza")
    )
    pair = Pair("layer3.1", pizza.trace, temple.trace)
    files = dict(bundle([temple, cat, pizza], Look(scale="shown"), pairs=[pair], side_by_side=True))
    rows = table(files["pair.csv"])
    assert list(rows[0]) == ["channel", "a", "b", "difference"]
    assert [row["channel"] for row in rows] == [str(number) for number in range(len(rows))]
    a, b = (selection.trace.layers["layer3.1"].channel for selection in (pizza, temple))
    for column, values in (("a", a), ("b", b), ("difference", b - a)):
        np.testing.assert_allclose([float(row[column]) for row in rows], values, rtol=1e-5, atol=1e-12)
    written = svg_text(files["pair.svg"])
    assert "photo A · pizza.jpg" in written and "photo B · temple.jpg" in written
    manifest = json.loads(files["manifest.json"])
    folders = {"a": "pizza-se_resnet18/", "b": "temple-se_resnet18/"}
    assert manifest["pairs"] == [{"layer": "layer3.1", **folders}]
    assert manifest["settings"]["bars"] == "fixed"


def test_the_scale_of_all_spans_what_lies_beside_and_the_manifest_says_so(examples):
    network = stirred(18, "cbam")
    selection = selection_of(network, attnviz.open_photo(examples / "cat.jpg"))
    selection = replace(selection, layers=("layer4.1",))
    other = selection_of(network, noise_photo()).trace
    last = other.layers["layer4.1"]
    other = replace(other, layers={"layer4.1": replace(last, spatial=last.spatial - 1)})
    look = Look(scale="shown")
    files = dict(bundle([selection], look, beside=[selection.trace, other]))
    alone = dict(bundle([selection], look))
    drawn, drawn_alone = (
        np.asarray(Image.open(io.BytesIO(written["layer4.1.overlay.png"]))) for written in (files, alone)
    )
    assert np.array_equal(drawn, np.asarray(overlay(selection.trace, "layer4.1", look, [other])))
    assert not np.array_equal(drawn, drawn_alone)
    beside = json.loads(files["manifest.json"])["beside"]
    assert beside == [{"photo": "noise.png", "network": other.network}]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["se", "cbam", "bam"])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_capture_of_nan_is_saved(kind):
    network = stirred(18, kind)
    with torch.no_grad():
        network.conv1.weight.fill_(float("nan"))
    first, second = (selection_of(network, noise_photo(name)) for name in ("a.png", "b.png"))
    assert np.isnan(first.trace.logits).all() and first.trace.top() == []
    name = first.layers[0]
    first = replace(first, channels=channel_of(network, first.trace.photo, name, 0).channels)
    pairs = [Pair(name, first.trace, second.trace)] if first.trace.layers[name].channel is not None else []
    chosen = [replace(selection, layers=(name,)) for selection in (first, second)]
    for scale, order in zip(SCALES, itertools.cycle(ORDERS)):
        files = dict(bundle(chosen, Look(scale=scale), order, scale == "shown", (), pairs))
        for path, content in files.items():
            if path.endswith(".png"):
                Image.open(io.BytesIO(content)).load()
            elif path.endswith(".svg"):
                assert not re.search(r"[\">\s,]nan\b", content.decode())
                ElementTree.fromstring(content)
        contents = json.loads(files["manifest.json"], parse_constant=pytest.fail)
        assert [trace["predictions"] for trace in contents["traces"]] == [[], []]
        assert {row["weight"] for row in table(files["channels.csv"])} == ({""} if pairs else set())


@pytest.mark.parametrize(("dimensions", "shape"), [(3, (1, 8, 12, 12)), (1, (2, 500))])
def test_gates_of_volumes_and_signals_are_saved_as_bars_without_a_map(dimensions, shape):
    network = brought_networks.Small(brought_networks.SE(dimensions), shape[0], dimensions)
    trace = attnviz.trace(brought_networks.alive(network), brought_networks.noise(*shape))
    files = dict(bundle([Selection(trace, Card(trace.network), ("att",))], Look(), overview=True))
    assert {"att.channels.png", "att.channels.svg", "overview.png", "photo.png", "arrays.npz"} <= files.keys()
    assert not any("map" in name or "overlay" in name for name in files)


@pytest.mark.parametrize("name", ["se_resnet18", "cbam_resnet18", "resnet18"])
def test_how_many_files_there_will_be_is_known_before(name):
    network = attnviz.load(name)
    one = selection_of(network, noise_photo())
    one = replace(one, layers=one.layers[:2], drawn=one.layers[:1])
    if one.layers:
        features = attnviz.features(network, noise_photo(), one.layers[0])
        channel = Channel(one.layers[0], 3, features.before[3], features.after[3])
        one = replace(one, channels=(channel,))
    for selections in ([one], [one, one]):
        assert len(list(bundle(selections, Look(), overview=True))) == file_count(selections, True)


def test_the_folder_says_what_is_in_it_and_how_to_make_it_again():
    selection = replace(selection_of(stirred(18, "se"), noise_photo("a.png")), layers=())
    text = dict(bundle([selection], Look()))["README.txt"].decode()
    assert "a.png in ResNet" in text and "python -m pip install ." in text and "python reproduce.py" in text
    assert "arrays.npz" in text and ".map." not in text
