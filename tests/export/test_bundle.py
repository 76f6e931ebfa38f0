from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.checkout import ROOT
from helpers.small_networks import stirred
from PIL import Image

import attnviz
from attnviz.drawing.channel import Channel
from attnviz.drawing.overlay import Look, overlay
from attnviz.drawing.pair import Pair
from attnviz.export.bundle import arrays_npz, bundle
from attnviz.export.manifest import Shown, file_names
from attnviz.networks.card import card_of


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (90, 140, 3), dtype=np.uint8)


def shown(network: torch.nn.Module, photo: attnviz.Photo | torch.Tensor, view: str = "whole") -> Shown:
    trace = attnviz.trace(network, photo, view)
    return Shown(trace, card_of(network), tuple(trace.layers))


@cache  # drawing everything takes seconds
def made(attention: str) -> tuple[attnviz.Trace, dict[str, bytes]]:
    each = shown(stirred(18, attention), attnviz.Photo(noise(), "noise.png"))
    return each.trace, dict(bundle([each], Look(), overview=True))


def rows_of(written: dict[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written["channels.csv"].decode())))


def reproduced(written: dict[str, bytes], folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """What the script of a bundle says, run in a folder of its own."""
    for name, content in written.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    command = [sys.executable, str(folder / "reproduce.py"), *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def numbers(each: Shown) -> dict[str, bytes]:
    """A bundle without pictures of layers, which take a while to draw."""
    return {**dict(bundle([replace(each, layers=())], Look())), "arrays.npz": arrays_npz(each)}


def test_arrays_come_back_as_they_were():
    trace, written = made("bam")
    with np.load(io.BytesIO(written["arrays.npz"])) as arrays:
        assert np.array_equal(arrays["logits"], trace.logits)
        for name, layer in trace.layers.items():
            for part in ("channel", "spatial", "channel_logits", "spatial_logits"):
                assert np.array_equal(arrays[f"{name}.{part}"], getattr(layer, part))
            for step in layer.steps:
                assert np.array_equal(arrays[f"{name}.step.{step.name}"], step.values)


def test_the_table_has_a_row_for_every_channel():
    trace, written = made("cbam")
    rows = rows_of(written)
    assert len(rows) == sum(len(layer.channel) for layer in trace.layers.values())
    assert list(rows[0]) == ["photo", "network", "layer", "channel", "weight"]
    for row in rows:
        assert np.float32(row["weight"]) == trace.layers[row["layer"]].channel[int(row["channel"])]


@pytest.mark.parametrize("name", ["=HYPERLINK(1).png", "+1.png", "@x.png"])
def test_a_file_name_is_no_formula(name):
    network = stirred(18, "se")
    network.card = replace(card_of(network), name="-1+1")
    each = shown(network, attnviz.Photo(noise(), name))
    row = rows_of(dict(bundle([replace(each, layers=each.layers[:1])], Look())))[0]
    assert (row["photo"], row["network"]) == (f"'{name}", "'-1+1")


def test_every_picture_opens_and_se_has_no_map():
    _, written = made("cbam")
    pictures = [name for name in written if name.endswith(".png") and name != "photo.png"]
    assert len(pictures) == 4 * 8 + 1
    for name in pictures:
        assert Image.open(io.BytesIO(written[name])).size > (100, 80)
        if ".overlay." not in name:
            assert ElementTree.fromstring(written[name.removesuffix("png") + "svg"]).tag.endswith("svg")
    _, written = made("se")
    assert "layer1.0.channels.svg" in written and not [
        name for name in written if ".map." in name or ".overlay." in name
    ]


def test_the_photo_is_all_its_pixels_and_nothing_else(examples):
    each = shown(stirred(18, "se"), attnviz.open_photo(examples / "cat.jpg"))
    photo = Image.open(io.BytesIO(dict(bundle([replace(each, layers=())], Look()))["photo.png"]))
    assert np.array_equal(np.asarray(photo), each.trace.photo.pixels) and not photo.info


def test_the_manifest_is_strict_json_and_says_what_was_done():
    trace, written = made("cbam")
    said = json.loads(written["manifest.json"], parse_constant=lambda constant: pytest.fail(constant))
    (one,) = said["traces"]
    assert one["preprocessing"]["input_size"] == list(trace.region.size) == [256, 398]
    assert one["predictions"][0]["label"] == trace.top(1)[0][0]
    assert one["layers"]["layer4.1"]["shape"] == [64, 8, 13]
    assert said["versions"]["torch"] == torch.__version__
    assert said["settings"] == {
        "opacity": 0.6,
        "colormap": "viridis",
        "scale": "fixed",
        "smooth": False,
        "dark": False,
        "order": "index",
        "bars": "fixed",
    }
    assert one["channels"] == said["beside"] == said["pairs"] == []


def test_several_traces_have_folders_of_their_own_and_one_table():
    pair = [shown(stirred(18, attention), attnviz.Photo(noise(), "a/b.png")) for attention in ("se", "bam")]
    written = dict(bundle([replace(each, layers=each.layers[:1]) for each in pair], Look(scale="shown")))
    folders = [one["folder"] for one in json.loads(written["manifest.json"])["traces"]]
    assert folders == ["b-ResNet/", "b-ResNet-2/"]
    assert {name.rpartition("/")[0] + "/" for name in written} == {*folders, "/"}
    assert {row["layer"] for row in rows_of(written)} == {"layer1.0", "bam1"}


def with_channel(
    network: torch.nn.Module, photo: attnviz.Photo | torch.Tensor, layer: str, index: int, view: str = "whole"
) -> Shown:
    """A trace of which one layer is written, and the features of one of its channels."""
    seen = attnviz.features(network, photo, layer, view)
    channel = Channel(layer, index, seen.before[index], seen.after[index])
    return replace(shown(network, photo, view), layers=(layer,), channels=(channel,))


@pytest.mark.parametrize(
    ("name", "layer", "view"),
    [
        ("cbam_resnet18", "layer3.1", "crop"),
        ("bam_resnet18", "bam2", "whole"),
        ("se_resnet18", "layer4.1", "whole"),
    ],
)
def test_a_chosen_channel_is_drawn_written_and_made_again(name, layer, view, tmp_path, examples):
    network, photo = attnviz.load(name), attnviz.open_photo(examples / "flower.jpg")
    each = with_channel(network, photo, layer, 7, view)
    written = dict(bundle([each], Look()))
    seen, factor = attnviz.features(network, photo, layer, view), each.trace.layers[layer].factor()[7]
    with np.load(io.BytesIO(written["arrays.npz"])) as arrays:
        before, after, count = (
            arrays[f"{layer}.channel-7.before"],
            arrays[f"{layer}.channel-7.after"],
            len(arrays.files),
        )
    assert np.array_equal(before, seen.before[7]) and np.array_equal(after, seen.after[7])
    np.testing.assert_allclose(before * factor, after, atol=1e-5)
    assert Image.open(io.BytesIO(written[f"{layer}.channel-7.png"])).width > 1000
    assert "channel 7" in "".join(ElementTree.fromstring(written[f"{layer}.channel-7.svg"]).itertext())
    assert json.loads(written["manifest.json"])["traces"][0]["channels"] == [
        {"layer": layer, "channel": 7, "arrays": f"{layer}.channel-7"}
    ]
    ran = reproduced(written, tmp_path)
    assert (ran.stdout, ran.returncode) == (f"equal: {count} arrays\n", 0), ran.stderr


def test_the_script_notices_a_channel_that_is_another_and_takes_a_tensor(tmp_path):
    network = attnviz.load("se_resnet18")
    each = with_channel(network, torch.randn(3, 96, 128), "layer2.0", 3)
    assert reproduced(
        {**numbers(each), "manifest.json": manifest_of(each)}, tmp_path / "same"
    ).stdout.startswith("equal: ")
    each.channels[0].after[0, 0] += 0.5
    ran = reproduced({**numbers(each), "manifest.json": manifest_of(each)}, tmp_path / "other")
    assert ran.returncode == 1 and "greatest difference" in ran.stdout and "0.5" in ran.stdout


def manifest_of(each: Shown) -> bytes:
    return dict(bundle([replace(each, layers=())], Look()))["manifest.json"]


def test_two_photos_are_compared_channel_by_channel(examples):
    network = attnviz.load("se_resnet18")
    a, b, c = (
        replace(shown(network, attnviz.open_photo(examples / f"{name}.jpg")), layers=("layer3.1",))
        for name in ("temple", "cat", "flower")
    )
    written = dict(
        bundle([a, b, c], Look(scale="shown"), pairs=[Pair("layer3.1", c.trace, a.trace)], side_by_side=True)
    )
    rows = list(csv.DictReader(io.StringIO(written["pair.csv"].decode())))
    assert list(rows[0]) == ["channel", "a", "b", "difference"] and [row["channel"] for row in rows] == [
        str(n) for n in range(len(rows))
    ]
    of_a, of_b = c.trace.layers["layer3.1"].channel, a.trace.layers["layer3.1"].channel
    for column, values in (("a", of_a), ("b", of_b), ("difference", of_b - of_a)):
        assert np.array_equal(np.array([row[column] for row in rows], np.float64), values.astype(np.float64))
    said = "".join(ElementTree.fromstring(written["pair.svg"]).itertext())
    assert "photo A · flower.jpg" in said and "photo B · temple.jpg" in said
    manifest = json.loads(written["manifest.json"])
    assert manifest["pairs"] == [
        {"layer": "layer3.1", "a": "flower-se_resnet18/", "b": "temple-se_resnet18/"}
    ]
    assert manifest["settings"]["bars"] == "fixed"


def test_the_scale_of_all_spans_what_lies_beside_and_the_manifest_says_so(examples):
    network = stirred(18, "cbam")
    each = replace(shown(network, attnviz.open_photo(examples / "cat.jpg")), layers=("layer4.1",))
    other = shown(network, attnviz.Photo(noise(), "noise.png")).trace
    last = other.layers["layer4.1"]
    other = replace(other, layers={"layer4.1": replace(last, spatial=last.spatial - 1)})
    look = Look(scale="shown")
    written, alone = dict(bundle([each], look, beside=[each.trace, other])), dict(bundle([each], look))
    drawn = [np.asarray(Image.open(io.BytesIO(files["layer4.1.overlay.png"]))) for files in (written, alone)]
    assert np.array_equal(drawn[0], np.asarray(overlay(each.trace, "layer4.1", look, [other])))
    assert not np.array_equal(*drawn)
    assert json.loads(written["manifest.json"])["beside"] == [
        {"photo": "noise.png", "network": other.network}
    ]


def test_names_become_safe_file_names_that_differ():
    assert file_names(["layer3.1", "layer3.1 #2", "layer3.1-2", "LAYER3.1", "../x", "a:b\\c", "", "層"]) == [
        "layer3.1",
        "layer3.1-2",
        "layer3.1-2-2",
        "LAYER3.1-3",
        "x",
        "a-b-c",
        "unnamed",
        "層",
    ]
    assert len(file_names(["a" * 300])[0]) <= 80


@pytest.mark.parametrize(
    ("name", "view"), [("cbam_resnet18", "whole"), ("bam_resnet18", "crop"), ("se_resnet18", "whole")]
)
def test_the_script_makes_the_same_arrays_again(name, view, tmp_path, examples):
    each = shown(attnviz.load(name), attnviz.open_photo(examples / "flower.jpg"), view)
    ran = reproduced(numbers(each), tmp_path)
    with np.load(tmp_path / "arrays.npz") as arrays:
        assert (ran.stdout, ran.returncode) == (f"equal: {len(arrays.files)} arrays\n", 0), ran.stderr


def test_the_script_runs_a_comparison_and_a_tensor(tmp_path, examples):
    network = attnviz.load("bam_resnet18")
    photos = attnviz.open_photo(examples / "flower.jpg"), torch.randn(3, 96, 128)
    written = dict(bundle([replace(shown(network, photo), layers=("bam3",)) for photo in photos], Look()))
    assert reproduced(written, tmp_path).stdout.startswith("equal: ")


def test_the_script_takes_the_weights_of_ones_own_network_and_no_others(tmp_path):
    torch.save(stirred(18, "cbam").state_dict(), tmp_path / "mine.pth")
    torch.save(stirred(18, "cbam").state_dict(), tmp_path / "other.pth")
    recipe = attnviz.Recipe(resize=96, crop=64, mean=(0.5, 0.5, 0.5))
    written = numbers(
        shown(attnviz.load(tmp_path / "mine.pth", recipe=recipe), attnviz.Photo(noise(), "noise.png"))
    )
    assert reproduced(written, tmp_path / "out", str(tmp_path / "mine.pth")).stdout.startswith("equal: ")
    for arguments in ([], [str(tmp_path / "other.pth")]):
        refused = reproduced(written, tmp_path / "out", *arguments)
        assert refused.returncode == 1 and "python reproduce.py WEIGHTS" in refused.stderr


@pytest.mark.parametrize(("change", "status"), [(5e-6, 0), (1e-3, 1), (np.nan, 1)])
def test_the_script_says_how_far_apart_arrays_are(change, status, tmp_path):
    each = shown(attnviz.load("se_resnet18"), attnviz.Photo(noise(), "noise.png"))
    each.trace.logits[0] += change  # not what the network computed
    ran = reproduced(numbers(each), tmp_path)
    assert ran.returncode == status and "greatest difference" in ran.stdout
