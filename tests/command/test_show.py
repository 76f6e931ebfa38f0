"""``attnviz show`` writes what a person looks at, once for each photo."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import attnviz
from attnviz.analysis import telling_layers
from attnviz.command.main import main
from attnviz.languages.catalogue import catalogue
from attnviz.networks.doubt import Doubt
from attnviz.zoo.registry import save_folder


def show(*arguments: str | Path) -> int:
    return main(["show", *map(str, arguments)])


def test_one_layer_of_one_photo(tmp_path, examples, capsys):
    assert (
        show(examples / "cat.jpg", "--network", "cbam_resnet18", "--layer", "layer3.1", "--out", tmp_path)
        == 0
    )
    names = {path.name for path in (tmp_path / "cat").iterdir()}
    drawings = ("map", "channels", "diagram", "steps")
    figures = {f"layer3.1.{what}.{suffix}" for what in drawings for suffix in ("png", "svg")}
    numbers = {"photo.png", "channels.csv", "arrays.npz", "manifest.json", "reproduce.py", "README.txt"}
    assert names == {"layer3.1.overlay.png", "overview.png", "overview.svg"} | figures | numbers
    expected = attnviz.trace(attnviz.load("cbam_resnet18"), examples / "cat.jpg")
    with np.load(tmp_path / "cat" / "arrays.npz") as arrays:
        np.testing.assert_allclose(arrays["layer3.1.spatial"], expected.layers["layer3.1"].spatial, atol=1e-6)
    assert expected.top(1)[0][0] in capsys.readouterr().out


def test_a_doubtful_answer_is_marked_and_the_sentence_said_once(tmp_path, examples, capsys):
    network = attnviz.load("se_resnet18")
    doubt = Doubt("probability", 1.1, 0.95, 0.34, 0.82, 1962, 493)
    save_folder(network, replace(network.card, doubts={"whole": doubt}), tmp_path / "mine")
    photos = [examples / "cat.jpg", examples / "coffee.jpg"]
    assert show(*photos, "-n", tmp_path / "mine", "-l", "layer4.1", "-o", tmp_path / "out", "--html") == 0
    printed = capsys.readouterr()
    lines = [line for line in printed.out.splitlines() if "(doubtful)" in line]
    assert len(lines) == 2 and all(
        re.search(r": most like [\w ]+ [\d.]+% \(doubtful\) -> ", line) for line in lines
    )
    sentence = catalogue().phrase("en", doubt.sentence)
    assert printed.err.count(sentence) == 1
    assert json.dumps(sentence) in (tmp_path / "out" / "attnviz.html").read_text(encoding="utf-8")
    capsys.readouterr()
    assert (
        show(photos[0], "-n", tmp_path / "mine", "--view", "crop", "-l", "layer4.1", "-o", tmp_path / "out")
        == 0
    )
    printed = capsys.readouterr()  # of the crop nothing is known
    assert "% -> " in printed.out and not printed.err


@pytest.mark.slow
def test_without_a_layer_those_that_tell_most_are_drawn_and_all_are_written(tmp_path, examples):
    assert show(examples / "cat.jpg", "--network", "cbam_resnet18", "--out", tmp_path) == 0
    trace = attnviz.trace(attnviz.load("cbam_resnet18"), examples / "cat.jpg")
    names = {path.name for path in (tmp_path / "cat").iterdir()}
    drawn = {name.removesuffix(".steps.png") for name in names if name.endswith(".steps.png")}
    assert drawn == set(telling_layers(trace)) and "overview.png" in names
    with np.load(tmp_path / "cat" / "arrays.npz") as arrays:
        assert {f"{layer}.channel" for layer in trace.layers} <= set(arrays.files)
    manifest = json.loads((tmp_path / "cat" / "manifest.json").read_text(encoding="utf-8"))
    pictured = {name for name, layer in manifest["traces"][0]["layers"].items() if layer["files"]}
    assert pictured == drawn and set(manifest["files"]) == names


@pytest.mark.slow
def test_all_draws_every_layer(tmp_path, examples):
    assert show(examples / "cat.jpg", "-n", "se_resnet18", "--all", "-o", tmp_path) == 0
    names = {path.name for path in (tmp_path / "cat").iterdir()}
    assert sum(name.endswith(".channels.png") for name in names) == 8


@pytest.mark.slow
def test_several_layers_can_be_chosen(tmp_path, examples):
    assert show(examples / "cat.jpg", "-l", "layer1.0", "-l", "layer4.1", "-o", tmp_path) == 0
    steps = {path.name for path in (tmp_path / "cat").glob("*.steps.png")}
    assert steps == {"layer1.0.steps.png", "layer4.1.steps.png"}


@pytest.mark.slow
def test_a_second_run_leaves_what_is_not_ours_and_nothing_of_the_first(tmp_path, examples):
    folder = tmp_path / "cat"
    assert show(examples / "cat.jpg", "-n", "bam_resnet18", "--all", "-o", tmp_path) == 0
    (folder / "notes.txt").write_text("mine")
    assert show(examples / "cat.jpg", "-n", "se_resnet18", "-l", "layer1.0", "-o", tmp_path) == 0
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert {path.name for path in folder.iterdir()} == {*manifest["files"], "notes.txt"}
    assert not list(folder.glob("bam*"))


@pytest.mark.parametrize("names", [["../photo.jpg"], "photo.jpg", [3], None, ["/etc/passwd"]])
def test_a_manifest_of_somebody_else_deletes_nothing_outside(names, tmp_path, examples):
    folder = tmp_path / "out" / "cat"
    folder.mkdir(parents=True)
    (tmp_path / "out" / "photo.jpg").write_text("mine")
    (folder / "manifest.json").write_text(json.dumps({"files": names}))
    assert show(examples / "cat.jpg", "-l", "layer1.0", "-o", tmp_path / "out") == 0
    assert (tmp_path / "out" / "photo.jpg").read_text() == "mine"


def test_a_missing_photo_is_told_before_a_network_is_opened(tmp_path, capsys):
    assert show(tmp_path / "gone.png", "-n", "no such network", "-o", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "gone.png” is not there" in said and "network" not in said


@pytest.mark.slow
def test_a_folder_is_its_pictures_and_what_is_missing_stops_no_other(tmp_path, examples, capsys):
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    shutil.copyfile(examples / "cat.jpg", folder / "cat.jpg")
    shutil.copyfile(examples / "pizza.jpg", folder / "below" / "pizza.jpg")
    (folder / "notes.txt").write_text("no picture")
    assert show(folder, tmp_path / "gone.png", "-l", "layer1.0", "-o", tmp_path / "out") == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["cat", "pizza"]
    assert "notes" not in capsys.readouterr().err


@pytest.mark.parametrize("out", ["photo.txt", "photo.txt/below"])
def test_a_file_in_the_place_of_the_folder_is_one_sentence(out, tmp_path, examples, capsys):
    (tmp_path / "photo.txt").write_text("mine")
    assert show(examples / "cat.jpg", "-o", tmp_path / out) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "photo.txt" in line and (tmp_path / "photo.txt").read_text() == "mine"


@pytest.mark.slow
def test_photos_of_one_name_do_not_overwrite_each_other_and_a_bad_one_stops_nothing(
    tmp_path, examples, capsys
):
    other, third, dots = tmp_path / "elsewhere" / "cat.jpg", tmp_path / "cat-2.jpg", tmp_path / "...jpg"
    other.parent.mkdir()
    for path in (other, third, dots):
        path.write_bytes((examples / "springer.jpg").read_bytes())
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    out = tmp_path / "out"
    photos = [examples / "cat.jpg", bad, other, third, dots]
    assert show(*photos, "--network", "bam_resnet18", "--layer", "bam2", "--out", out) == 1
    assert sorted(path.name for path in out.iterdir()) == ["cat", "cat-2", "cat-2-2", "photo"]
    manifests = [
        json.loads((out / name / "manifest.json").read_text(encoding="utf-8")) for name in ("cat", "cat-2")
    ]
    widths = [manifest["traces"][0]["photo"]["width"] for manifest in manifests]
    assert widths == [640, 1000]
    assert "“bad.png”" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--network", "zzz"], ["--network", "cbam_resnet18", "--layer", "zzz"]]
)
def test_what_does_not_exist_is_answered_with_what_does(arguments, tmp_path, examples, capsys):
    assert show(examples / "cat.jpg", "--out", tmp_path, *arguments) == 1
    error = capsys.readouterr().err
    assert "choose one of" in error and ("cbam_resnet18" in error or "layer3.1" in error)


@pytest.mark.parametrize(
    ("wrong", "meant"), [(["-n", "cbam_resnt18"], "cbam_resnet18"), (["-l", "layer3.9"], "layer3.1")]
)
def test_what_was_nearly_right_is_answered_with_what_was_meant(wrong, meant, tmp_path, examples, capsys):
    assert show(examples / "cat.jpg", "-o", tmp_path, *wrong) == 1
    assert f"did you mean {meant}?" in capsys.readouterr().err


@pytest.mark.slow
def test_all_photos_lie_in_one_page_as_they_are_wanted(tmp_path, examples):
    photos = [examples / "cat.jpg", examples / "pizza.jpg"]
    look = ["--html", "-l", "bam2", "-c", "magma", "-s", "shown", "--order", "size", "--smooth"]
    assert show(*photos, "-n", "bam_resnet18", *look, "-o", tmp_path) == 0
    page = (tmp_path / "attnviz.html").read_text(encoding="utf-8")
    shown = re.findall(r"getElementById\('viewer'\), (.*)\);\n", page)[-1]
    captures, state = json.loads(f"[{shown}]")
    assert [capture["photo"]["name"] for capture in captures] == ["cat.jpg", "pizza.jpg"]
    expected = {"layer": "bam2", "colours": "magma", "scale": "shown", "order": "size", "smooth": True}
    assert expected.items() <= state.items()


def test_the_command_writes_what_a_bundle_holds(tmp_path, examples):
    from attnviz.drawing.look import Look
    from attnviz.export.bundle import bundle
    from attnviz.export.selection import Selection

    network = attnviz.load("bam_resnet18")
    trace = attnviz.trace(network, examples / "cat.jpg")
    expected = dict(
        bundle(
            [Selection(trace, network.card, ("bam2",))],
            Look(scale="stage", colormap="magma"),
            "surprise",
            overview=True,
        )
    )
    look = ["--scale", "stage", "--order", "surprise", "--colormap", "magma"]
    chosen = ["--network", "bam_resnet18", "--layer", "bam2"]
    assert show(examples / "cat.jpg", *chosen, *look, "--out", tmp_path) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "cat").iterdir()} == expected


@pytest.mark.slow
def test_the_colours_can_span_all_photos_that_are_shown(tmp_path, examples):
    photos = [examples / name for name in ("cat.jpg", "pizza.jpg")]
    chosen = ["--network", "bam_resnet18", "--layer", "bam3"]
    limits = {}
    for scale in ("map", "shown"):
        assert show(*photos, *chosen, "--scale", scale, "--out", tmp_path / scale) == 0
        for name in ("cat", "pizza"):
            svg = (tmp_path / scale / name / "bam3.map.svg").read_text(encoding="utf-8")
            limits[scale, name] = re.findall(r">(\d\.\d+)</text>", svg)
    assert limits["shown", "cat"] == limits["shown", "pizza"]
    assert limits["map", "cat"] != limits["map", "pizza"]


@pytest.mark.slow
def test_what_was_assumed_of_a_photo_is_said_and_written_down(tmp_path, capsys):
    Image.fromarray(np.full((40, 60), 900, np.uint16)).save(tmp_path / "x-ray.png")
    assert show(tmp_path / "x-ray.png", "--layer", "layer3.1", "--out", tmp_path / "out") == 0
    assert capsys.readouterr().err.count("fills only 10 of the 16 bits") == 1
    (manifest,) = (tmp_path / "out").rglob("manifest.json")
    (entry,) = json.loads(manifest.read_text(encoding="utf-8"))["traces"]
    assert "10 of the 16 bits" in entry["remarks"][0]
